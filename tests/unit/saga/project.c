/*
 * CreateEnvironment: what goes well, what is refused, stops and deadlines.
 */
#include "project_lines.h"

static void scoped_key(Stage *stage)
{
    assert_true(text_copy(stage->claimed.account.key_kind, sizeof stage->claimed.account.key_kind,
                          "project"));
}

static void no_account(Stage *stage)
{
    stage->claimed.account.found = false;
}

static void past_deadline(Stage *stage)
{
    stage->command->deadline_ms = stage->now.wall_ms + 60000;
}

static void too_old(Stage *stage)
{
    stage->command->timestamp_ms = stage->now.wall_ms - stage->rules.max_age_ms - 1;
}

static void signed_long_ago(Stage *stage)
{
    stage->command->timestamp_ms = stage->now.wall_ms;
    stage->command->signed_ms = stage->now.wall_ms - stage->rules.max_age_ms - 1;
}

static void signed_before_memory(Stage *stage)
{
    stage->command->timestamp_ms = stage->now.wall_ms;
    stage->command->signed_ms = stage->now.wall_ms - stage->rules.memory_ms;
}

static void signed_in_future(Stage *stage)
{
    stage->command->signed_ms = stage->now.wall_ms + 601000;
}

static const Talk TALKS[] = {
    {"a project is made, waited for and tried",
     CREATE,
     NULL,
     NULL,
     {START,
      {"create_project", CREATED,
       "POST /projects|'name':'shop-production'|'region_id':'aws-eu-central-1'|'org_id':'org-1'|"
       "'provisioner.command':'" TALK_ID "'|'database_name':'neondb'|'name':'main'"},
      TAIL,
      {"!end", "EnvironmentCreated",
       "'created':true|'sequence':'5'|state{|'projectId':'p-1'|'host':'ep-1.eu.aws.neon.tech'|"
       "'pooledHost':'ep-1-pooler.eu.aws.neon.tech'|'databases':['app','neondb']|'roles':['app_"
       "owner','encore_platform',|"
       "'status':'ENVIRONMENT_STATUS_READY'|'pgVersion':17|'autoscalingLimitMinCu':0.25|"
       "row env=production state=ready seq=5 account=main project=p-1 branch=br-1 endpoint=ep-1|"
       "'neon_account_id':'neon-1'|'org_id':'org-1'|!pw-1|!tombstone|!driftReported"}}},
    {"what was asked for goes into the request",
     "'createEnvironment':{'environment':'production','account':'main','regionId':'aws-eu-central-"
     "1',"
     "'projectName':'Shop','branchName':'trunk','pgVersion':16,'databases':['app'],"
     "'historyRetentionSeconds':'3600','endpoint':{'autoscalingLimitMinCu':0.5,"
     "'autoscalingLimitMaxCu':2,'suspendTimeoutSeconds':'60'}}",
     NULL,
     NULL,
     {{"check_region", REGIONS},
      {"find_project", NO_PROJECTS, "search=Shop"},
      {"create_project", CREATED,
       "'name':'Shop'|'name':'trunk'|'pg_version':16|'database_name':'app'|"
       "'history_retention_seconds':3600|'autoscaling_limit_min_cu':0.5|"
       "'autoscaling_limit_max_cu':2|'suspend_timeout_seconds':60"},
      {"await_operations", OPERATION("finished")},
      {"await_branch", ONE_BRANCH(ROOT("br-1"))},
      {"await_endpoint", ENDPOINT("active")},
      {"check_login", "ok"},
      ROLES_MADE,
      {"find_duplicates", NO_PROJECTS, "search=Shop"},
      {"!end", "EnvironmentCreated"}}},
    {"a region that Neon does not have is refused before anything is done",
     CREATE,
     NULL,
     NULL,
     {{"check_region", "200 {'regions':[{'region_id':'aws-us-east-1'}]}"},
      {"!end", "CommandRejected",
       "'code':'REGION_UNKNOWN'|'field':'create_environment.region_id'|!'sequence'|!tombstone|"
       "state=gone seq=0"}}},
    {"an unreadable or refused list of regions is no proof",
     CREATE,
     NULL,
     NULL,
     {{"check_region", UNREADABLE},
      {"check_region", DENIED, NULL, 500},
      {"!end", "CommandRejected", "'code':'NEON_DENIED'|supplied credentials"}}},
    {"a key that is kept to one project can not create another",
     CREATE,
     NULL,
     scoped_key,
     {{"!end", "CommandRejected", "'code':'KEY_SCOPE'"}}},
    {"an unknown account is refused",
     CREATE,
     NULL,
     no_account,
     {{"!end", "CommandRejected", "'code':'ACCOUNT_UNKNOWN'|'field':'account'"}}},
    {"the same settings again make nothing",
     CREATE,
     "{'same':1,'project_id':'p-9','branch_id':'br-9','endpoint_id':'ep-9','details':{"
     "'project_name':'shop-production','databases':['app'],'roles':['app_owner'],'host':'h'}}",
     no_account,
     {{"!end", "EnvironmentCreated",
       "'projectId':'p-9'|!'created':true|!'sequence'|!state{|row env= state=none seq=0"}}},
    {"an origin of another version is shown as none",
     CREATE,
     "{'same':1,'project_id':'p-9','origin':'adopted'}",
     NULL,
     {{"!end", "EnvironmentCreated", "'projectId':'p-9'|!'origin'"}}},
    {"other settings are refused",
     CREATE,
     "{'project_id':'p-9'}",
     NULL,
     {{"!end", "CommandRejected", "'code':'ENVIRONMENT_EXISTS'|(ready)|row env= state=none"}}},
    {"another command's deletion under way is left alone",
     CREATE,
     "{'state':'deleting','project_id':'p-9'}",
     NULL,
     {{"!end", "CommandRejected", "'code':'ENVIRONMENT_EXISTS'|row env= state=none"}}},
    {"a deadline that passed before the first intent",
     CREATE,
     NULL,
     past_deadline,
     {{"check_region", REGIONS},
      {"!later", "60001"},
      {"!end", "CommandRejected", "'code':'EXPIRED'|'field':'deadline'"}}},
    {"a deadline that passes later undoes",
     CREATE,
     NULL,
     past_deadline,
     {START,
      {"create_project", CREATED},
      {"!later", "60001"},
      {"!save", NULL, "DEADLINE_EXCEEDED"},
      UNDONE_TAIL("p-1"),
      {"!end", "CommandFailed", "'code':'DEADLINE_EXCEEDED'|'undone':['project p-1']|tombstone"}}},
    {"an old command does not start",
     CREATE,
     NULL,
     too_old,
     {{"!end", "CommandRejected", "'code':'EXPIRED'|commands.max_age"}}},
    {"a signed command's age counts from when it was asked for",
     CREATE,
     NULL,
     signed_long_ago,
     {{"!end", "CommandRejected", "'code':'EXPIRED'|commands.max_age"}}},
    {"one that the ledger may have forgotten is not executed",
     CREATE,
     NULL,
     signed_before_memory,
     {{"!end", "CommandRejected", "'code':'EXPIRED'|'field':'requested_at'|ledger.retention"}}},
    {"one of a clock that is ahead is not executed",
     CREATE,
     NULL,
     signed_in_future,
     {{"!end", "CommandRejected", "'code':'REQUESTED_IN_FUTURE'|'field':'requested_at'"}}},
    {"a stop before the first intent does nothing at all",
     CREATE,
     NULL,
     NULL,
     {{"check_region", REGIONS},
      {"!stop", "cancelled"},
      {"!end", "CommandCancelled",
       "'cancelledBy':'" TALK_OTHER_ID "'|!undone|!tombstone|state=gone seq=0"}}},
    {"superseded before the first intent",
     CREATE,
     NULL,
     NULL,
     {{"!stop", "superseded"}, {"!end", "CommandSuperseded", "'supersededBy'|seq=0"}}},
    {"a stop later undoes at the step's end",
     CREATE,
     NULL,
     NULL,
     {START,
      {"create_project", CREATED},
      {"!stop", "cancelled"},
      {"!save", NULL, "CANCELLED"},
      UNDONE_TAIL("p-1"),
      {"!end", "CommandCancelled",
       "'undone':['project p-1']|'sequence':'5'|tombstone|state=gone seq=5|details={}"}}},
    {"a stop at the very end still undoes",
     CREATE,
     NULL,
     NULL,
     {START,
      {"create_project", CREATED},
      TAIL,
      {"!stop", "superseded"},
      {"!save", NULL, "SUPERSEDED"},
      UNDONE_TAIL("p-1"),
      {"!end", "CommandSuperseded", "'undone':['project p-1']"}}},
    {"the direction is kept by who takes over",
     CREATE,
     NULL,
     NULL,
     {START,
      {"create_project", CREATED},
      {"!stop", "cancelled"},
      {"!save", NULL, "CANCELLED"},
      {"!takeover"},
      UNDONE_TAIL("p-1"),
      {"!end", "CommandCancelled", "'attempts':2|'undone':['project p-1']"}}},
};

int main(void)
{
    return talk_run("CreateEnvironment", TALKS, TALK_COUNT(TALKS));
}
