/*
 * The commands of the stories, as command_send takes them.
 */
#ifndef E2E_CRASH_ACTIONS_H
#define E2E_CRASH_ACTIONS_H

#include "crash/scenarios.h"
#include "support/world.h"

#define CREATE_MEMBERS(more)                                                                       \
    "'createEnvironment': {'environment': 'live', 'account': 'main', 'regionId': '" WORLD_REGION   \
    "'" more "}"
#define CREATE CREATE_MEMBERS("")
#define SERVICES(more)                                                                             \
    "'services': [{'name': 'orders', 'databases': [{'database': 'main'}]}" more "]"
#define SETUP                                                                                      \
    "'setupRoles': {'environment': 'live', " SERVICES(                                             \
        ", {'name': 'api', 'databases': [{'database': 'main'}]}") "}"
#define ROTATE "'rotateCredentials': {'environment': 'live', 'all': true}"
#define BRANCH "'branchEnvironment': {'environment': 'try', 'sourceEnvironment': 'live'}"
#define DELETE_PROJECT "'deleteEnvironment': {'environment': 'live', 'deleteData': true}"
#define DELETE_BRANCH "'deleteEnvironment': {'environment': 'try', 'deleteData': true}"
#define RESET "'resetEnvironment': {'environment': 'try'}"
#define EDIT_PROJECT "'editProject': {'environment': 'live', 'historyRetentionSeconds': '604800'}"
#define EDIT_ENDPOINT                                                                              \
    "'editEndpoint': {'environment': 'live', 'updateMask': 'autoscalingLimitMaxCu', 'endpoint': "  \
    "{'autoscalingLimitMaxCu': 2}}"
#define IMPORT                                                                                     \
    "'importEnvironment': {'environment': 'live', 'branch': {'account': 'main', 'projectId': "     \
    "'%s', 'branch': 'bare'}, 'createEndpoint': true}"
#define DISCOVER "'discoverAccount': {'account': 'main', 'projectFilter': '%s-'}"
#define DISCONNECT "'disconnectAccount': {'account': 'main'}"
#define BASE "'setPreviewBase': {'environment': 'live'}"
#define OPEN(more) "'openPreview': {'pullRequest': 7" more "}"
#define CLOSE "'closePreview': {'pullRequest': 7}"

#define REVEAL                                                                                     \
    "'revealCredentials': {'environment': 'live', 'replyPublicKey': '" SCENARIOS_RECIPIENT_BASE64  \
    "'}"
#define CANCEL "'cancelCommand': {'commandId': '%s'}"

#endif
