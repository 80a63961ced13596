/*
 * A rule of the contract as one row: what is there, which command comes, how it ends and how many
 * calls that change something Neon has got from it. Rows stand in table_*.c by topic.
 */
#ifndef E2E_RULES_RULE_H
#define E2E_RULES_RULE_H

#include <stddef.h>
#include <stdint.h>

enum { RULES_MAX = 600 };

typedef struct Rule {
    const char *what;    // the rule, as a sentence
    const char *state;   // see state.h
    const char *command; // members of a command; single quotes and <facts> as in fixture.h
    const char *event;   // type of the one outcome
    const char *code;    // of a refusal, else NULL
    const char *field;   // of a refusal; NULL: none
    // Of a refusal: part of its message. Else members of the event's body: "changed=false;
    // environment.origin=ORIGIN_CREATED", "changes.*.blocked=true" of one in a list. NULL: nothing
    // is looked at.
    const char *says;
    int calls; // other than GET, but for those that Neon answered 423
} Rule;

typedef struct RuleTable {
    const Rule *rules;
    size_t count;
} RuleTable;

// Values of event, code and field. Nothing was done; something had begun; it went well.
#define REJECTED(code, field) "CommandRejected", code, field
#define FAILED(code, field) "CommandFailed", code, field
#define ENDS(event) event, NULL, NULL

// The commands that many rows begin with.
#define MEMBERS(action, members) "'" action "': {" members "}"
#define CREATE_OF(environment, more)                                                               \
    MEMBERS("createEnvironment", "'environment': '" environment "', 'account': 'main', "           \
                                 "'regionId': 'aws-eu-central-1'" more)
#define BRANCH_OF(environment, source, more)                                                       \
    MEMBERS("branchEnvironment",                                                                   \
            "'environment': '" environment "', 'sourceEnvironment': '" source "'" more)
#define BRANCH_OFF(environment, account, project, branch)                                          \
    MEMBERS("branchEnvironment",                                                                   \
            "'environment': '" environment "', 'sourceBranch': {'account': '" account              \
            "', 'projectId': '" project "', 'branch': '" branch "'}")
#define IMPORT_OF(environment, account, project, branch, more)                                     \
    MEMBERS("importEnvironment",                                                                   \
            "'environment': '" environment "', 'branch': {'account': '" account                    \
            "', 'projectId': '" project "', 'branch': '" branch "'}" more)
#define CONNECT(account, key) MEMBERS("connectAccount", "'account': '" account "', " key)
#define SEALED(account, key) "'sealed': {'box': '<sealed " account " " key ">'}"
#define DELETE_OF(environment, more)                                                               \
    MEMBERS("deleteEnvironment", "'environment': '" environment "'" more)
#define RETENTION_OF(environment, seconds)                                                         \
    MEMBERS("editProject",                                                                         \
            "'environment': '" environment "', 'historyRetentionSeconds': '" seconds "'")
#define ENDPOINT_OF(environment, mask, settings)                                                   \
    MEMBERS("editEndpoint", "'environment': '" environment "', 'updateMask': '" mask               \
                            "', 'endpoint': {" settings "}")
#define RESET_OF(environment, more)                                                                \
    MEMBERS("resetEnvironment", "'environment': '" environment "'" more)
#define BASE_OF(environment) MEMBERS("setPreviewBase", "'environment': '" environment "'")
#define OPEN_OF(number, more) MEMBERS("openPreview", "'pullRequest': " number more)
#define CLOSE_OF(number, more) MEMBERS("closePreview", "'pullRequest': " number more)
#define CANCEL_OF(command) MEMBERS("cancelCommand", "'commandId': '" command "'")
#define SETUP_OF(environment, more) MEMBERS("setupRoles", "'environment': '" environment "'" more)
#define ROTATE_OF(environment, target)                                                             \
    MEMBERS("rotateCredentials", "'environment': '" environment "'" target)
#define REVEAL_OF(environment, more)                                                               \
    MEMBERS("revealCredentials",                                                                   \
            "'environment': '" environment "', 'replyPublicKey': '<recipient>'" more)
#define SWEEP_OF(account, more) MEMBERS("sweepAccount", "'account': '" account "'" more)
#define ORPHAN_IN(project, account, environment, branch, command)                                  \
    MEMBERS("deleteOrphan",                                                                        \
            "'environment': '" environment "', 'account': '" account "', 'projectId': '" project   \
            "', 'branchId': '" branch "', 'commandId': '" command "'")

RuleTable table_accounts(void);
RuleTable table_records(void);
RuleTable table_values(void);
RuleTable table_names(void);
RuleTable table_creations(void);
RuleTable table_branches(void);
RuleTable table_imports(void);
RuleTable table_edits(void);
RuleTable table_deletions(void);
RuleTable table_resets(void);
RuleTable table_previews(void);
RuleTable table_reveals(void);
RuleTable table_sweeps(void);
RuleTable table_lost(void);
RuleTable table_roles(void); // of branches that can be logged in to
RuleTable table_restored(void);

// All rows that need nothing but Neon's API; those that need PostgreSQL, or a world in which nobody
// sweeps. How many.
size_t rules_by_api(const Rule *ret_rules[RULES_MAX]);
size_t rules_by_sql(const Rule *ret_rules[RULES_MAX]);

#endif
