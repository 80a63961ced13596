/*
 * EditProject and EditEndpoint: read first, change only what differs, tell before and after.
 */
#include "neon.h"

#include <string.h>

#define EDIT_PROJECT(more) "'editProject':{'environment':'production'," more "}"
#define WEEK EDIT_PROJECT("'historyRetentionSeconds':'604800'")
#define REFRESH EDIT_PROJECT("'refresh':true")
#define EDIT_ENDPOINT(mask, more)                                                                  \
    "'editEndpoint':{'environment':'production','updateMask':'" mask "','endpoint':{" more "}}"
#define MAX_2 EDIT_ENDPOINT("autoscalingLimitMaxCu", "'autoscalingLimitMaxCu':2")

#define ROW(more)                                                                                  \
    "{'state':'ready','account':'main','project_id':'p-1','branch_id':'br-1',"                     \
    "'endpoint_id':'ep-1','details':{'branch_name':'main'" more "}}"
#define DAY ROW(",'history_retention_seconds':86400")
#define SIZED ROW(",'min_cu':0.25,'max_cu':1.0,'suspend_timeout_seconds':0")

#define PROJECT_WITH(seconds)                                                                      \
    "{'id':'p-1','name':'shop','region_id':'aws-eu-central-1','pg_version':17,"                    \
    "'history_retention_seconds':" seconds AT("9") "}"
#define READ_PROJECT(seconds) "200 {'project':" PROJECT_WITH(seconds) "}"
#define UPDATED_PROJECT(seconds)                                                                   \
    "200 {'project':" PROJECT_WITH(seconds) ",'operations':[{'id':'op-1'}]}"
#define ENDPOINT_WITH(type, min, max, suspend)                                                     \
    "{'id':'ep-1','branch_id':'br-1','host':'ep-1.eu.aws.neon.tech','type':'" type "',"            \
    "'current_state':'active','autoscaling_limit_min_cu':" min ",'autoscaling_limit_max_cu':" max  \
    ",'suspend_timeout_seconds':" suspend "}"
#define READ_ENDPOINT(min, max, suspend)                                                           \
    "200 {'endpoint':" ENDPOINT_WITH("read_write", min, max, suspend) "}"
#define UPDATED_ENDPOINT(min, max, suspend)                                                        \
    "200 {'endpoint':" ENDPOINT_WITH("read_write", min, max, suspend) ",'operations':[{'id':"      \
                                                                      "'op-1'}]}"
#define ALONE                                                                                      \
    {                                                                                              \
        "find_siblings", "0", "lock=p-1"                                                           \
    }

#define NOBODY_LATE                                                                                \
    {                                                                                              \
        "find_late_siblings", "0"                                                                  \
    }

static void set_origin(Stage *stage, const char *origin)
{
    assert_true(text_copy(stage->claimed.environment.origin,
                          sizeof stage->claimed.environment.origin, origin));
}

static void imported(Stage *stage)
{
    set_origin(stage, "imported");
}

static void branched(Stage *stage)
{
    set_origin(stage, "branched");
}

static void created(Stage *stage)
{
    set_origin(stage, "created");
}

static void without_account(Stage *stage)
{
    created(stage);
    stage->claimed.account.found = false;
}

static void scoped_elsewhere(Stage *stage)
{
    created(stage);
    TALK_SET(stage->claimed.account.key_kind, NULL, "", "project");
    TALK_SET(stage->claimed.account.project_id, NULL, "", "p-9");
}

static const Talk PROJECTS_EDITED[] = {
    {"a longer history is asked for, waited for, and told with the one before",
     WEEK,
     DAY,
     created,
     {ALONE,
      {"read_settings", READ_PROJECT("86400"), "GET /projects/p-1"},
      {"update_project", UPDATED_PROJECT("604800"),
       "PATCH /projects/p-1 |'history_retention_seconds':604800|lock=p-1"},
      {"await_operations", OPERATION("finished")},
      NOBODY_LATE,
      {"!end", "ProjectEdited",
       "'changed':true|'historyRetentionSecondsBefore':'86400'|"
       "'historyRetentionSecondsAfter':'604800'|'sequence':'5'|"
       "state{|'historyRetentionSeconds':'604800'|state=ready"}}},
    {"what is so already isn't asked for",
     WEEK,
     ROW(",'history_retention_seconds':604800"),
     created,
     {ALONE,
      {"read_settings", READ_PROJECT("604800")},
      {"!end", "ProjectEdited",
       "'historyRetentionSecondsAfter':'604800'|!'changed'|!'sequence'|!state{"}}},
    {"what somebody else has changed before is brought into the state, and nothing asked for",
     WEEK,
     DAY,
     created,
     {ALONE,
      {"read_settings", READ_PROJECT("604800")},
      {"!end", "ProjectEdited", "'sequence':'5'|state{|!'changed'"}}},
    {"siblings of all applications are named, and told by commands of their own",
     WEEK,
     DAY,
     created,
     {{"find_siblings",
       "3 [{'environment':'pr'},{'application':'other','environment':'x','origin':'imported'},"
       "{'environment':'gone-soon','state':'deleting'}]"},
      {"read_settings", READ_PROJECT("86400")},
      {"update_project", UPDATED_PROJECT("604800")},
      {"await_operations", OPERATION("finished")},
      {"find_late_siblings",
       "2 [{'environment':'pr'},{'application':'other','environment':'x','origin':'imported'}]",
       "lock=p-1"},
      {"!end", "ProjectEdited",
       "'siblingEnvironments':['pr','other/x']|!'siblingsOmitted'|"
       "command{'applicationId':'other'|'editProject':{'environment':'x','refresh':true}|"
       "command{'applicationId':'shop'|'editProject':{'environment':'pr','refresh':true}"}}},
    {"more than can be told are counted",
     WEEK,
     DAY,
     created,
     {{"find_siblings", "256 [{'environment':'pr'}]"},
      {"read_settings", READ_PROJECT("86400")},
      {"update_project", UPDATED_PROJECT("604800")},
      {"await_operations", OPERATION("finished")},
      {"find_late_siblings", "300 [{'environment':'pr'}]"},
      {"!end", "ProjectEdited", "'siblingEnvironments':['pr']|'siblingsOmitted':44|command{"}}},
    {"one that is being made when the project is changed is told, too",
     WEEK,
     DAY,
     created,
     {ALONE,
      {"read_settings", READ_PROJECT("86400")},
      {"update_project", UPDATED_PROJECT("604800")},
      {"await_operations", OPERATION("finished")},
      {"find_late_siblings", "2 [{'environment':'soon','state':'creating'},"
                             "{'environment':'gone-soon','state':'deleting'}]"},
      {"!end", "ProjectEdited",
       "'siblingEnvironments':['soon']|"
       "command{'applicationId':'shop'|'editProject':{'environment':'soon','refresh':true}"}}},
    {"a branch of a project of ours may be named",
     WEEK,
     DAY,
     branched,
     {{"find_siblings", "1 [{'environment':'main','origin':'created'}]"},
      {"read_settings", READ_PROJECT("604800")},
      {"!end", "ProjectEdited", "'siblingEnvironments':['main']|!command{"}}},
    {"a project of others is left alone",
     WEEK,
     DAY,
     branched,
     {{"find_siblings", "1 [{'environment':'pr'}]"},
      {"!end", "CommandRejected", "'code':'PROJECT_NOT_OURS'|'field':'edit_project.environment'"}}},
    {"a key that is kept to another project",
     WEEK,
     DAY,
     scoped_elsewhere,
     {{"!end", "CommandRejected", "'code':'KEY_SCOPE'|'field':'edit_project.environment'|p-9"}}},
    {"an imported environment is only looked at",
     WEEK,
     DAY,
     imported,
     {{"!end", "CommandRejected", "'code':'IMPORTED_READ_ONLY'"}}},
    {"a refresh reads and changes nothing, of an imported one, too",
     REFRESH,
     DAY,
     imported,
     {{"read_settings", READ_PROJECT("3600")},
      {"!end", "ProjectEdited",
       "'historyRetentionSecondsBefore':'3600'|'sequence':'5'|state{|!command{"}}},
    {"an unknown environment",
     WEEK,
     "{'state':'gone'}",
     created,
     {{"!end", "CommandRejected", "'code':'ENVIRONMENT_UNKNOWN'"}}},
    {"one that isn't ready",
     WEEK,
     "{'state':'failed'}",
     created,
     {{"!end", "CommandRejected", "'code':'ENVIRONMENT_NOT_READY'"}}},
    {"its account was disconnected",
     WEEK,
     DAY,
     without_account,
     {{"!end", "CommandRejected", "'code':'ACCOUNT_UNKNOWN'"}}},
    {"a lost reply: after it has settled the project is read again, and was changed",
     WEEK,
     DAY,
     created,
     {ALONE,
      {"read_settings", READ_PROJECT("86400")},
      {"update_project", "lost"},
      {"read_settings", READ_PROJECT("604800"), NULL, TALK_SETTLE_MS - TALK_EFFECT_MS},
      NOBODY_LATE,
      {"!end", "ProjectEdited",
       "'changed':true|'historyRetentionSecondsBefore':'86400'|'sequence':'5'"}}},
    {"... and wasn't: it is asked for again",
     WEEK,
     DAY,
     created,
     {ALONE,
      {"read_settings", READ_PROJECT("86400")},
      {"update_project", UNREADABLE},
      {"read_settings", READ_PROJECT("86400"), NULL, TALK_SETTLE_MS - TALK_EFFECT_MS},
      {"update_project", UPDATED_PROJECT("604800")},
      {"await_operations", OPERATION("finished")},
      NOBODY_LATE,
      {"!end", "ProjectEdited", "'changed':true"}}},
    {"what the plan doesn't allow fails with Neon's own words",
     WEEK,
     DAY,
     created,
     {ALONE,
      {"read_settings", READ_PROJECT("86400")},
      {"update_project",
       ERROR("400", "", "requested history retention seconds exceeds allowed maximum")},
      {"!save"},
      {"!end", "CommandFailed",
       "'code':'NEON_REFUSED'|exceeds allowed maximum|'neonStatus':400|the settings: the old ones "
       "hold|state=ready"}}},
    {"a lost reply, and no reading behind it: nobody knows what holds",
     WEEK,
     DAY,
     created,
     {ALONE,
      {"read_settings", READ_PROJECT("86400")},
      {"update_project", "lost"},
      {"read_settings", DENIED, NULL, TALK_SETTLE_MS - TALK_EFFECT_MS},
      {"!save"},
      {"!end", "CommandFailed",
       "'code':'NEON_DENIED'|the settings: the old or the new ones hold; send the edit again|"
       "state=ready"}}},
    {"... unless it was read again",
     WEEK,
     DAY,
     created,
     {ALONE,
      {"read_settings", READ_PROJECT("86400")},
      {"update_project", "lost"},
      {"read_settings", READ_PROJECT("86400"), NULL, TALK_SETTLE_MS - TALK_EFFECT_MS},
      {"update_project", DENIED},
      {"!save"},
      {"!end", "CommandFailed", "'code':'NEON_DENIED'|the settings: the old ones hold"}}},
    {"a stop after the change comes too late",
     WEEK,
     DAY,
     created,
     {ALONE,
      {"read_settings", READ_PROJECT("86400")},
      {"update_project", UPDATED_PROJECT("604800")},
      {"!stop", "cancelled"},
      {"await_operations", OPERATION("finished")},
      NOBODY_LATE,
      {"!end", "ProjectEdited", "'changed':true"}}},
    {"an operation that fails tells that the change was taken",
     WEEK,
     DAY,
     created,
     {ALONE,
      {"read_settings", READ_PROJECT("86400")},
      {"update_project", UPDATED_PROJECT("604800")},
      {"!fail", "CRASH_LOOP"},
      {"!save"},
      {"!end", "CommandFailed", "Neon has taken the new ones|state=ready|dead letter"}}},
    {"a reading that can't be read is waited for",
     WEEK,
     DAY,
     created,
     {ALONE,
      {"read_settings", UNREADABLE},
      {"read_settings", DENIED, NULL, 500},
      {"!end", "CommandRejected", "'code':'NEON_DENIED'"}}},
    {"a project without a retention gets one",
     WEEK,
     ROW(""),
     created,
     {ALONE,
      {"read_settings",
       "200 {'project':{'id':'p-1','name':'shop','region_id':'r','pg_version':17" AT("9") "}}"},
      {"update_project", UPDATED_PROJECT("604800")},
      {"await_operations", OPERATION("finished")},
      NOBODY_LATE,
      {"!end", "ProjectEdited", "'changed':true|!'historyRetentionSecondsBefore'"}}},
};

static const Talk ENDPOINTS_EDITED[] = {
    {"only what differs is sent",
     EDIT_ENDPOINT("autoscalingLimitMinCu,autoscalingLimitMaxCu,suspendTimeoutSeconds",
                   "'autoscalingLimitMinCu':0.25,'autoscalingLimitMaxCu':2,"
                   "'suspendTimeoutSeconds':'0'"),
     SIZED,
     created,
     {{"read_settings", READ_ENDPOINT("0.25", "1", "0"), "GET /projects/p-1/endpoints/ep-1"},
      {"update_endpoint", UPDATED_ENDPOINT("0.25", "2", "0"),
       "PATCH /projects/p-1/endpoints/ep-1 {'endpoint':{'autoscaling_limit_max_cu':2}}|lock=p-1"},
      {"await_operations", OPERATION("finished")},
      {"!end", "EndpointEdited",
       "'before':{'autoscalingLimitMaxCu':1|'after':{'autoscalingLimitMaxCu':2|'changed':true|"
       "'sequence':'5'|state{|state=ready"}}},
    {"no difference, no call",
     MAX_2,
     ROW(",'min_cu':0.25,'max_cu':2.0,'suspend_timeout_seconds':0"),
     branched,
     {{"read_settings", READ_ENDPOINT("0.25", "2", "0")},
      {"!end", "EndpointEdited", "!'changed'|!'sequence'|!state{"}}},
    {"the least and the longest alone",
     EDIT_ENDPOINT("autoscalingLimitMinCu,suspendTimeoutSeconds",
                   "'autoscalingLimitMinCu':1,'suspendTimeoutSeconds':'-1'"),
     SIZED,
     branched,
     {{"read_settings", READ_ENDPOINT("0.25", "1", "0")},
      {"update_endpoint", UPDATED_ENDPOINT("1", "1", "-1"),
       "'autoscaling_limit_min_cu':1|'suspend_timeout_seconds':-1"},
      {"await_operations", OPERATION("finished")},
      {"!end", "EndpointEdited", "'changed':true"}}},
    {"limits that cross the ones that stay",
     MAX_2,
     SIZED,
     created,
     {{"read_settings", READ_ENDPOINT("4", "8", "0")},
      {"!end", "CommandRejected",
       "'code':'INVALID_VALUE'|'field':'edit_endpoint.endpoint.autoscaling_limit_max_cu'|from 4 to "
       "2 compute units"}}},
    {"... the other way round",
     EDIT_ENDPOINT("autoscalingLimitMinCu", "'autoscalingLimitMinCu':16"),
     SIZED,
     created,
     {{"read_settings", READ_ENDPOINT("4", "8", "0")},
      {"!end", "CommandRejected", "'field':'edit_endpoint.endpoint.autoscaling_limit_min_cu'"}}},
    {"an imported one is only looked at",
     MAX_2,
     SIZED,
     imported,
     {{"!end", "CommandRejected", "'code':'IMPORTED_READ_ONLY'"}}},
    {"one without an endpoint",
     MAX_2,
     "{'state':'ready','account':'main','project_id':'p-1','branch_id':'br-1'}",
     created,
     {{"!end", "CommandRejected", "'code':'ENVIRONMENT_NOT_READY'|has no endpoint"}}},
    {"an endpoint that became read-only",
     MAX_2,
     SIZED,
     created,
     {{"read_settings", "200 {'endpoint':" ENDPOINT_WITH("read_only", "1", "1", "0") "}"},
      {"!end", "CommandRejected", "'code':'ENDPOINT_READ_ONLY'"}}},
    {"a lost reply: read again, and it was changed",
     MAX_2,
     SIZED,
     created,
     {{"read_settings", READ_ENDPOINT("0.25", "1", "0")},
      {"update_endpoint", "lost"},
      {"read_settings", READ_ENDPOINT("0.25", "2", "0"), NULL, TALK_SETTLE_MS - TALK_EFFECT_MS},
      {"!end", "EndpointEdited", "'changed':true"}}},
    {"a reply that can't be read, and readings that can't",
     MAX_2,
     SIZED,
     created,
     {{"read_settings", UNREADABLE},
      {"read_settings", READ_ENDPOINT("0.25", "1", "0"), NULL, 500},
      {"update_endpoint", UNREADABLE},
      {"read_settings", READ_ENDPOINT("0.25", "1", "0"), NULL, TALK_SETTLE_MS - TALK_EFFECT_MS},
      {"update_endpoint", ERROR("422", "COMPUTE_LIMIT_EXCEEDED", "beyond the plan")},
      {"!save"},
      {"!end", "CommandFailed", "beyond the plan|state=ready"}}},
    {"a key that is refused",
     MAX_2,
     SIZED,
     created,
     {{"read_settings", DENIED}, {"!end", "CommandRejected", "'code':'NEON_DENIED'"}}},
};

int main(void)
{
    return talk_run("EditProject", PROJECTS_EDITED, TALK_COUNT(PROJECTS_EDITED)) +
           talk_run("EditEndpoint", ENDPOINTS_EDITED, TALK_COUNT(ENDPOINTS_EDITED));
}
