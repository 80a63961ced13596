/*
 * What is bounded, what a ledger's row of another version may hold, and what is printed.
 */
#include "neon.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "saga/journal.h"
#include "saga/sagas.h"

// "[prefix ]one,one,…" with %zu replaced by the index
static char *repeated(const char *before, const char *one, size_t count, const char *after)
{
    Text text = TEXT_INIT(8000000);
    text_append(&text, before);
    for (size_t i = 0; i < count; i++) {
        const char *hole = strchr(one, '#');
        text_append(&text, i > 0 ? "," : "");
        text_append_bytes(&text, one, hole != NULL ? (size_t)(hole - one) : strlen(one));
        if (hole != NULL) {
            text_printf(&text, "%zu%s", i, hole + 1);
        }
    }
    text_append(&text, after);
    assert_true(text_ok(&text));
    return text.data;
}

static const Talk CREATION = {.name = "create", .action = CREATE};
static const Talk BRANCHING = {.name = "branch", .action = BRANCH};

static void projects_of_one_name_are_bounded(void **state)
{
    (void)state;
    Stage stage;
    stage_open(&stage, &CREATION);
    stage_begin(&stage);
    char *reply = repeated("200 {'projects':[", PROJECT("p-#", "shop-production", "9"), 501, "]}");
    TalkLine lines[] = {{"check_region", REGIONS},
                        {"find_project", reply},
                        {"!end", "CommandRejected", "'code':'TOO_MANY_PROJECTS'"},
                        {NULL}};
    stage_play(&stage, lines);
    free(reply);
    stage_close(&stage);
}

#define BRANCH_READY                                                                               \
    {"find_source", BRANCHES(ROOT("br-parent"), "")}, {"announce", "ok"},                          \
        {"check_source_stays", "0"},                                                               \
        {"read_project", "200 {'project':" PROJECT("p-1", "shop", "8") "}"},                       \
        {"find_branch", NO_BRANCHES}, {"list_parent_roles", ROLES("")},                            \
        {"create_branch", "201 {'branch':" CHILD("br-1", "shop-production") "}"},                  \
        {"await_branch", ONE_BRANCH(CHILD("br-1", "shop-production"))},                            \
        {"await_endpoint", ENDPOINT("active")},                                                    \
    {                                                                                              \
        "find_databases", DATABASES                                                                \
    }

static void roles_are_bounded(void **state)
{
    (void)state;
    Stage stage;
    stage_open(&stage, &BRANCHING);
    stage_begin(&stage);
    char *reply = repeated("200 {'roles':[", ROLE("role_#"), 501, "]}");
    TalkLine lines[] = {BRANCH_READY,
                        {"list_roles", reply},
                        {"!save", NULL, "TOO_MANY_ROLES"},
                        {"undo_delete_branch", "200 {'branch':{}}"},
                        {"undo_find_branch", NO_BRANCHES},
                        {"!end", "CommandFailed", "'code':'TOO_MANY_ROLES'"},
                        {NULL}};
    stage_play(&stage, lines);
    free(reply);
    stage_close(&stage);
}

// The text of the password's digest that the journal holds, with a key of these bytes.
static char *journaled_digest(uint8_t key)
{
    Stage stage;
    stage_open(&stage, &BRANCHING);
    memset(stage.rules.digest_key, key, sizeof stage.rules.digest_key);
    stage_begin(&stage);
    TalkLine lines[] = {BRANCH_READY,
                        {"!later", "30000"},
                        {"list_roles", ROLES(ROLE("app_owner"))},
                        {"reveal_password", PASSWORD("old")},
                        {NULL}};
    stage_play(&stage, lines);
    const json_t *all = journal_value(&stage.saga.journal, "old_passwords");
    const json_t *one = json_object_get(all, "app_owner");
    char *digest = alloc_text(json_string_value(json_object_get(one, "digest")));
    stage_close(&stage);
    return digest;
}

static void an_old_password_can_not_be_guessed_from_the_journal(void **state)
{
    (void)state;
    char *ours = journaled_digest(1);
    char *theirs = journaled_digest(2);
    assert_string_not_equal(ours, theirs);
    const Bytes guess[] = {bytes_of(TALK_ID), bytes_of("app_owner"), bytes_of("old")};
    uint8_t digest[CRYPTO_SHA256_BYTES];
    crypto_sha256(guess, TALK_COUNT(guess), digest);
    CLEANUP(text_clear) Text unkeyed = TEXT_INIT(100);
    crypto_hex_append(&unkeyed, (Bytes){digest, sizeof digest});
    assert_null(strstr(ours, text_get(&unkeyed)));
    uint8_t key[CRYPTO_KEY_BYTES];
    memset(key, 1, sizeof key);
    crypto_hmac_sha256(key, guess, TALK_COUNT(guess), digest);
    CLEANUP(text_clear) Text keyed = TEXT_INIT(100);
    crypto_hex_append(&keyed, (Bytes){digest, sizeof digest});
    assert_non_null(strstr(ours, text_get(&keyed)));
    free(ours);
    free(theirs);
}

static void operations_and_databases_are_bounded(void **state)
{
    (void)state;
    Stage stage;
    stage_open(&stage, &CREATION);
    stage.rules.check_login = false;
    stage_begin(&stage);
    char *made =
        repeated("201 {'project':" PROJECT("p-1", "shop-production",
                                           "9") ",'branch':" ROOT("br-1") ",'operations':[",
                 "{'id':'op-#'}", 1000, "]}");
    char *databases = repeated("200 {'databases':[", "{'name':'d#','owner_name':'o'}", 600, "]}");
    TalkLine lines[] = {{"check_region", REGIONS},
                        {"find_project", NO_PROJECTS},
                        {"create_project", made},
                        {"await_operations", OPERATION("finished"), "/op-0"},
                        {NULL}};
    stage_play(&stage, lines);
    for (int i = 1; i < 64; i++) {
        TalkLine one[] = {{"await_operations", OPERATION("finished")}, {NULL}};
        stage_play(&stage, one);
    }
    TalkLine rest[] = {{"await_branch", ONE_BRANCH(ROOT("br-1"))},
                       {"await_endpoint", ENDPOINT("active")},
                       {"find_databases", databases},
                       {"find_connection", CONNECTION_URI("ep-1")},
                       {"find_pooled_host", CONNECTION_URI("ep-1-pooler")},
                       {"find_duplicates", NO_PROJECTS},
                       {"!end", "EnvironmentCreated", "'d499'|!'d500'"},
                       {NULL}};
    stage_play(&stage, rest);
    free(made);
    free(databases);
    stage_close(&stage);
}

// Roles stand in the event twice, in the state once.
static void an_outcome_that_does_not_fit_is_told_by_one_that_does(void **state)
{
    (void)state;
    Stage stage;
    stage_open(&stage, &BRANCHING);
    stage.max_record_bytes = 3000;
    stage_begin(&stage);
    char *rotated =
        repeated("{'rotated_roles':[", "'role_of_a_rather_long_name_0123456789_#'", 40, "]}");
    TalkLine lines[] = {
        BRANCH_READY,
        {"!closed", rotated},
        {"!later", "30000"},
        {"list_roles", ROLES("")},
        {"find_connection", CONNECTION_URI("ep-1")},
        {"find_pooled_host", CONNECTION_URI("ep-1-pooler")},
        {"check_login", "ok"},
        {"!end", "CommandFailed",
         "'code':'OUTCOME_TOO_LARGE'|'action':'BranchEnvironment'|state{|state=ready"},
        {NULL}};
    stage_play(&stage, lines);
    free(rotated);
    stage_close(&stage);
}

static void an_open_intent_of_a_step_of_another_version_is_waited_for(void **state)
{
    (void)state;
    Stage stage;
    stage_open(&stage, &BRANCHING);
    stage.intent = (LedgerIntent){
        .status = LEDGER_INTENT_OPEN, .step = "create_galaxy", .number = 1, .settles = true};
    stage.settled_at_ms = stage.now.boot_ms + 7000;
    stage_begin(&stage);
    TalkLine lines[] = {{"find_source", BRANCHES(ROOT("br-parent"), ""), NULL, 7000}, {NULL}};
    stage_play(&stage, lines);
    saga_not_sent(&stage.saga, stage.now); // of no step that this version knows
    assert_int_equal(stage.saga.failure.error.kind, ERROR_NONE);
    stage_close(&stage);
}

static void a_failure_that_is_kept_comes_back_as_it_was(void **state)
{
    (void)state;
    Stage stage;
    stage_open(&stage, &CREATION);
    stage.intent = (LedgerIntent){.status = LEDGER_INTENT_CLOSED, .number = 1};
    stage.undoing = true;
    stage.first_error =
        talk_json("{'kind':3,'code':'C','text':'T','field':'F','step':'create_project',"
                  "'neon_status':422,'neon_request_id':'R'}");
    stage_begin(&stage);
    char *again = saga_first_error(&stage.saga);
    json_t *parsed = json_loads(again, 0, NULL);
    assert_true(json_equal(parsed, stage.first_error));
    json_decref(parsed);
    free(again);
    // what another version wrote, and does not fit, is left out
    json_object_set_new(
        stage.first_error, "step",
        json_string("a step whose name is much longer than any that this program gives to one"));
    json_object_del(stage.first_error, "text");
    stage_begin(&stage);
    assert_string_equal(stage.saga.failure.step, "");
    assert_string_equal(stage.saga.failure.error.code, "C");
    stage_close(&stage);
}

static void nothing_failed_nothing_is_kept(void **state)
{
    (void)state;
    Stage stage;
    stage_open(&stage, &CREATION);
    stage_begin(&stage);
    assert_null(saga_first_error(&stage.saga));
    stage_close(&stage);
}

static void a_long_wait_fits_its_number(void **state)
{
    (void)state;
    Stage stage;
    stage_open(&stage, &CREATION);
    stage.intent = (LedgerIntent){
        .status = LEDGER_INTENT_OPEN, .step = "create_project", .number = 1, .settles = true};
    stage.settled_at_ms = INT64_C(1) << 40;
    stage_begin(&stage);
    stage.saga.intent.foreign = false;
    Decision decision;
    saga_next(&stage.saga, stage.now, &decision);
    assert_int_equal(decision.kind, DECISION_WAIT);
    assert_int_equal(decision.wait_ms, UINT32_MAX);
    stage_close(&stage);
}

static void cuts_long_texts_between_characters(void **state)
{
    (void)state;
    Stage stage;
    stage_open(&stage, &CREATION);
    stage_begin(&stage);
    TalkLine lines[] = {{"check_region", REGIONS}, {"find_project", NO_PROJECTS}, {NULL}};
    stage_play(&stage, lines);
    char *reply = repeated("400 {'message':'", "\xc3\xa4\xc3\xa4", 100, "'}");
    TalkLine rest[] = {{"create_project", reply}, {"!save", NULL, "NEON_REFUSED"}, {NULL}};
    stage_play(&stage, rest); // the ledger takes the error: it is UTF-8
    free(reply);
    stage_close(&stage);
}

static void actions_of_other_versions_have_no_table(void **state)
{
    (void)state;
    assert_null(saga_definition(PROVISIONING__V1__COMMAND__ACTION__NOT_SET));
    size_t count = 0;
    const SagaDefinition *table = sagas_table(&count);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(saga_definition(table[i].action), &table[i]);
    }
}

// A name stands once in a table and its undo tables: the journal, intents and logs go by it.
static void names_of_steps_are_unique_and_fit(void **state)
{
    (void)state;
    size_t count = 0;
    const SagaDefinition *table = sagas_table(&count);
    for (size_t i = 0; i < count; i++) {
        const char *names[64];
        size_t known = 0;
        for (const Step *step = table[i].steps; step->name != NULL; step++) {
            names[known++] = step->name;
            for (const Step *undo = step->undo; undo != NULL && undo->name != NULL; undo++) {
                names[known++] = undo->name;
                assert_true(undo->protection == PROTECTED_READ ||
                            undo->protection == PROTECTED_LEDGER ||
                            undo->protection == PROTECTED_EXACT_ID);
            }
        }
        for (size_t a = 0; a < known; a++) {
            assert_true(strlen(names[a]) < sizeof((SagaIntent *)0)->step);
            for (size_t b = 0; b < a; b++) {
                assert_string_not_equal(names[a], names[b]);
            }
        }
    }
}

static void every_table_is_printed(void **state)
{
    (void)state;
    CLEANUP(text_clear) Text text = TEXT_INIT(100000);
    saga_print(&text);
    assert_true(text_ok(&text));
    const char *printed = text_get(&text);
    static const char *const PIECES[] = {
        "### ConnectAccount\n\n```mermaid\nflowchart TD\n    "
        "check_key[\"check_key<br/><i>reads</i>\"]\n",
        "\n```\n\n### CreateEnvironment\n",
        "    create_project[\"create_project<br/><i>changes, protected by nothing</i>\"]\n"
        "    find_project --> create_project\n",
        "    create_branch[\"create_branch<br/><i>changes, protected by a unique name</i>\"]\n",
        "    create_project -. undo .-> undo_find_project\n",
        "    undo_find_branch --> undo_delete_branch\n",
        "    announce[\"announce<br/><i>ledger</i>\"]\n",
        "    delete_project[\"delete_project<br/><i>deletes by id</i>\"]\n",
    };
    for (size_t i = 0; i < TALK_COUNT(PIECES); i++) {
        if (strstr(printed, PIECES[i]) == NULL) {
            fail_msg("%s is not in %s", PIECES[i], printed);
        }
    }
}

static void a_journal_keeps_what_it_does_not_know(void **state)
{
    (void)state;
    Journal journal;
    journal_init(&journal, NULL);
    json_t *delta = talk_json("{'of_version_9':{'a':1},'project_id':'p-1'}");
    journal_merge(&journal, delta);
    json_decref(delta);
    assert_string_equal(journal_text(&journal, "project_id"), "p-1");
    assert_string_equal(journal_text(&journal, "nothing"), "");
    delta = talk_json("{'project_id':null}");
    journal_merge(&journal, delta);
    json_decref(delta);
    char *packed = journal_pack(&journal);
    assert_string_equal(packed, "{\"of_version_9\":{\"a\":1}}");
    free(packed);
    journal_clear(&journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(projects_of_one_name_are_bounded),
        cmocka_unit_test(roles_are_bounded),
        cmocka_unit_test(an_old_password_can_not_be_guessed_from_the_journal),
        cmocka_unit_test(operations_and_databases_are_bounded),
        cmocka_unit_test(an_outcome_that_does_not_fit_is_told_by_one_that_does),
        cmocka_unit_test(an_open_intent_of_a_step_of_another_version_is_waited_for),
        cmocka_unit_test(a_failure_that_is_kept_comes_back_as_it_was),
        cmocka_unit_test(nothing_failed_nothing_is_kept),
        cmocka_unit_test(a_long_wait_fits_its_number),
        cmocka_unit_test(cuts_long_texts_between_characters),
        cmocka_unit_test(actions_of_other_versions_have_no_table),
        cmocka_unit_test(names_of_steps_are_unique_and_fit),
        cmocka_unit_test(every_table_is_printed),
        cmocka_unit_test(a_journal_keeps_what_it_does_not_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
