/*
 * What the tests of DeleteEnvironment share.
 */
#ifndef SAGA_DELETE_LINES_H
#define SAGA_DELETE_LINES_H

#include "neon.h"

#define DETAILS                                                                                    \
    "'details':{'project_name':'shop-production','branch_name':'b','neon_account_id':'neon-1'}"
#define CREATED_ROW "{'project_id':'p-1','branch_id':'br-1'," DETAILS "}"
#define BRANCHED_ROW "{'origin':'branched','project_id':'p-1','branch_id':'br-1'," DETAILS "}"
#define DELETE_EXPIRED "'deleteEnvironment':{'environment':'production','ifExpired':true}"
#define EXPIRES_IN_A_SECOND ",'expires_at':'2026-11-22T08:07:01Z'"
#define MARKED                                                                                     \
    {                                                                                              \
        "mark_deleting", "ok", "state=deleting|lock=p-1"                                           \
    }
#define ALONE                                                                                      \
    MARKED, {"find_dependents", "0"},                                                              \
    {                                                                                              \
        "check_branches", BRANCHES(ROOT("br-1"), "")                                               \
    }
#define CHILDLESS                                                                                  \
    MARKED,                                                                                        \
    {                                                                                              \
        "check_branches", BRANCHES(ROOT("br-0") "," CHILD("br-1", "b"), "")                        \
    }
#define JUDGED(project, branch, says)                                                              \
    {                                                                                              \
        "judge_leftover", "confirmed {'marks':[{" says "}]}",                                      \
            "account= |'environment':'production'|'command':'" TALK_OTHER_ID                       \
            "'|'project':'" project "'|'branch':'" branch "'"                                      \
    }
#define OF_FINISHED(project, branch) JUDGED(project, branch, "'known':true,'finished':true")
#define PROJECT_GONE                                                                               \
    {                                                                                              \
        "delete_project", "200 {'project':{}}", "DELETE /projects/p-1|lock=p-1"                    \
    }
// What is left of the time in which the first call may take place, once it was looked again and the
// second has ended.
#define STILL_LANDS (TALK_SETTLE_MS - 3 * TALK_EFFECT_MS)
#define GONE                                                                                       \
    "tombstone|'sequence':'5'|state=gone seq=5 account= project= branch= endpoint= details={}"

#endif
