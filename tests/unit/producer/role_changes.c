// What is printed of changed roles.
#include "ctl/role_changes.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/text.h"
#include "ctl/print_event.h"
#include "unit.h"

typedef struct Paper {
    char *text;
    size_t size;
    FILE *file;
} Paper;

static void paper_clear(Paper *paper)
{
    if (paper->file != NULL) {
        (void)fclose(paper->file);
    }
    free(paper->text);
}

static const char *paper_read(Paper *paper)
{
    assert_int_equal(fclose(paper->file), 0);
    paper->file = NULL;
    return paper->text;
}

static ProvisionEvent event_of(const char *json)
{
    return (ProvisionEvent){.application_id = "shop",
                            .subject = "applications/shop/environments/staging",
                            .type = "RolesConfigured",
                            .json = json,
                            .outcome = PROVISION_OUTCOME_SUCCEEDED};
}

static void expect_table(const char *json, const char *expected)
{
    Paper paper CLEANUP(paper_clear) = {.text = NULL};
    paper.file = open_memstream(&paper.text, &paper.size);
    Screen screen = {.file = paper.file};
    ProvisionEvent event = event_of(json);
    role_changes_print(&screen, &event);
    assert_string_equal(paper_read(&paper), expected);
}

#define CHANGE(database, object, change, reason, more)                                             \
    "{\"database\":\"" database "\",\"object\":\"" object "\",\"change\":\"" change                \
    "\",\"reason\":\"" reason "\"" more "}"
#define BODY(members, changes)                                                                     \
    "{\"rolesConfigured\":{\"environment\":\"staging\"" members ",\"changes\":[" changes "]}}"

static void each_change_is_a_line_with_its_reason(void **state)
{
    (void)state;
    expect_table(BODY("", CHANGE("", "svc_a", "CREATE ROLE svc_a", "missing",
                                 "") "," CHANGE("main", "t", "GRANT x", "is \\u001b[31mred", "")),
                 "staging: 2 changes\n"
                 "  (all)  svc_a  CREATE ROLE svc_a  missing\n"
                 "  main   t      GRANT x  is ?[31mred\n");
    expect_table(BODY(",\"plannedOnly\":true,\"omitted\":3",
                      CHANGE("main", "t", "", "its owner is another", ",\"blocked\":true")),
                 "staging: 0 changes planned, 1 blocked, 3 more\n"
                 "  main  t  blocked: its owner is another\n");
    expect_table(BODY("", ""), "staging: as wanted\n");
}

static void a_long_statement_is_cut_between_characters(void **state)
{
    (void)state;
    Text json CLEANUP(text_clear) = TEXT_INIT(4096);
    text_append(&json, "{\"rolesConfigured\":{\"environment\":\"staging\",\"changes\":[{"
                       "\"object\":\"t\",\"change\":\"x");
    for (int i = 0; i < 100; i++) {
        text_append(&json, "ü");
    }
    text_append(&json, "\",\"reason\":\"why\"}]}}");
    Text expected CLEANUP(text_clear) = TEXT_INIT(4096);
    text_append(&expected, "staging: 1 change\n  (all)  t  x");
    for (int i = 0; i < 79; i++) {
        text_append(&expected, "ü");
    }
    text_append(&expected, "…  why\n");
    expect_table(text_get(&json), text_get(&expected));
}

static void what_is_not_listed_is_a_change_too(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        bool any;
    } CASES[] = {
        {BODY("", ""), false},
        {BODY(",\"omitted\":1", ""), true},
        {BODY("", CHANGE("", "a", "b", "c", "")), true},
        {BODY("", CHANGE("", "a", "", "c", ",\"blocked\":true")), true},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        ProvisionEvent event = event_of(CASES[i].json);
        assert_int_equal(role_changes_any(&event), CASES[i].any);
    }
}

static void expect_line(const ProvisionEvent *event, const char *expected)
{
    Paper paper CLEANUP(paper_clear) = {.text = NULL};
    paper.file = open_memstream(&paper.text, &paper.size);
    Screen screen = {.file = paper.file};
    print_event_line(&screen, event);
    const char *line = paper_read(&paper);
    if (strstr(line, expected) == NULL) {
        fail_msg("no \"%s\" in %s", expected, line);
    }
}

static void an_event_is_told_in_a_few_words(void **state)
{
    (void)state;
    ProvisionEvent configured = event_of(
        BODY("", CHANGE("", "a", "b", "c", "") "," CHANGE("", "a", "", "c", ",\"blocked\":true")));
    expect_line(&configured, "  1 change, 1 blocked\n");
    ProvisionEvent rotated = event_of(
        "{\"credentialsRotated\":{\"environment\":\"staging\",\"roles\":[\"svc_a\",\"svc_b\"]}}");
    rotated.type = "CredentialsRotated";
    expect_line(&rotated, "  svc_a, svc_b\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_change_is_a_line_with_its_reason),
        cmocka_unit_test(a_long_statement_is_cut_between_characters),
        cmocka_unit_test(what_is_not_listed_is_a_change_too),
        cmocka_unit_test(an_event_is_told_in_a_few_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
