/*
 * DeleteOrphan: which key can tell that an orphan is gone, by whose has seen it.
 */
#include "orphan_lines.h"

#define SEEN_BY(account, organization)                                                             \
    "'deleteOrphan':{'environment':'production','account':'main','projectId':'p-1',"               \
    "'branchId':'br-2','commandId':'" TALK_OTHER_ID "','neonAccountId':'" account                  \
    "','orgId':'" organization "'}"
#define IS_GONE                                                                                    \
    {                                                                                              \
        JUDGED(BY_BRANCHING), READ(NOT_FOUND), {"read_branch", NOT_FOUND, NULL, TALK_LAG_MS},      \
        {                                                                                          \
            "!end", "OrphanDeleted", "!'deleted'|" NOTHING_CHANGES                                 \
        }                                                                                          \
    }
#define CANNOT_TELL                                                                                \
    {                                                                                              \
        JUDGED(BY_BRANCHING), READ(NOT_FOUND), REFUSED("NOT_VISIBLE")                              \
    }

// The account's own key is of neon-1 and org-1.
static const Talk SEEN[] = {
    {"one that the sweep's own key doesn't see is gone", SEEN_BY("neon-1", "org-1"), NULL, NULL,
     IS_GONE},
    {"... and for one of the same organization, whatever the row says", SEEN_BY("neon-2", "org-1"),
     "{'details':{'neon_account_id':'neon-3'}}", NULL, IS_GONE},
    {"... and for one of the same Neon account where no organization is known",
     SEEN_BY("neon-1", ""), NULL, NULL, IS_GONE},
    {"a key of another organization than it was seen in can't tell", SEEN_BY("neon-1", "org-2"),
     NULL, NULL, CANNOT_TELL},
    {"... nor one of another Neon account, where no organization is known", SEEN_BY("neon-2", ""),
     NULL, NULL, CANNOT_TELL},
};

int main(void)
{
    return talk_run("DeleteOrphan, as it was seen", SEEN, TALK_COUNT(SEEN));
}
