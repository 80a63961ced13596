// SweepAccount, DeleteOrphan, and what ends only what has expired.
#include "rules/rule.h"

#define ORPHAN_OF(account, environment, branch, command)                                           \
    ORPHAN_IN("<live.project>", account, environment, branch, command)
#define LATE_PROJECT                                                                               \
    ORPHAN_IN("<late.project>", "main", "live", "<late.branch>", "<create.command>")
#define LEFT ORPHAN_OF("main", "try", "<left.branch>", "<branch.command>")
#define BRANCH "delete_orphan.branch_id"
#define COMMAND "delete_orphan.command_id"
#define IF_EXPIRED ", 'ifExpired': true"

static const Rule RULES[] = {
    // ---- sweeping
    {"what an account that isn't there has left", "nothing", SWEEP_OF("main", ""),
     REJECTED("ACCOUNT_UNKNOWN", "account"), NULL, 0},
    {"what an account has left, while it is young", "orphaned", SWEEP_OF("main", ""),
     ENDS("AccountSwept"),
     "projects=1; branches=2; marked=2; deleting=false; findings.0.branchId=<left.branch>; "
     "findings.0.verdict=SWEEP_VERDICT_IN_FLIGHT; findings.0.sentCommandId=; findings.1.branchId=",
     0},
    {"an account that has left nothing, with a word of deletion", "branch-with-child",
     SWEEP_OF("main", ", 'deleteOrphans': true"), ENDS("AccountSwept"),
     "projects=1; branches=3; marked=2; findings.0.branchId=", 0},
    {"an account whose branch a person has recovered, with a word of deletion", "recovered",
     SWEEP_OF("main", ", 'deleteOrphans': true"), ENDS("AccountSwept"),
     "findings.0.branchId=<try.branch>; findings.0.verdict=SWEEP_VERDICT_DOUBTFUL; "
     "findings.0.sentCommandId=; findings.1.branchId=",
     0},
    {"an account whose project a person has recovered, with a word of deletion",
     "recovered-project", SWEEP_OF("main", ", 'deleteOrphans': true"), ENDS("AccountSwept"),
     "findings.0.branchId=<live.branch>; findings.0.verdict=SWEEP_VERDICT_DOUBTFUL; "
     "findings.0.sentCommandId=; findings.1.branchId=",
     0},
    // ---- deleting what was left
    {"an orphan of an account that isn't there", "branched",
     ORPHAN_OF("other", "try", "<try.branch>", "<branch.command>"),
     REJECTED("ACCOUNT_UNKNOWN", "account"), NULL, 0},
    {"an orphan out of the key's scope", "key-elsewhere",
     ORPHAN_OF("main", "try", "<try.branch>", "<branch.command>"),
     REJECTED("KEY_SCOPE", "delete_orphan.project_id"), NULL, 0},
    {"an orphan whose command is no id", "branched",
     ORPHAN_OF("main", "try", "<try.branch>", "that one"), REJECTED("INVALID_VALUE", COMMAND), NULL,
     0},
    {"a branch that an environment is on", "branched",
     ORPHAN_OF("main", "try", "<try.branch>", "<branch.command>"),
     REJECTED("ORPHAN_IN_USE", BRANCH), "try", 0},
    {"a project that an environment is on", "live",
     ORPHAN_OF("main", "live", "<live.branch>", "<create.command>"),
     REJECTED("ORPHAN_IN_USE", BRANCH), "live", 0},
    {"a branch that an imported environment is on", "orphan-imported", LEFT,
     REJECTED("ORPHAN_IN_USE", BRANCH), "theirs", 0},
    {"a branch of a command that the ledger doesn't know", "orphaned",
     ORPHAN_OF("main", "try", "<left.branch>", "5f0e2d3c-4b5a-4697-8877-665544332211"),
     REJECTED("COMMAND_UNKNOWN", COMMAND), "person", 0},
    {"a branch of a command whose calls may still have an effect", "unsettled",
     ORPHAN_OF("main", "try", "<left.branch>", "<branch.command>"),
     REJECTED("ORPHAN_IN_FLIGHT", COMMAND), "later", 0},
    {"a second branch of a command, which a person has made", "doubled", LEFT,
     REJECTED("ORPHAN_DOUBTFUL", BRANCH), "person", 0},
    {"a branch that a person has recovered", "recovered",
     ORPHAN_OF("main", "try", "<try.branch>", "<branch.command>"),
     REJECTED("ORPHAN_DOUBTFUL", BRANCH), "recovered", 0},
    {"a project that a person has recovered", "recovered-project",
     ORPHAN_OF("main", "live", "<live.branch>", "<create.command>"),
     REJECTED("ORPHAN_DOUBTFUL", BRANCH), "recovered", 0},
    {"a branch whose mark names another environment than its command", "mark-changed",
     ORPHAN_OF("main", "elsewhere", "<left.branch>", "<branch.command>"),
     REJECTED("ORPHAN_DOUBTFUL", BRANCH), "person", 0},
    {"a branch that another environment is on", "orphaned",
     ORPHAN_OF("main", "try", "<live.branch>", "<branch.command>"),
     REJECTED("ORPHAN_IN_USE", BRANCH), NULL, 0},
    {"a foreign branch", "orphan-and-foreign",
     ORPHAN_OF("main", "try", "<foreign.branch>", "<branch.command>"), REJECTED("NOT_OURS", BRANCH),
     "mark", 0},
    {"an orphan with a child", "orphan-with-child", LEFT, REJECTED("HAS_DEPENDENTS", NULL),
     "by hand", 0},
    {"an orphan that is protected", "orphan-protected", LEFT, REJECTED("BRANCH_PROTECTED", NULL),
     NULL, 0},
    {"an orphan that has become the default", "orphan-default", LEFT,
     REJECTED("BRANCH_DEFAULT", NULL), NULL, 0},
    {"an orphan", "orphaned", LEFT, ENDS("OrphanDeleted"),
     "branchId=<left.branch>; deleted=true; projectDeleted=false", 1},
    {"an orphan that is gone", "orphan-gone", LEFT, ENDS("OrphanDeleted"), "deleted=false", 0},
    {"an orphan that the key may not see", "orphan-project-out-of-sight", LATE_PROJECT,
     REJECTED("NOT_VISIBLE", NULL), "key", 0},
    {"a project with a key that is kept to it", "orphan-project-of-key", LATE_PROJECT,
     REJECTED("KEY_SCOPE", "delete_orphan.project_id"), "connect the account with", 0},
    {"a project that nobody is on", "orphan-project", LATE_PROJECT, ENDS("OrphanDeleted"),
     "deleted=true; projectDeleted=true", 1},
    // ---- what has expired
    {"a preview that hasn't expired, if it has", "open", CLOSE_OF("7", IF_EXPIRED),
     REJECTED("NOT_EXPIRED", "close_preview.if_expired"), "pr:7", 0},
    {"a preview whose expiry was lifted at Neon, if it has", "expiry-lifted",
     CLOSE_OF("7", IF_EXPIRED), REJECTED("NOT_EXPIRED", "close_preview.if_expired"), "at Neon", 0},
    {"an account with a preview whose expiry was lifted at Neon", "expiry-lifted",
     SWEEP_OF("main", ", 'deleteOrphans': true"), ENDS("AccountSwept"),
     "deleting=true; findings.0.branchId=", 0},
    {"a preview that never expires, if it has", "two-open", CLOSE_OF("1", IF_EXPIRED),
     REJECTED("NOT_EXPIRED", "close_preview.if_expired"), "pr:1", 0},
    {"a preview that isn't there, if it has expired", "base", CLOSE_OF("7", IF_EXPIRED),
     ENDS("EnvironmentDeleted"), NULL, 0},
    {"an account with a preview that has expired", "expired-preview", SWEEP_OF("main", ""),
     ENDS("AccountSwept"),
     "findings.0.branchId=<pr:7.branch>; findings.0.verdict=SWEEP_VERDICT_EXPIRED", 0},
    {"a preview that has expired", "expired-preview", CLOSE_OF("7", IF_EXPIRED),
     ENDS("EnvironmentDeleted"), "environment=pr:7; branchId=<pr:7.branch>", 0},
    {"an environment that has expired", "expired-branch", DELETE_OF("short", IF_EXPIRED),
     ENDS("EnvironmentDeleted"), "environment=short; branchId=<short.branch>", 0},
    {"an environment that hasn't expired, if it has", "expiring", DELETE_OF("short", IF_EXPIRED),
     REJECTED("NOT_EXPIRED", "delete_environment.if_expired"), "short", 0},
    {"an environment that never expires, if it has", "branched", DELETE_OF("try", IF_EXPIRED),
     REJECTED("NOT_EXPIRED", "delete_environment.if_expired"), NULL, 0},
};

RuleTable table_sweeps(void)
{
    return (RuleTable){RULES, sizeof(RULES) / sizeof(RULES[0])};
}
