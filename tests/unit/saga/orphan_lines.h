/*
 * What conversations with DeleteOrphan have in common.
 */
#ifndef SAGA_ORPHAN_LINES_H
#define SAGA_ORPHAN_LINES_H

#include "neon.h"

#define ORPHAN                                                                                     \
    "'deleteOrphan':{'environment':'production','account':'main','projectId':'p-1',"               \
    "'branchId':'br-2','commandId':'" TALK_OTHER_ID "'}"
#define DONE "'known':true,'finished':true,'settled':true,'about':true"
#define SAID(more) "confirmed {'marks':[{" DONE more "}]}"
#define BY_BRANCHING SAID(",'action':'BranchEnvironment'")
#define BY_CREATION SAID(",'action':'CreateEnvironment'")
#define WITH_MARK(branch, mark) "200 {'branch':" branch ",'annotation':{'value':{" mark "}}}"
#define MARK(installation, application, environment, command)                                      \
    "'provisioner.installation':'" installation "','provisioner.application':'" application "',"   \
    "'provisioner.environment':'" environment "','provisioner.command':'" command "'"
#define OURS_ALL MARK(TALK_INSTALLATION, "shop", "production", TALK_OTHER_ID)
#define A_BRANCH WITH_MARK(CHILD("br-2", "shop-production"), OURS_ALL)
#define A_ROOT WITH_MARK(ROOT("br-2"), OURS_ALL)
#define JUDGED(reply)                                                                              \
    {                                                                                              \
        "judge", reply,                                                                            \
            "account= |'environment':'production'|'command':'" TALK_OTHER_ID                       \
            "'|'project':'p-1'|'branch':'br-2'"                                                    \
    }
#define READ(reply)                                                                                \
    {                                                                                              \
        "read_branch", reply, "GET /projects/p-1/branches/br-2 "                                   \
    }
#define TO_BRANCHES                                                                                \
    JUDGED(BY_BRANCHING), READ(A_BRANCH), {"condemn", "ok", "lock=p-1"},                           \
    {                                                                                              \
        "judge_again", BY_BRANCHING                                                                \
    }
#define TO_PROJECT                                                                                 \
    JUDGED(BY_CREATION), READ(A_ROOT), {"condemn", "ok", "lock=p-1"},                              \
    {                                                                                              \
        "judge_again", BY_CREATION                                                                 \
    }
#define MAIN_AND(branch) BRANCHES(ROOT("br-1") "," branch, "")
#define FREE                                                                                       \
    {                                                                                              \
        "check_branches", MAIN_AND(CHILD("br-2", "b")), "GET /projects/p-1/branches?"              \
    }
#define LIVE "{'project_id':'p-9','branch_id':'br-9'}"
#define NOTHING_CHANGES "!'sequence'|!state{|!tombstone|row env= state=none seq=0"
#define REFUSED(code)                                                                              \
    {                                                                                              \
        "!end", "CommandRejected", "'code':'" code "'|" NOTHING_CHANGES                            \
    }

#endif
