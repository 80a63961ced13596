/*
 * BranchEnvironment: which roles get new passwords, while listings lag.
 */
#include "branch_lines.h"

#define TWO_ROLES ROLES(ROLE("app_owner") "," ROLE("jobs"))
#define NO_ROLES ROLES("")
#define BRANCHED_WITH(roles)                                                                       \
    "201 {'branch':" CHILD("br-1", "shop-production") ",'roles':[" roles "]}"
#define UNTIL_PARENT                                                                               \
    {"find_source", BRANCHES(ROOT("br-parent"), "")}, {"announce", "ok"},                          \
        {"check_source_stays", "0"}, PROJECT_READ,                                                 \
    {                                                                                              \
        "find_branch", NO_BRANCHES                                                                 \
    }
#define ROTATE(role)                                                                               \
    {"reveal_password", PASSWORD("old"), "/roles/" role "/"},                                      \
    {                                                                                              \
        "reset_password", "200 {'role':{}}", "/roles/" role "/"                                    \
    }

// The key-encryption key is another one for every owner.
static void other_key(Stage *stage)
{
    stage->rules.digest_key[0] = (uint8_t)stage->epoch;
}

static const Talk TALKS[] = {
    {"a list that lags is read again until it names all that the parent has",
     BRANCH,
     NULL,
     NULL,
     {UNTIL_PARENT,
      {"list_parent_roles", TWO_ROLES},
      CREATED_AND_READY,
      {"list_roles", NO_ROLES},
      {"list_roles", ROLES(ROLE("jobs")), NULL, 1000},
      {"list_roles", TWO_ROLES, NULL, 1000},
      ROTATE("app_owner"),
      ROTATE("jobs"),
      LAST}},
    {"... and all that the creation's reply names",
     BRANCH,
     NULL,
     NULL,
     {START,
      {"create_branch",
       BRANCHED_WITH(ROLE("app_owner") ",{'name':'web','protected':true}," ROLE("jobs"))},
      READY,
      {"list_roles", ROLES(ROLE("app_owner"))},
      {"list_roles", TWO_ROLES, NULL, 1000},
      ROTATE("app_owner"),
      ROTATE("jobs"),
      LAST}},
    {"an adopted branch is as young as its adoption",
     BRANCH,
     NULL,
     NULL,
     {START,
      {"create_branch", "lost"},
      {"!later", "60000"},
      {"find_branch", OUR_BRANCH, NULL, -1},
      READY,
      {"list_roles", NO_ROLES},
      {"!takeover"},
      {"find_branch", OUR_BRANCH},
      READY,
      {"list_roles", NO_ROLES},
      {"list_roles", ROLES(ROLE("app_owner")), NULL, 1000},
      ROTATE("app_owner"),
      LAST}},
    {"what is listed when no listing can lag any more counts: a role may be dropped",
     BRANCH,
     NULL,
     NULL,
     {UNTIL_PARENT,
      {"list_parent_roles", TWO_ROLES},
      CREATED_AND_READY,
      {"list_roles", ROLES(ROLE("jobs"))},
      {"!later", "30000"},
      {"list_roles", ROLES(ROLE("jobs")), NULL, -1},
      ROTATE("jobs"),
      LAST}},
    {"... unless it is none of them",
     BRANCH,
     NULL,
     NULL,
     {START,
      CREATED_AND_READY,
      {"list_roles", NO_ROLES},
      {"!later", "30000"},
      {"list_roles", NO_ROLES, NULL, -1},
      {"!save", NULL, "ROLES_MISSING"},
      UNDONE,
      {"!end", "CommandFailed", "'code':'ROLES_MISSING'|'step':'list_roles'|none of the 1 roles"}}},
    {"a parent without roles: its list may have lagged as well",
     BRANCH,
     NULL,
     NULL,
     {UNTIL_PARENT,
      {"list_parent_roles", NO_ROLES},
      CREATED_AND_READY,
      {"list_roles", NO_ROLES},
      {"list_roles", ROLES(ROLE("jobs")), NULL, 1000},
      {"!later", "30000"},
      {"list_roles", NO_ROLES, NULL, -1},
      LAST}},
    {"the parent's roles: what can go wrong",
     BRANCH,
     NULL,
     NULL,
     {UNTIL_PARENT,
      {"list_parent_roles", UNREADABLE},
      {"list_parent_roles", AWAY, NULL, 500},
      {"list_parent_roles", NOT_FOUND, NULL, 1000},
      {"create_branch", NOT_FOUND},
      {"!save", NULL, "SOURCE_NOT_FOUND"},
      {"undo_find_branch", NO_BRANCHES},
      {"!end", "CommandFailed", "'code':'SOURCE_NOT_FOUND'"}}},
    {"another worker's wall clock makes nothing older",
     BRANCH,
     NULL,
     NULL,
     {START,
      {"create_branch", BRANCHED},
      {"!skew", "3600000"},
      {"!takeover"},
      {"await_operations", NOT_FOUND, NULL, -1},
      {"await_operations", OPERATION("finished"), NULL, 1000},
      {"await_branch", NOT_FOUND},
      {"await_branch", ONE_BRANCH(CHILD("br-1", "shop-production")), NULL, 1000},
      {"!skew", "-7200000"},
      {"!later", "30000"},
      {"await_endpoint", NOT_FOUND},
      {"!save", NULL, "NEON_NOT_FOUND"},
      UNDONE,
      {"!end", "CommandFailed"}}},
    {"a digest under another key is nothing to compare with",
     BRANCH,
     NULL,
     other_key,
     {START,
      CREATED_AND_READY,
      {"list_roles", ROLES(ROLE("app_owner"))},
      {"reveal_password", PASSWORD("old")},
      {"reset_password", "lost"},
      {"!takeover"},
      {"reveal_password", PASSWORD("old"), NULL, -1},
      {"reset_password", "200 {'role':{}}"},
      LAST}},
};

int main(void)
{
    return talk_run("BranchEnvironment, roles", TALKS, TALK_COUNT(TALKS));
}
