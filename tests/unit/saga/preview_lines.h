/*
 * What conversations with OpenPreview and ClosePreview have in common.
 */
#ifndef SAGA_PREVIEW_LINES_H
#define SAGA_PREVIEW_LINES_H

#include "branch_lines.h"

#define OPEN(more) "'openPreview':{'pullRequest':7" more "}"
#define BRANCH_7(more) BRANCH_AS("br-1", "br-parent", "preview/pr-7", "9", more)
#define EXPIRING(at) BRANCH_7(",'expires_at':'" at "'")
#define MADE_7 "201 {'branch':" BRANCH_7("") ",'operations':[{'id':'op-1'}]}"
#define ROW_7(more)                                                                                \
    "{'state':'ready','origin':'branched','account':'main','project_id':'p-1','branch_id':'br-1'," \
    "'endpoint_id':'ep-1','action':'OpenPreview','details':{'branch_name':'preview/pr-7'" more     \
    "}}"
#define BEGIN                                                                                      \
    {"announce", "ok", "lock=p-1|account=main"}, {"check_source_stays", "0"}, PROJECT_READ,        \
        {"find_branch", NO_BRANCHES, "search=preview%2Fpr-7"}, PARENT_ROLES
#define AWAITED                                                                                    \
    {"await_operations", OPERATION("finished")},                                                   \
        {"await_branch", ONE_BRANCH(BRANCH_7("")), "/branches/br-1"},                              \
        {"await_endpoint", ENDPOINT("active")},                                                    \
    {                                                                                              \
        "find_databases", DATABASES                                                                \
    }

static inline void preview_set_source(Stage *stage, LedgerState state, const char *branch_id)
{
    LedgerEnvironment *source = &stage->claimed.source;
    source->state = state;
    assert_true(text_copy(source->branch_id, sizeof source->branch_id, branch_id));
}

static inline void preview_ready(Stage *stage)
{
    preview_set_source(stage, LEDGER_STATE_READY, "br-1");
}

static inline void preview_based(Stage *stage)
{
    LedgerEnvironment *base = &stage->claimed.source;
    preview_ready(stage);
    assert_true(text_copy(stage->claimed.preview_base, sizeof stage->claimed.preview_base, "main"));
    assert_true(text_copy(base->project_id, sizeof base->project_id, "p-1"));
    assert_true(text_copy(base->branch_id, sizeof base->branch_id, "br-parent"));
    assert_true(text_copy(base->account, sizeof base->account, "main"));
}

#endif
