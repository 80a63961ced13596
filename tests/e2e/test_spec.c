// A worker talks to Neon through Prism, which holds what it sends and what it gets against Neon's
// OpenAPI. (tests/run judges the recordings of every other test's worker too.)
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/credentials.h"
#include "support/login.h"
#include "support/wait.h"
#include "support/world.h"

#define APPLICATION "shop"
enum { SKIPPED = 77, PRISM_SECONDS = 120 };

static Process prism;
static Box proxied; // the sandbox as it is reached through Prism
static Recipient recipient;

static bool has_begun(void *context)
{
    (void)context;
    return process_has_logged(&prism, "Prism is listening on ") || process_has_ended(&prism);
}

static void read_url(char *ret_url, size_t size)
{
    char *log = process_read_log(prism.log);
    const char *url = strstr(strstr(log, "Prism is listening on "), "http://");
    assert_non_null(url);
    (void)snprintf(ret_url, size, "%.*s", (int)strcspn(url, "\n\033 "), url);
    free(log);
}

static int begin(void **state)
{
    world_begin(state, NULL);
    World *world = *state;
    const char *const argv[] = {SPEC_PRISM, world->box.api_url, NULL};
    process_start(&prism, argv, box_text("%s/prism.log", world->dir));
    wait_until(has_begun, NULL, PRISM_SECONDS, "Prism to start, see %s", prism.log);
    if (process_has_ended(&prism) && prism.status == SKIPPED) {
        exit(SKIPPED);
    }
    assert_false(process_has_ended(&prism));
    proxied = world->box;
    read_url(proxied.api_url, sizeof(proxied.api_url));
    recipient = credentials_recipient();
    const char *const settings[] = {
        box_text("neon.api_url=%s", proxied.api_url),
        box_text("reveal.recipients=" APPLICATION "=%s", recipient.public_hex), NULL};
    (void)worker_start(world, "one", settings);
    return 0;
}

static int end(void **state)
{
    process_kill(&prism);
    return world_end(state);
}

// All that Prism has told so far: it tells of a call before it answers the next one.
static char *told(void)
{
    static int marks;
    const char *mark = box_text("/mark-%d", ++marks);
    REPLY reply = box_call(&proxied, "GET", mark, NULL);
    assert_int_equal(reply.status, 404);
    process_await_log(&prism, box_text("get %s ", mark), PRISM_SECONDS);
    return process_read_log(prism.log);
}

static size_t count(const char *text, const char *part)
{
    size_t found = 0;
    for (; (text = strstr(text, part)) != NULL; text += strlen(part)) {
        found++;
    }
    return found;
}

static void what_a_worker_sends_and_gets_follows_the_spec(void **state)
{
    World *world = *state;
    command_connect_main(world, APPLICATION);
    (void)command_run(world, APPLICATION, "EnvironmentCreated",
                      "'createEnvironment': {'environment': 'live', 'account': 'main', 'regionId': "
                      "'" WORLD_REGION "', 'databases': ['main', 'audit'], 'endpoint': "
                      "{'autoscalingLimitMinCu': 0.5, 'autoscalingLimitMaxCu': 2, "
                      "'suspendTimeoutSeconds': 600}, 'historyRetentionSeconds': 3600, 'services': "
                      "[{'name': 'orders', 'databases': [{'database': 'main'}]}]}");
    (void)command_run(world, APPLICATION, "EnvironmentBranched",
                      "'branchEnvironment': {'environment': 'next', 'sourceEnvironment': 'live'}");
    (void)command_run(world, APPLICATION, "EnvironmentDeleted",
                      "'deleteEnvironment': {'environment': 'next'}");
    (void)command_run(world, APPLICATION, "EnvironmentDeleted",
                      "'deleteEnvironment': {'environment': 'live', 'deleteData': true}");
    char *log = told();
    assert_true(count(log, "Request received") > 20);
    assert_int_equal(count(log, "Violation: request."), 0);
    assert_int_equal(count(log, "Violation: response."), 0);
    free(log);
}

static void prism_notices_what_breaks_the_spec(void **state)
{
    World *world = *state;
    REPLY wrong = box_call_as(&proxied, world->api_key, NULL, "POST", "/projects",
                              "{\"project\": {\"name\": 7}}");
    assert_int_equal(wrong.status, 400);
    (void)sandbox_fault(world, "{'kind': 'status', 'status': 200, 'route': 'GET /projects', "
                               "'count': 1}");
    REPLY broken = box_call_as(&proxied, world->api_key, NULL, "GET", "/projects", NULL);
    assert_int_equal(broken.status, 200);
    char *log = told();
    assert_int_equal(count(log, "Violation: request.body.project.name"), 1);
    assert_true(count(log, "Violation: response.body ") > 0);
    free(log);
}

int main(void)
{
    world_require();
    // Prism judges what goes by, a reply that is wrong on purpose among it: no recording of that
    unsetenv("PROVISION_TEST_RECORD_DIR");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_worker_sends_and_gets_follows_the_spec),
        cmocka_unit_test(prism_notices_what_breaks_the_spec),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, end));
}
