// SetPreviewBase, OpenPreview, ClosePreview.
#include "rules/rule.h"

#define BASE_FIELD "set_preview_base.environment"
#define NUMBER "open_preview.pull_request"
#define OPENED ENDS("EnvironmentBranched")
#define CLOSED ENDS("EnvironmentDeleted")
// The branch, and a new password of neondb_owner.
#define MADE 2

static const Rule RULES[] = {
    // ---- the base
    {"a base that isn't there", "live", BASE_OF("nowhere"),
     REJECTED("SOURCE_NOT_ON_NEON", BASE_FIELD), NULL, 0},
    {"another application's environment as base", "live", "@neighbour " BASE_OF("live"),
     REJECTED("SOURCE_NOT_ON_NEON", BASE_FIELD), NULL, 0},
    {"a base that failed", "failed", BASE_OF("try"), REJECTED("SOURCE_NOT_ON_NEON", BASE_FIELD),
     NULL, 0},
    {"a base that expires", "expiring", BASE_OF("short"), REJECTED("BASE_EXPIRES", BASE_FIELD),
     "one that stays", 0},
    {"a base", "live", BASE_OF("live"), ENDS("PreviewBaseSet"), "environment=live", 0},
    {"the same base again", "base", BASE_OF("live"), ENDS("PreviewBaseSet"), "environment=live", 0},
    {"an imported base", "imported", BASE_OF("live"), ENDS("PreviewBaseSet"), "environment=live",
     0},
    // ---- opening
    {"a preview without base", "live", OPEN_OF("7", ""), REJECTED("PREVIEW_BASE_UNSET", NUMBER),
     "SetPreviewBase", 0},
    {"a preview whose base is gone", "base-gone", OPEN_OF("7", ""),
     REJECTED("PREVIEW_BASE_GONE", NUMBER), "live", 0},
    {"a preview whose branch is gone, and whose base is of another account", "base-moved",
     OPEN_OF("7", ""), REJECTED("PREVIEW_BASE_MOVED", NULL), "second", 0},
    {"a preview of another repository", "open", OPEN_OF("7", ", 'repository': 'git.example/blog'"),
     REJECTED("PREVIEW_OF_OTHER_REPOSITORY", "open_preview.repository"), "git.example/shop", 0},
    {"a preview whose base failed", "base-failed", OPEN_OF("7", ""),
     REJECTED("SOURCE_NOT_ON_NEON", NUMBER), "try", 0},
    {"a preview whose base expires", "base-expiring", OPEN_OF("7", ""),
     REJECTED("SOURCE_EXPIRES", NUMBER), "try", 0},
    {"a preview whose base somebody deleted", "base-lost", OPEN_OF("7", ""),
     FAILED("SOURCE_NOT_FOUND", NULL), "<try.branch>", 1},
    {"a preview whose base is being deleted", "base-deleting", "@neighbour " OPEN_OF("7", ""),
     REJECTED("SOURCE_DELETING", NULL), "try", 0},
    {"a preview whose branch's name somebody's has", "preview-name-taken", OPEN_OF("7", ""),
     REJECTED("BRANCH_NAME_TAKEN", NUMBER), "rename or delete that branch", 0},
    {"what a preview that failed has left, and the key doesn't see", "preview-left-elsewhere",
     OPEN_OF("1", ""), FAILED("NOT_VISIBLE", NULL), "sees nothing there", 1},
    {"a preview with a child, anew", "open-with-child", OPEN_OF("7", ", 'reset': true"),
     REJECTED("HAS_DEPENDENTS", NULL), "by hand", 0},
    {"a preview", "base",
     OPEN_OF("7", ", 'repository': 'git.example/shop', 'gitRef': 'feature', 'gitSha': '0123abc'"),
     OPENED,
     "created=true; environment.environment=pr:7; environment.branchName=preview/pr-7; "
     "environment.sourceEnvironment=live; environment.expiresAt=",
     MADE},
    {"a preview for 30 days", "base", OPEN_OF("7", ", 'expiresIn': '2592000s'"), OPENED,
     "created=true", MADE},
    {"the same preview again", "open", OPEN_OF("7", ", 'repository': 'git.example/shop'"), OPENED,
     "created=false; environment.branchId=<pr:7.branch>", 0},
    {"the same preview with an earlier expiry", "open", OPEN_OF("7", ", 'expiresIn': '60s'"),
     OPENED, "created=false; environment.branchId=<pr:7.branch>", 0},
    {"the same preview, whose expiry was lifted at Neon", "expiry-lifted", OPEN_OF("7", ""), OPENED,
     "created=false; environment.expiresAt=", 0},
    {"the same preview with a later expiry", "open", OPEN_OF("7", ", 'expiresIn': '86400s'"),
     OPENED, "created=false; environment.branchId=<pr:7.branch>", 1},
    {"the same preview, anew", "open", OPEN_OF("7", ", 'reset': true"), OPENED,
     "created=false; environment.branchId=<pr:7.branch>", MADE},
    {"a preview whose branch is gone", "expired", OPEN_OF("7", ""), OPENED,
     "created=true; environment.branchName=preview/pr-7", MADE},
    {"a preview that was closed", "closed", OPEN_OF("7", ""), OPENED,
     "created=true; environment.branchName=preview/pr-7", MADE},
    // ---- closing
    {"to close a preview of another repository", "open",
     CLOSE_OF("7", ", 'repository': 'git.example/blog'"),
     REJECTED("PREVIEW_OF_OTHER_REPOSITORY", "close_preview.repository"), "git.example/shop", 0},
    {"to close a preview with a child", "open-with-child", CLOSE_OF("7", ""),
     REJECTED("HAS_DEPENDENTS", NULL), "by hand", 0},
    {"to close a preview that is protected", "preview-protected", CLOSE_OF("7", ""),
     REJECTED("BRANCH_PROTECTED", NULL), "lift that", 0},
    {"to close a preview that has become the default", "preview-default", CLOSE_OF("1", ""),
     REJECTED("BRANCH_DEFAULT", NULL), "another one", 0},
    {"to close a preview that the key doesn't see", "preview-of-other-maker", CLOSE_OF("1", ""),
     REJECTED("NOT_VISIBLE", NULL), "sees nothing there", 0},
    {"to close a preview that never was", "base", CLOSE_OF("7", ""), CLOSED, NULL, 0},
    {"to close a preview again", "closed", CLOSE_OF("7", ""), CLOSED, NULL, 0},
    {"to close a preview that has expired", "expired", CLOSE_OF("7", ""), CLOSED,
     "branchId=<pr:7.branch>", 0},
    {"to close a preview", "open", CLOSE_OF("7", ", 'repository': 'git.example/shop'"), CLOSED,
     "environment=pr:7; branchId=<pr:7.branch>", 1},
    {"to close a preview whose neighbour has a like number", "two-open", CLOSE_OF("1", ""), CLOSED,
     "environment=pr:1; branchId=<pr:1.branch>", 1},
};

RuleTable table_previews(void)
{
    return (RuleTable){RULES, sizeof(RULES) / sizeof(RULES[0])};
}
