// What a branch with a mark is, rule by rule.
#include "saga/verdict.h"

#include "talk.h"

#define ELSEWHERE "'known':true,'finished':true,'settled':true"
#define DONE ELSEWHERE ",'about':true"
#define CREATED DONE ",'action':'CreateEnvironment'"
#define BRANCHED DONE ",'action':'BranchEnvironment'"
#define OPENED DONE ",'action':'OpenPreview'"

static const struct {
    const char *judged;
    bool is_root;
    Verdict verdict;
} CASES[] = {
    // what the ledger doesn't say speaks for the branch
    {"{}", true, VERDICT_UNKNOWN_COMMAND},
    {"{'finished':true,'settled':true,'action':'CreateEnvironment'}", true,
     VERDICT_UNKNOWN_COMMAND},
    {"{'known':true,'settled':true,'action':'CreateEnvironment'}", true, VERDICT_IN_FLIGHT},
    {"{'known':true,'finished':true,'action':'CreateEnvironment'}", true, VERDICT_IN_FLIGHT},
    {"{" DONE "}", true, VERDICT_DOUBTFUL},
    {"{" CREATED "}", true, VERDICT_ORPHAN},
    {"{" CREATED ",'state':'gone'}", true, VERDICT_ORPHAN},
    {"{" BRANCHED "}", false, VERDICT_ORPHAN},
    {"{" BRANCHED ",'state':'gone'}", false, VERDICT_ORPHAN},
    {"{" OPENED "}", false, VERDICT_ORPHAN},
    {"{" BRANCHED "}", true, VERDICT_ORPHAN}, // without a parent: only its schema was copied
    // whoever is on it
    {"{" CREATED ",'owner':'shop/production','state':'ready'}", true, VERDICT_OWNED},
    {"{" CREATED ",'owner':'blog/imported'}", true, VERDICT_OWNED},
    {"{'owner':'blog/imported'}", true, VERDICT_OWNED},
    {"{" CREATED ",'inhabitant':'blog/pr'}", true, VERDICT_OWNED},
    {"{" BRANCHED ",'inhabitant':'blog/pr'}", false, VERDICT_ORPHAN},
    {"{" BRANCHED ",'inhabitant':'blog/pr'}", true, VERDICT_ORPHAN},
    // its environment changes
    {"{" CREATED ",'state':'creating'}", true, VERDICT_IN_FLIGHT},
    {"{" BRANCHED ",'state':'deleting'}", false, VERDICT_IN_FLIGHT},
    // ... or has failed, and is to be deleted or created
    {"{" CREATED ",'state':'failed'}", true, VERDICT_FAILED_ENVIRONMENT},
    {"{" BRANCHED ",'state':'failed','maker':'" TALK_ID "'}", false, VERDICT_FAILED_ENVIRONMENT},
    {"{" CREATED ",'state':'failed','owner':'shop/production'}", true, VERDICT_FAILED_ENVIRONMENT},
    // a second project of one command is a duplicate, a second branch isn't
    {"{" CREATED ",'state':'ready','maker':'" TALK_ID "'}", true, VERDICT_ORPHAN},
    {"{" BRANCHED ",'state':'ready','maker':'" TALK_ID "'}", false, VERDICT_DOUBTFUL},
    {"{" OPENED ",'state':'ready','maker':'" TALK_ID "'}", false, VERDICT_DOUBTFUL},
    {"{" OPENED ",'state':'ready','maker':'" TALK_OTHER_ID "'}", false, VERDICT_ORPHAN},
    // the very one that its command has made was deleted, and recovered at Neon
    {"{" CREATED ",'delivered':true,'state':'gone'}", true, VERDICT_DOUBTFUL},
    {"{" CREATED ",'delivered':true}", true, VERDICT_DOUBTFUL},
    {"{" BRANCHED ",'delivered':true,'state':'gone'}", false, VERDICT_DOUBTFUL},
    {"{" BRANCHED ",'delivered':true,'state':'ready','maker':'" TALK_OTHER_ID "'}", false,
     VERDICT_DOUBTFUL},
    {"{" OPENED ",'delivered':true,'state':'gone'}", false, VERDICT_DOUBTFUL},
    {"{" BRANCHED ",'delivered':false,'state':'gone'}", false, VERDICT_ORPHAN},
    {"{" CREATED ",'delivered':true,'owner':'shop/production'}", true, VERDICT_OWNED},
    {"{" BRANCHED ",'delivered':true,'state':'failed'}", false, VERDICT_FAILED_ENVIRONMENT},
    {"{" BRANCHED ",'delivered':true,'state':'deleting'}", false, VERDICT_IN_FLIGHT},
    // a mark with another environment than its command's
    {"{" ELSEWHERE ",'action':'BranchEnvironment'}", false, VERDICT_DOUBTFUL},
    {"{" ELSEWHERE ",'action':'CreateEnvironment'}", true, VERDICT_DOUBTFUL},
    {"{" ELSEWHERE ",'action':'BranchEnvironment','state':'failed'}", false, VERDICT_DOUBTFUL},
    {"{" ELSEWHERE ",'action':'CreateEnvironment','inhabitant':'blog/pr'}", true, VERDICT_OWNED},
    {"{'known':true,'settled':true,'action':'BranchEnvironment'}", false, VERDICT_IN_FLIGHT},
    // nothing that such a command makes
    {"{" CREATED "}", false, VERDICT_DOUBTFUL},
    {"{" DONE ",'action':'ImportEnvironment'}", false, VERDICT_DOUBTFUL},
};

static void each_rule_has_its_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < TALK_COUNT(CASES); i++) {
        json_t *judged CLEANUP(talk_free_json) = talk_json(CASES[i].judged);
        Verdict verdict = verdict_of(judged, TALK_ID, CASES[i].is_root);
        if (verdict != CASES[i].verdict) {
            fail_msg("%s is %d", CASES[i].judged, (int)verdict);
        }
    }
    assert_int_equal(verdict_of(NULL, TALK_ID, true), VERDICT_UNKNOWN_COMMAND);
}

static void a_project_is_the_root_that_a_creation_made(void **state)
{
    (void)state;
    json_t *created CLEANUP(talk_free_json) = talk_json("{" CREATED "}");
    json_t *branched CLEANUP(talk_free_json) = talk_json("{" BRANCHED "}");
    assert_true(verdict_is_project(created, true));
    assert_false(verdict_is_project(created, false));
    assert_false(verdict_is_project(branched, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_has_its_verdict),
        cmocka_unit_test(a_project_is_the_root_that_a_creation_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
