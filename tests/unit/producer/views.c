// States as tables, and what became of them.
#include <string.h>

#include "ctl/print_state.h"
#include "ctl/state_changes.h"
#include "ctl/state_table.h"
#include "paper.h"
#include "unit.h"

static ProvisionState environment(const char *name, const char *json)
{
    return (ProvisionState){.subject = "applications/shop/environments/production",
                            .application_id = "shop",
                            .name = name,
                            .json = json,
                            .kind = PROVISION_SUBJECT_ENVIRONMENT,
                            .sequence = 3,
                            .changed_at_ms = 1795334820000};
}

static const char PRODUCTION[] =
    "{\"environment\":{\"environment\":\"production\",\"origin\":\"ORIGIN_CREATED\","
    "\"status\":\"ENVIRONMENT_STATUS_READY\",\"account\":\"main\",\"projectId\":\"p-1\","
    "\"pgVersion\":17,\"endpoint\":{\"autoscalingLimitMaxCu\":0.25},\"databases\":[\"a\"]}}";
static const char PREVIEW[] =
    "{\"environment\":{\"environment\":\"pr:42\",\"origin\":\"ORIGIN_BRANCHED\",\"status\":"
    "\"ENVIRONMENT_STATUS_READY\",\"host\":\"ep-1.test\",\"expiresAt\":"
    "\"2026-11-29T19:07:53.489Z\"}}";
static const ProvisionState ACCOUNT = {
    .subject = "applications/shop/accounts/main",
    .application_id = "shop",
    .name = "main",
    .json = "{\"account\":{\"account\":\"main\",\"keyKind\":\"KEY_KIND_PERSONAL\",\"orgId\":"
            "\"org-1\"}}",
    .kind = PROVISION_SUBJECT_ACCOUNT,
};
static const ProvisionState APPLICATION = {
    .subject = "applications/shop",
    .application_id = "shop",
    .name = "",
    .json = "{\"application\":{\"previewBase\":\"production\"}}",
    .kind = PROVISION_SUBJECT_APPLICATION,
};

static void assert_table(ProvisionSubjectKind kind, const ProvisionState *const *states,
                         const char *expected)
{
    Paper paper CLEANUP(paper_clear);
    paper_open(&paper);
    Screen screen = {.file = paper.file};
    StateTable *table CLEANUP(state_table_free_at) = state_table_new(kind);
    for (; *states != NULL; states++) {
        state_table_add(table, *states);
    }
    state_table_print(&screen, table);
    assert_string_equal(paper_read(&paper), expected);
}

static void environments_stand_in_columns(void **state)
{
    (void)state;
    ProvisionState production = environment("production", PRODUCTION);
    const ProvisionState *const plain[] = {&ACCOUNT, &production, NULL};
    assert_table(PROVISION_SUBJECT_ENVIRONMENT, plain,
                 "APPLICATION  ENVIRONMENT  STATUS  ORIGIN   ACCOUNT  PROJECT  BRANCH  PG  HOST\n"
                 "shop         production   ready   created  main     p-1      -       17  -\n");
}

static void the_base_of_previews_and_expiries_are_told_where_there_are_any(void **state)
{
    (void)state;
    ProvisionState production = environment("production", PRODUCTION);
    ProvisionState preview = environment("pr:42", PREVIEW);
    ProvisionState other = production;
    other.application_id = "blog";
    const ProvisionState *const all[] = {&APPLICATION, &ACCOUNT, &preview,
                                         &production,  &other,   NULL};
    assert_table(
        PROVISION_SUBJECT_ENVIRONMENT, all,
        "APPLICATION  ENVIRONMENT  STATUS  ORIGIN    ACCOUNT  PROJECT  BRANCH  PG  PREVIEWS  "
        "EXPIRES           HOST\n"
        "shop         pr:42        ready   branched  -        -        -       -   -         "
        "2026-11-29 19:07  ep-1.test\n"
        "shop         production   ready   created   main     p-1      -       17  base      "
        "-                 -\n"
        "blog         production   ready   created   main     p-1      -       17  -         "
        "-                 -\n");
}

static void accounts_stand_in_columns(void **state)
{
    (void)state;
    ProvisionState production = environment("production", PRODUCTION);
    const ProvisionState *const all[] = {&APPLICATION, &ACCOUNT, &production, NULL};
    assert_table(PROVISION_SUBJECT_ACCOUNT, all,
                 "APPLICATION  ACCOUNT  KEY       ORGANIZATION  NEON\n"
                 "shop         main     personal  org-1         -\n");
}

// The line's end, behind the time, which is local.
static void assert_change(const ProvisionState *before, const ProvisionState *after,
                          const char *expected)
{
    Paper paper CLEANUP(paper_clear);
    paper_open(&paper);
    Screen screen = {.file = paper.file};
    StateChanges *changes CLEANUP(state_changes_free_at) = state_changes_new();
    if (before != NULL) {
        state_changes_note(changes, before);
    }
    state_changes_print(changes, &screen, after);
    const char *line = paper_read(&paper);
    assert_non_null(strstr(line, "shop/"));
    assert_string_equal(strstr(line, "shop/"), expected);
}

static void a_change_tells_what_became_another(void **state)
{
    (void)state;
    ProvisionState before = environment("production", PRODUCTION);
    ProvisionState after = environment(
        "production",
        "{\"environment\":{\"environment\":\"production\",\"origin\":\"ORIGIN_CREATED\","
        "\"status\":\"ENVIRONMENT_STATUS_READY\",\"account\":\"main\",\"projectId\":\"p-1\","
        "\"pgVersion\":17,\"endpoint\":{\"autoscalingLimitMaxCu\":2},\"databases\":[\"a\","
        "\"b\"]}}");
    after.sequence = 4;
    assert_change(&before, &after,
                  "shop/environments/production #4   autoscalingLimitMaxCu 0.25 → 2, databases a → "
                  "a, b\n");
    assert_change(&before, &before, "shop/environments/production #3   written again\n");
}

static void what_is_new_or_gone_is_told_so(void **state)
{
    (void)state;
    ProvisionState preview = environment("pr:42", PREVIEW);
    preview.subject = "applications/shop/environments/pr:42";
    assert_change(NULL, &preview,
                  "shop/environments/pr:42 #3        new: ready branched ep-1.test\n");
    ProvisionState gone = preview;
    gone.gone = true;
    gone.json = "{}";
    gone.sequence = 0;
    assert_change(&preview, &gone, "shop/environments/pr:42           gone\n");
}

static void what_is_told_is_known_from_then_on(void **state)
{
    (void)state;
    Paper paper CLEANUP(paper_clear);
    paper_open(&paper);
    Screen screen = {.file = paper.file};
    StateChanges *changes CLEANUP(state_changes_free_at) = state_changes_new();
    ProvisionState other = APPLICATION;
    other.json = "{\"application\":{\"previewBase\":\"staging\"}}";
    ProvisionState gone = APPLICATION;
    gone.json = "{}";
    const ProvisionState *const all[] = {&APPLICATION, &other, &gone, &other};
    for (size_t i = 0; i < 4; i++) {
        state_changes_print(changes, &screen, all[i]);
    }
    const char *lines = paper_read(&paper);
    const char *first = strstr(lines, "new: production\n");
    const char *second = strstr(lines, "previewBase production → staging\n");
    const char *third = strstr(lines, "gone\n");
    const char *fourth = strstr(lines, "new: staging\n");
    assert_true(first != NULL && first < second && second < third && third < fourth);
}

static void a_subject_that_is_gone_is_named_in_json(void **state)
{
    (void)state;
    Paper paper CLEANUP(paper_clear);
    paper_open(&paper);
    ProvisionState gone = ACCOUNT;
    gone.json = "{}";
    gone.gone = true;
    print_state_json(paper.file, &gone);
    print_state_json(paper.file, &APPLICATION);
    assert_string_equal(paper_read(&paper), "{\"applicationId\":\"shop\",\"subject\":"
                                            "\"applications/shop/accounts/main\",\"gone\":true}\n"
                                            "{\"application\":{\"previewBase\":\"production\"}}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(environments_stand_in_columns),
        cmocka_unit_test(the_base_of_previews_and_expiries_are_told_where_there_are_any),
        cmocka_unit_test(accounts_stand_in_columns),
        cmocka_unit_test(a_change_tells_what_became_another),
        cmocka_unit_test(what_is_new_or_gone_is_told_so),
        cmocka_unit_test(what_is_told_is_known_from_then_on),
        cmocka_unit_test(a_subject_that_is_gone_is_named_in_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
