/*
 * The state of an environment tells as much as its details hold, and gives them back.
 */
#include "saga/restore.h"

#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "saga/environment.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static json_t *parse(const char *text)
{
    char *quoted = alloc_text(text);
    for (char *c = quoted; *c != '\0'; c++) {
        if (*c == '\'') {
            *c = '"';
        }
    }
    json_t *json = json_loads(quoted, 0, NULL);
    assert_non_null(json);
    free(quoted);
    return json;
}

#define NAMES                                                                                      \
    "'project_name':'shop','region_id':'aws-eu-central-1','branch_name':'main','host':'ep-1',"     \
    "'pooled_host':'ep-1-pooler','port':5432,'pg_version':17,'history_retention_seconds':86400"
#define ENDPOINT ",'min_cu':0.25,'max_cu':2.0,'suspend_timeout_seconds':-1"

typedef struct Case {
    const char *origin;
    bool failed;
    const char *details; // as the row has them, and as they come back
} Case;

static const Case CASES[] = {
    {"created", false,
     "{" NAMES ENDPOINT ",'databases':['app','logs'],'roles':['owner','encore_platform',"
     "'encore_reader','encore_writer','encore_admin','svc_api','svc_job','svc_dba'],'role':'owner',"
     "'roles_spec':{'prefix':'encore','policy':'authoritative','adopt':true,"
     "'databases':['app','logs'],'services':[{'name':'api','access':{'app':'write'}},"
     "{'name':'job','access':{'logs':'read','app':'write'}},"
     "{'name':'dba','access':{'app':'admin'}}]}}"},
    {"branched", false,
     "{" NAMES
     ",'source_environment':'live','source_branch_id':'br-1','expires_at_ms':1795341600000,"
     "'databases':[],'roles':[]}"},
    {"imported", false,
     "{" NAMES ",'databases':['app','theirs'],'roles':['owner'],'role':'owner',"
     "'roles_spec':{'prefix':'encore','policy':'additive','adopt':false,'databases':['app'],"
     "'services':[{'name':'api','access':{'app':'write'}}]}}"},
    {"imported", false, "{'databases':['app'],'roles':['svc_api']}"},
    {"created", true, "{" NAMES ",'databases':[],'roles':[],'left':[]}"},
};

static void what_a_state_shows_comes_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        json_t *details = parse(CASES[i].details);
        const EnvironmentView view = {.environment = "live",
                                      .origin = CASES[i].origin,
                                      .failed = CASES[i].failed,
                                      .account = "main",
                                      .project_id = "p-1",
                                      .branch_id = "br-2",
                                      .endpoint_id = "ep-1",
                                      .details = details};
        EnvironmentMessage message;
        environment_message(&view, &message);
        json_t *restored = restore_details(&message.state, "encore");
        if (!json_equal(restored, details)) {
            fail_msg("%s", json_dumps(restored, JSON_SORT_KEYS));
        }
        assert_string_equal(restore_origin(message.state.origin), CASES[i].origin);
        environment_message_clear(&message);
        json_decref(restored);
        json_decref(details);
    }
}

static void an_origin_of_a_later_version_is_none(void **state)
{
    (void)state;
    assert_null(restore_origin((Provisioning__V1__Origin)99));
}

// Half an endpoint is no endpoint.
static void settings_that_are_not_whole_are_left_out(void **state)
{
    (void)state;
    Provisioning__V1__EnvironmentState message;
    Provisioning__V1__EndpointSettings endpoint;
    provisioning__v1__environment_state__init(&message);
    provisioning__v1__endpoint_settings__init(&endpoint);
    message.endpoint = &endpoint;
    json_t *details = restore_details(&message, "encore");
    json_t *expected = parse("{'databases':[],'roles':[]}");
    assert_true(json_equal(details, expected));
    json_decref(details);
    json_decref(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_state_shows_comes_back),
        cmocka_unit_test(an_origin_of_a_later_version_is_none),
        cmocka_unit_test(settings_that_are_not_whole_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
