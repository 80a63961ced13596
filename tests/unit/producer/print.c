#include <string.h>

#include "base/attr.h"
#include "ctl/print_event.h"
#include "ctl/print_state.h"
#include "paper.h"
#include "unit.h"

static const ProvisionEvent REJECTED = {
    .event_id = "e1",
    .command_id = "c1",
    .application_id = "shop",
    .subject = "applications/shop/environments/production",
    .type = "CommandRejected",
    .code = "ENVIRONMENT_EXISTS",
    .message = "it is there",
    .json = "{\"eventId\":\"e1\",\"commandRejected\":{\"code\":\"ENVIRONMENT_EXISTS\","
            "\"message\":\"it is \\u001b[31mthere\\u009b\"}}",
    .sequence = 7,
    .outcome = PROVISION_OUTCOME_REJECTED,
    .partition = 3,
    .offset = 42,
};

static void names_of_enums_are_words(void **state)
{
    (void)state;
    Paper paper CLEANUP(paper_clear);
    paper_open(&paper);
    Screen screen = {.file = paper.file};
    const ProvisionEvent connected = {
        .application_id = "shop",
        .subject = "applications/shop/accounts/main",
        .type = "AccountConnected",
        .json = "{\"accountConnected\":{\"account\":{\"keyKind\":\"KEY_KIND_PROJECT\"}}}",
        .outcome = PROVISION_OUTCOME_SUCCEEDED,
    };
    print_event_line(&screen, &connected);
    const char *line = paper_read(&paper);
    assert_non_null(strstr(line, "  project\n"));
    assert_null(strstr(line, "KEY_KIND"));
}

static void a_line_tells_what_happened_to_whom(void **state)
{
    (void)state;
    Paper paper CLEANUP(paper_clear);
    paper_open(&paper);
    Screen screen = {.file = paper.file};
    print_event_line(&screen, &REJECTED);
    const char *line = paper_read(&paper);
    assert_non_null(strstr(line, "CommandRejected"));
    assert_non_null(strstr(line, " shop/environments/production #7 "));
    assert_non_null(strstr(line, "ENVIRONMENT_EXISTS  it is "));
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void foreign_text_cannot_steer_the_terminal(void **state)
{
    (void)state;
    Paper paper CLEANUP(paper_clear);
    paper_open(&paper);
    Screen screen = {.file = paper.file};
    print_event_line(&screen, &REJECTED);
    const char *line = paper_read(&paper);
    assert_null(strchr(line, '\033'));
    assert_non_null(strstr(line, "it is ?[31mthere?\n"));
}

static void colours_are_only_there_when_wanted(void **state)
{
    (void)state;
    Paper paper CLEANUP(paper_clear);
    paper_open(&paper);
    Screen screen = {.file = paper.file, .colours = true};
    print_event_line(&screen, &REJECTED);
    assert_non_null(strstr(paper_read(&paper), "\033[31mCommandRejected\033[0m"));
}

static void an_environment_that_was_there_is_called_so(void **state)
{
    (void)state;
    ProvisionEvent event = REJECTED;
    event.type = "EnvironmentCreated";
    event.outcome = PROVISION_OUTCOME_SUCCEEDED;
    event.replayed = true;
    event.json = "{\"environmentCreated\":{\"environment\":{\"projectId\":\"p-1\",\"branchName\":"
                 "\"main\",\"host\":\"ep-1.localhost\"}}}";
    Paper paper CLEANUP(paper_clear);
    paper_open(&paper);
    Screen screen = {.file = paper.file};
    print_event_line(&screen, &event);
    assert_non_null(strstr(paper_read(&paper), "project p-1  branch main  host ep-1.localhost  "
                                               "(was there already)  (repeated)\n"));
}

static void json_has_one_object_a_line(void **state)
{
    (void)state;
    Paper paper CLEANUP(paper_clear);
    paper_open(&paper);
    print_event_json(paper.file, &REJECTED);
    const char *line = paper_read(&paper);
    assert_int_equal(strncmp(line,
                             "{\"type\":\"CommandRejected\",\"outcome\":\"rejected\",\"replayed\":"
                             "false,\"partition\":3,\"offset\":42,\"eventId\":\"e1\",",
                             100),
                     0);
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static const ProvisionState READY = {
    .subject = "applications/shop/environments/production",
    .application_id = "shop",
    .name = "production",
    .json = "{\"environment\":{\"environment\":\"production\",\"origin\":\"ORIGIN_CREATED\","
            "\"status\":\"ENVIRONMENT_STATUS_READY\",\"account\":\"main\",\"projectId\":\"p-1\","
            "\"pgVersion\":17,\"endpoint\":{\"autoscalingLimitMaxCu\":0.25},\"databases\":[\"a\","
            "\"b\"]}}",
    .kind = PROVISION_SUBJECT_ENVIRONMENT,
    .sequence = 3,
    .changed_at_ms = 1795334820000,
};

static void all_of_a_state_is_shown(void **state)
{
    (void)state;
    Paper paper CLEANUP(paper_clear);
    paper_open(&paper);
    Screen screen = {.file = paper.file};
    print_state_whole(&screen, &READY);
    const char *text = paper_read(&paper);
    assert_non_null(strstr(text, "changedAt                         2026-11-22T08:07:00.000Z\n"));
    assert_non_null(strstr(text, "sequence                          3\n"));
    assert_non_null(strstr(text, "databases                         a, b\n"));
    assert_non_null(strstr(text, "endpoint.autoscalingLimitMaxCu    0.25\n"));
}

static void services_are_told_with_their_databases(void **state)
{
    (void)state;
    Paper paper CLEANUP(paper_clear);
    paper_open(&paper);
    Screen screen = {.file = paper.file};
    ProvisionState roles = READY;
    roles.json =
        "{\"environment\":{\"services\":[{\"name\":\"orders\",\"databases\":[{\"database\":"
        "\"main\"},{\"database\":\"logs\",\"access\":\"ACCESS_READ\"}]},{\"name\":"
        "\"cron\"}],\"rolesPolicy\":\"ROLES_POLICY_ADDITIVE\"}}";
    print_state_whole(&screen, &roles);
    const char *text = paper_read(&paper);
    assert_non_null(
        strstr(text, "services                          orders (main write, logs read), cron\n"));
    assert_non_null(strstr(text, "rolesPolicy                       additive\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_enums_are_words),
        cmocka_unit_test(a_line_tells_what_happened_to_whom),
        cmocka_unit_test(foreign_text_cannot_steer_the_terminal),
        cmocka_unit_test(colours_are_only_there_when_wanted),
        cmocka_unit_test(an_environment_that_was_there_is_called_so),
        cmocka_unit_test(json_has_one_object_a_line),
        cmocka_unit_test(all_of_a_state_is_shown),
        cmocka_unit_test(services_are_told_with_their_databases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
