// What people and programs read of a sweep.
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/unconst.h"
#include "run/sweep_report.h"
#include "unit.h"

#define VERDICT(name) PROVISIONING__V1__SWEEP_VERDICT__SWEEP_VERDICT_##name

typedef Provisioning__V1__AccountSwept AccountSwept;
typedef Provisioning__V1__SweepFinding SweepFinding;
typedef Provisioning__V1__Event Event;

// What is printed, in memory.
typedef struct Paper {
    SweepReport report;
    char *text;
    size_t size;
} Paper;

static Paper *open_paper(bool json)
{
    static Paper paper;
    paper = (Paper){.report = {.json = json}};
    paper.report.out = open_memstream(&paper.text, &paper.size);
    assert_non_null(paper.report.out);
    return &paper;
}

static void close_paper(Paper *paper, const char *expected)
{
    assert_int_equal(fclose(paper->report.out), 0);
    assert_string_equal(paper->text, expected);
    free(paper->text);
}

typedef struct Swept {
    Event event;
    AccountSwept body;
    SweepFinding findings[2];
    SweepFinding *list[2];
    Google__Protobuf__Timestamp created_at;
} Swept;

static void make_event(Event *event)
{
    provisioning__v1__event__init(event);
    event->application_id = unconst("shop");
    event->subject = unconst("applications/shop/environments/late");
    event->command_id = unconst("c-1");
}

// An account with one finding.
static Swept *make_swept(Provisioning__V1__SweepVerdict verdict, const char *sent_command_id)
{
    static Swept swept;
    make_event(&swept.event);
    provisioning__v1__account_swept__init(&swept.body);
    google__protobuf__timestamp__init(&swept.created_at);
    swept.created_at.seconds = 1795420800;
    for (size_t i = 0; i < 2; i++) {
        provisioning__v1__sweep_finding__init(&swept.findings[i]);
        swept.list[i] = &swept.findings[i];
    }
    swept.event.body_case = PROVISIONING__V1__EVENT__BODY_ACCOUNT_SWEPT;
    swept.event.account_swept = &swept.body;
    swept.body.account = unconst("main");
    swept.body.projects = 2;
    swept.body.branches = 5;
    swept.body.marked = 3;
    swept.body.findings = swept.list;
    swept.body.n_findings = 1;
    swept.findings[0].verdict = verdict;
    swept.findings[0].environment = unconst("late");
    swept.findings[0].project_id = unconst("p-1");
    swept.findings[0].branch_id = unconst("br-1");
    swept.findings[0].name = unconst("shop-late");
    swept.findings[0].command_id = unconst("c-0");
    swept.findings[0].sent_command_id = unconst(sent_command_id);
    swept.findings[0].created_at = &swept.created_at;
    return &swept;
}

static void people_read_a_line_a_finding_and_what_it_means(void **state)
{
    (void)state;
    Paper *paper = open_paper(false);
    Swept *swept = make_swept(VERDICT(ORPHAN), "c-2");
    static char away[] = "one project is away";
    static char *doubts[] = {away};
    swept->body.doubts = doubts;
    swept->body.n_doubts = 1;
    swept->body.omitted = 7;
    sweep_report_swept(&paper->report, &swept->event);
    sweep_report_totals(&paper->report, true);
    close_paper(paper,
                "shop/main: 2 projects, 5 branches; made by this application 3, by others of this "
                "installation 0, by other installations 0\n"
                "  nothing is deleted: one project is away\n"
                "  orphan             late: branch br-1 shop-late in p-1, created "
                "2026-11-23T08:00:00Z, by command c-0; goes by c-2\n"
                "  and 7 more\n"
                "accounts swept: 1, with doubts: 1; deleted: 0, refused: 0\n"
                "    1 orphan             a finished command made it and no environment owns it: "
                "--delete removes it\n");
}

static void what_has_expired_has_no_mark(void **state)
{
    (void)state;
    Paper *paper = open_paper(false);
    Swept *swept = make_swept(VERDICT(EXPIRED), "");
    SweepFinding *finding = &swept->findings[0];
    finding->name = unconst("");
    finding->command_id = unconst("");
    finding->expires_at = finding->created_at;
    finding->created_at = NULL;
    sweep_report_swept(&paper->report, &swept->event);
    close_paper(paper,
                "shop/main: 2 projects, 5 branches; made by this application 3, by others of this "
                "installation 0, by other installations 0\n"
                "  expired            late: branch br-1 in p-1, expired 2026-11-23T08:00:00Z\n");
}

static void programs_read_a_line_an_event(void **state)
{
    (void)state;
    Paper *paper = open_paper(true);
    Swept *swept = make_swept(VERDICT(DOUBTFUL), "");
    swept->body.n_findings = 0;
    sweep_report_swept(&paper->report, &swept->event);
    sweep_report_totals(&paper->report, false);
    close_paper(paper, "{\"commandId\":\"c-1\",\"applicationId\":\"shop\",\"subject\":"
                       "\"applications/shop/environments/late\",\"accountSwept\":{\"account\":"
                       "\"main\",\"projects\":2,\"branches\":5,\"marked\":3}}\n");
}

// One finding, and whether the sweep counts as clean: nothing that was found is still there.
static void what_is_still_there_is_told(void **state)
{
    (void)state;
    static const struct {
        Provisioning__V1__SweepVerdict verdict;
        bool is_clean;
    } CASES[] = {
        {VERDICT(ORPHAN), false},          {VERDICT(EXPIRED), false},
        {VERDICT(UNKNOWN_COMMAND), false}, {VERDICT(FAILED_ENVIRONMENT), false},
        {VERDICT(DOUBTFUL), false},        {VERDICT(IN_FLIGHT), true},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        Paper *paper = open_paper(true);
        Swept *swept = make_swept(CASES[i].verdict, "");
        assert_true(sweep_report_is_clean(&paper->report));
        sweep_report_swept(&paper->report, &swept->event);
        assert_int_equal(sweep_report_is_clean(&paper->report), CASES[i].is_clean);
        swept->body.n_findings = 0;
        swept->body.omitted = 1;
        sweep_report_swept(&paper->report, &swept->event);
        assert_false(sweep_report_is_clean(&paper->report));
        (void)fclose(paper->report.out);
        free(paper->text);
    }
}

static void what_was_deleted_is_not_there_any_more(void **state)
{
    (void)state;
    Paper *paper = open_paper(false);
    Event deleted;
    Event refused;
    Provisioning__V1__OrphanDeleted orphan;
    Provisioning__V1__CommandRejected rejected;
    make_event(&deleted);
    make_event(&refused);
    provisioning__v1__orphan_deleted__init(&orphan);
    provisioning__v1__command_rejected__init(&rejected);
    deleted.body_case = PROVISIONING__V1__EVENT__BODY_ORPHAN_DELETED;
    deleted.orphan_deleted = &orphan;
    orphan.deleted = true;
    refused.body_case = PROVISIONING__V1__EVENT__BODY_COMMAND_REJECTED;
    refused.command_rejected = &rejected;
    rejected.code = unconst("ORPHAN_IN_USE");
    rejected.message = unconst("environment blog/found is on it");
    paper->report.found[VERDICT(ORPHAN)] = 1;
    sweep_report_removal(&paper->report, &deleted);
    assert_true(sweep_report_is_clean(&paper->report));
    orphan.deleted = false; // another sweep was faster
    paper->report.found[VERDICT(ORPHAN)] = 2;
    sweep_report_removal(&paper->report, &deleted);
    assert_true(sweep_report_is_clean(&paper->report));
    paper->report.found[VERDICT(ORPHAN)] = 3;
    sweep_report_removal(&paper->report, &refused);
    assert_false(sweep_report_is_clean(&paper->report));
    paper->report.found[VERDICT(ORPHAN)] = 0;
    sweep_report_totals(&paper->report, true);
    close_paper(paper, "deleted: applications/shop/environments/late (c-1)\n"
                       "gone already: applications/shop/environments/late (c-1)\n"
                       "stays: applications/shop/environments/late (c-1): ORPHAN_IN_USE: "
                       "environment blog/found is on it\n"
                       "accounts swept: 0; deleted: 1, refused: 1, gone already: 1\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(people_read_a_line_a_finding_and_what_it_means),
        cmocka_unit_test(what_has_expired_has_no_mark),
        cmocka_unit_test(programs_read_a_line_an_event),
        cmocka_unit_test(what_is_still_there_is_told),
        cmocka_unit_test(what_was_deleted_is_not_there_any_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
