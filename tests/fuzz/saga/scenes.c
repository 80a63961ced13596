#include "scenes.h"

#include "change.h"

#define LEFT_PROJECT "{\"left\":[{\"project_id\":\"p-1\"}]}"
#define LEFT_BRANCH "{\"left\":[{\"project_id\":\"p-0\",\"branch_id\":\"br-1\"}]}"
#define CREATE                                                                                     \
    "{\"createEnvironment\":{\"environment\":\"production\",\"account\":\"main\",\"regionId\":"    \
    "\"r\"}}"
#define BRANCH                                                                                     \
    "{\"branchEnvironment\":{\"environment\":\"production\",\"sourceBranch\":{\"account\":"        \
    "\"main\",\"projectId\":\"p-0\",\"branch\":\"main\"}}}"
#define DELETE "{\"deleteEnvironment\":{\"environment\":\"production\",\"deleteData\":true}}"

static const Scene SCENES[] = {
    {CREATE, false, LEDGER_STATE_CREATING, "created", "", "", "{}", 0},
    {BRANCH, true, LEDGER_STATE_CREATING, "branched", "", "", "{}", 0},
    {CREATE, false, LEDGER_STATE_CREATING, "created", "", "", LEFT_PROJECT, 1},
    {BRANCH, true, LEDGER_STATE_CREATING, "branched", "", "", LEFT_BRANCH, 1},
    {DELETE, false, LEDGER_STATE_READY, "created", "p-1", "br-1", "{}", 1},
    {DELETE, true, LEDGER_STATE_READY, "branched", "p-0", "br-1", "{}", 1},
    {DELETE, false, LEDGER_STATE_FAILED, "created", "p-1", "br-1", LEFT_PROJECT, 2},
    {DELETE, true, LEDGER_STATE_FAILED, "branched", "p-0", "br-1", LEFT_BRANCH, 2},
    {"{\"connectAccount\":{\"account\":\"production\",\"reference\":\"env:KEY\"}}", false,
     LEDGER_STATE_NONE, "", "", "", "{}", 0},
};

#define PREVIEW(left) "{\"branch_name\":\"preview/pr-7\"" left "}"
#define LEFT_PREVIEW PREVIEW(",\"left\":[{\"project_id\":\"p-0\",\"branch_id\":\"br-1\"}]")
#define OPEN(more) "{\"openPreview\":{\"pullRequest\":7,\"expiresIn\":\"86400s\"" more "}}"
#define CLOSE "{\"closePreview\":{\"pullRequest\":7}}"

static const Scene CHANGES[] = {
    {"{\"editProject\":{\"environment\":\"production\",\"historyRetentionSeconds\":"
     "\"" CHANGE_RETENTION "\"}}",
     false, LEDGER_STATE_READY, "created", "p-1", "br-1", "{}", 1},
    {"{\"editEndpoint\":{\"environment\":\"production\",\"updateMask\":\"autoscalingLimitMaxCu\","
     "\"endpoint\":{\"autoscalingLimitMaxCu\":" CHANGE_MAX_CU "}}}",
     false, LEDGER_STATE_READY, "created", "p-1", "br-1", "{}", 1},
    {OPEN(""), true, LEDGER_STATE_CREATING, "branched", "", "", "{}", 0},
    {OPEN(""), true, LEDGER_STATE_CREATING, "branched", "", "", LEFT_PREVIEW, 1},
    {OPEN(""), true, LEDGER_STATE_READY, "branched", "p-0", "br-1", PREVIEW(""), 1},
    {OPEN(",\"reset\":true"), true, LEDGER_STATE_READY, "branched", "p-0", "br-1", PREVIEW(""), 1},
    {OPEN(""), true, LEDGER_STATE_READY, "branched", "p-0", "br-1", PREVIEW(""), 0},
    {CLOSE, true, LEDGER_STATE_READY, "branched", "p-0", "br-1", PREVIEW(""), 1},
    {CLOSE, true, LEDGER_STATE_FAILED, "branched", "p-0", "br-1", LEFT_PREVIEW, 2},
    {"{\"resetEnvironment\":{\"environment\":\"production\"}}", true, LEDGER_STATE_READY,
     "branched", "p-0", "br-1", "{}", 1},
};

#define ORPHAN(project, branch)                                                                    \
    "{\"deleteOrphan\":{\"environment\":\"production\",\"account\":\"main\",\"projectId\":"        \
    "\"" project "\",\"branchId\":\"" branch "\",\"commandId\":\"" WORLD_EARLIER "\"}}"
#define SWEEP "{\"sweepAccount\":{\"account\":\"main\",\"deleteOrphans\":true}}"

// What changes no environment.
static const Scene OUTSIDE[] = {
    {ORPHAN("p-0", "br-1"), true, LEDGER_STATE_READY, "branched", "p-9", "br-9", "{}", 1},
    {ORPHAN("p-1", "br-1"), false, LEDGER_STATE_READY, "created", "p-9", "br-9", "{}", 1},
    {SWEEP, true, LEDGER_STATE_NONE, "", "", "", "{}", 1},
    {SWEEP, false, LEDGER_STATE_NONE, "", "", "", "{}", 2},
    {"{\"discoverAccount\":{\"account\":\"main\"}}", true, LEDGER_STATE_NONE, "", "", "", "{}", 1},
    {"{\"disconnectAccount\":{\"account\":\"main\"}}", false, LEDGER_STATE_NONE, "", "", "", "{}",
     0},
    {"{\"setPreviewBase\":{\"environment\":\"staging\"}}", false, LEDGER_STATE_NONE, "", "", "",
     "{}", 0},
};

#define IMPORT(more)                                                                               \
    "{\"importEnvironment\":{\"environment\":\"production\",\"branch\":{\"account\":\"main\","     \
    "\"projectId\":\"p-0\",\"branch\":\"main\"}" more "}}"

static const Scene IMPORTS[] = {
    {IMPORT(""), true, LEDGER_STATE_CREATING, "imported", "", "", "{}", 0},
    {IMPORT(",\"createEndpoint\":true"), true, LEDGER_STATE_CREATING, "imported", "", "", "{}", 0},
};

// Bytes of their own, so that older inputs play what they have always played.
enum {
    IMPORT_BYTES_FROM = 212,
    OUTSIDE_BYTES_FROM = 218,
    CHANGES_BYTES_FROM = 232,
    REVEAL_BYTES_FROM = 252
};

static const Scene REVEAL = {
    "{\"revealCredentials\":{\"environment\":\"production\","
    "\"replyPublicKey\":\"j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8=\"}}",
    false,
    LEDGER_STATE_READY,
    "created",
    "p-1",
    "br-1",
    "{}",
    1};

const Scene *scenes_choose(uint8_t byte)
{
    if (byte >= REVEAL_BYTES_FROM) {
        return &REVEAL;
    }
    if (byte >= IMPORT_BYTES_FROM && byte < OUTSIDE_BYTES_FROM) {
        return &IMPORTS[byte % (sizeof IMPORTS / sizeof IMPORTS[0])];
    }
    if (byte >= OUTSIDE_BYTES_FROM && byte < CHANGES_BYTES_FROM) {
        return &OUTSIDE[byte % (sizeof OUTSIDE / sizeof OUTSIDE[0])];
    }
    return byte >= CHANGES_BYTES_FROM ? &CHANGES[byte % (sizeof CHANGES / sizeof CHANGES[0])]
                                      : &SCENES[byte % (sizeof SCENES / sizeof SCENES[0])];
}
