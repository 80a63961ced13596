/*
 * SetupRoles, when what it has to tell is too long.
 */
#include "setup_lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "saga/environment.h"

// A report of this many changes, each of 800 bytes.
static char *long_report(size_t count, bool blocked)
{
    CLEANUP(text_clear) Text text = TEXT_INIT(4000000);
    text_append(&text, "{'changes':[");
    for (size_t i = 0; i < count; i++) {
        text_printf(&text, "%s['app','t%zu','%0*d','%0*d',%s]", i > 0 ? "," : "", i, 400, 1, 400, 2,
                    blocked && i % 2 == 0 ? "true" : "false");
    }
    text_append(&text, "]}");
    return strdup(text_get(&text));
}

enum { JOURNAL_BYTES = 300 * 1024 };

// What stands in the way comes first; the rest is counted.
static void a_long_list_is_cut(void **state)
{
    static const Talk PLAN = {NULL, SETUP(",'mode':'ROLES_MODE_PLAN'"), READY, NULL, {{NULL}}};
    (void)state;
    char *report = long_report(1000, true);
    TalkLine lines[] = {FOUND,
                        {"plan_roles", report},
                        {"!end", "RolesConfigured", "'omitted':|'blocked':true"},
                        {NULL}};
    Stage stage;
    stage_open(&stage, &PLAN);
    stage_begin(&stage);
    stage_play(&stage, lines);
    const json_t *kept = journal_value(&stage.saga.journal, "role_changes");
    assert_in_range(json_array_size(kept), 200, 330);
    assert_int_equal(journal_number(&stage.saga.journal, "changes_omitted"),
                     1000 - json_array_size(kept));
    char *journal = journal_pack(&stage.saga.journal);
    assert_in_range(strlen(journal), 1, JOURNAL_BYTES);
    free(journal);
    free(report);
    stage_close(&stage);
}

// A state has room for what can be asked for in a command, but not for everything else, too.
static void services_that_take_too_much_room_stand_in_no_state(void **state)
{
    static const Talk PLAN = {NULL, SETUP(",'mode':'ROLES_MODE_PLAN'"), READY, NULL, {{NULL}}};
    (void)state;
    Stage stage;
    stage_open(&stage, &PLAN);
    json_t *spec = talk_json(SPEC);
    json_t *access = json_object();
    char name[64];
    for (int i = 0; i < 90; i++) {
        (void)snprintf(name, sizeof name, "%060d", i);
        json_array_append_new(json_object_get(spec, "databases"), json_string(name));
        json_object_set_new(access, name, json_string("write"));
    }
    for (int i = 0; i < 90; i++) {
        (void)snprintf(name, sizeof name, "service-%d", i);
        json_array_append_new(json_object_get(spec, "services"),
                              json_pack("{s:s, s:O}", "name", name, "access", access));
    }
    json_t *details = json_pack("{s:o}", "roles_spec", spec);
    EnvironmentView view = {.environment = "e",
                            .origin = "created",
                            .account = "",
                            .project_id = "",
                            .branch_id = "",
                            .endpoint_id = "",
                            .details = details};
    EnvironmentMessage message;
    environment_message(&view, &message);
    assert_int_equal(message.state.n_services, 0);
    environment_message_clear(&message);
    json_decref(access);
    json_decref(details);
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_list_is_cut),
        cmocka_unit_test(services_that_take_too_much_room_stand_in_no_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
