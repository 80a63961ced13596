/*
 * What ImportEnvironment refuses.
 */
#include "import_lines.h"

static void without_account(Stage *stage)
{
    stage->claimed.account.found = false;
}

static void without_patience(Stage *stage)
{
    stage->rules.max_wait_ms = 1000;
    stage->rules.operation_timeout_ms = 1000;
}

static void scoped_elsewhere(Stage *stage)
{
    TALK_SET(stage->claimed.account.key_kind, NULL, "", "project");
    TALK_SET(stage->claimed.account.project_id, NULL, "", "p-9");
}

#define IN_THE_MAKING                                                                              \
    BRANCHES(CHILD("br-1", "theirs"),                                                              \
             "'br-1':{'value':{'provisioner.installation':'" TALK_INSTALLATION                     \
             "','provisioner.application':'blog','provisioner.environment':'production',"          \
             "'provisioner.command':'" TALK_OTHER_ID "'}}")

static const Talk REFUSALS[] = {
    {"an unknown account",
     IMPORT,
     NULL,
     without_account,
     {{"!end", "CommandRejected", "'code':'ACCOUNT_UNKNOWN'"}}},
    {"a key that is kept to another project",
     IMPORT,
     NULL,
     scoped_elsewhere,
     {{"!end", "CommandRejected",
       "'code':'KEY_SCOPE'|'field':'import_environment.branch.project_id'|p-9"}}},
    {"an environment that is something else",
     IMPORT,
     ROW(""),
     NULL,
     {{"!end", "CommandRejected", "'code':'ENVIRONMENT_EXISTS'"}}},
    {"a branch that isn't there: part of a name is none",
     IMPORT,
     NULL,
     NULL,
     {{"find_branch", BRANCHES(CHILD("br-2", "theirs-too"), "")},
      {"!end", "CommandRejected",
       "'code':'BRANCH_NOT_FOUND'|'field':'import_environment.branch.branch'|state=gone"}}},
    {"a project that the key doesn't see",
     IMPORT,
     NULL,
     NULL,
     {{"find_branch", NOT_FOUND}, {"!end", "CommandRejected", "'code':'BRANCH_NOT_FOUND'"}}},
    {"a key that is refused",
     IMPORT,
     NULL,
     NULL,
     {{"find_branch", DENIED}, {"!end", "CommandRejected", "'code':'NEON_DENIED'"}}},
    {"a branch that another application has imported",
     IMPORT,
     NULL,
     NULL,
     {FOUND,
      ANNOUNCED,
      {"check_alone", "2 [{'application':'blog','environment':'y','branch_id':'br-2'},"
                      "{'application':'blog','environment':'x','branch_id':'br-1'}]"},
      {"!end", "CommandRejected",
       "'code':'ALREADY_IMPORTED'|environment x of application blog|state=gone"}}},
    {"what is being made is waited for, and is somebody's then",
     IMPORT,
     NULL,
     NULL,
     {{"find_branch", IN_THE_MAKING},
      {"await_maker", "{'marks':[{'known':true,'finished':false}]}",
       "names=[|'application':'blog'|'environment':'production'|'command':'" TALK_OTHER_ID
       "'|'project':'p-1'|'branch':'br-1'"},
      {"await_maker", "{'marks':[{'known':true,'finished':true}]}", NULL, 1000},
      ANNOUNCED,
      {"check_alone", "1 [{'application':'blog','environment':'production','branch_id':'br-1'}]"},
      {"!end", "CommandRejected", "'code':'ALREADY_IMPORTED'"}}},
    {"... but not for ever",
     IMPORT,
     NULL,
     without_patience,
     {{"find_branch", IN_THE_MAKING},
      {"await_maker", "none"},
      {"await_maker", "{'marks':[{'known':true,'finished':false}]}", NULL, 1000},
      {"!end", "CommandRejected",
       "'code':'ALREADY_IMPORTED'|still being made, as environment production of application "
       "blog|state=gone"}}},
    {"what a failed environment has left is not to be had",
     IMPORT,
     NULL,
     NULL,
     {{"find_branch", IN_THE_MAKING},
      {"await_maker", "{'marks':[{'known':true,'finished':true,'state':'failed'}]}"},
      {"!end", "CommandRejected",
       "'code':'ALREADY_IMPORTED'|environment production of application blog has failed|"
       "state=gone"}}},
    {"... unless that is said",
     SHARED,
     NULL,
     NULL,
     {{"find_branch", IN_THE_MAKING},
      {"await_maker", "{'marks':[{'known':true,'finished':true,'state':'failed'}]}"},
      ANNOUNCED,
      {"check_alone", "1 [{'environment':'x','branch_id':'br-1','state':'deleting','origin':"
                      "'branched'}]"},
      {"!end", "CommandRejected", "'code':'SOURCE_DELETING'"}}},
    {"a later command about its environment may take it away",
     IMPORT,
     NULL,
     without_patience,
     {{"find_branch", IN_THE_MAKING},
      {"await_maker", "{'marks':[{'known':true,'finished':true,'state':'creating'}]}"},
      {"await_maker", "{'marks':[{'known':true,'finished':true,'state':'creating'}]}", NULL, 1000},
      {"!end", "CommandRejected", "'code':'ALREADY_IMPORTED'"}}},
    {"... unless that is this one",
     IMPORT,
     NULL,
     NULL,
     {{"find_branch", BRANCHES(CHILD("br-1", "theirs"), EARLIER("br-1"))},
      {"await_maker", "{'marks':[{'known':true,'finished':true,'state':'creating'}]}"},
      ANNOUNCED,
      {"check_alone", "1 [{'environment':'x','branch_id':'br-1'}]"},
      {"!end", "CommandRejected", "'code':'ALREADY_IMPORTED'|environment x"}}},
    {"... and one that is being deleted takes it away",
     SHARED,
     NULL,
     NULL,
     {{"find_branch", IN_THE_MAKING},
      {"await_maker", "{'marks':[{'known':true,'finished':true,'state':'deleting'}]}"},
      {"!end", "CommandRejected",
       "'code':'SOURCE_DELETING'|environment production of application blog is being deleted"}}},
    {"... where its maker is unknown it is only a mark",
     IMPORT,
     NULL,
     NULL,
     {{"find_branch", IN_THE_MAKING},
      {"await_maker", "{'marks':[{'known':false,'finished':false}]}"},
      ANNOUNCED,
      {"check_alone", "1 [{'application':'blog','environment':'x','branch_id':'br-1'}]"},
      {"!end", "CommandRejected", "'code':'ALREADY_IMPORTED'"}}},
    {"of two at once the first by name waits, and has it where the other gives up",
     IMPORT,
     NULL,
     without_logins,
     {FOUND,
      ANNOUNCED,
      {"check_alone",
       "1 [{'application':'zoo','environment':'x','branch_id':'br-1','state':'creating'}]"},
      {"check_alone", "0", NULL, 1000},
      {"read_project", READ_PROJECT},
      {"await_branch", ONE_BRANCH(CHILD("br-1", "theirs"))},
      {"find_endpoint", NO_ENDPOINT},
      LISTED,
      {"!end", "EnvironmentImported", "state=ready"}}},
    {"... but not for ever",
     IMPORT,
     NULL,
     without_patience,
     {FOUND,
      ANNOUNCED,
      {"check_alone", "1 [{'environment':'z','branch_id':'br-1','state':'creating'}]"},
      {"check_alone", "1 [{'environment':'z','branch_id':'br-1','state':'creating'}]", NULL, 1000},
      {"!end", "CommandRejected", "'code':'ALREADY_IMPORTED'"}}},
    {"... and the second gives up",
     IMPORT,
     NULL,
     NULL,
     {FOUND,
      ANNOUNCED,
      {"check_alone", "1 [{'application':'blog','environment':'z','branch_id':'br-1','state':"
                      "'creating'}]"},
      {"!end", "CommandRejected", "'code':'ALREADY_IMPORTED'"}}},
    {"a branch whose project is being deleted",
     SHARED,
     NULL,
     NULL,
     {FOUND,
      ANNOUNCED,
      {"check_alone", "1 [{'environment':'x','origin':'created','state':'deleting'}]"},
      {"!end", "CommandRejected", "'code':'SOURCE_DELETING'"}}},
};

int main(void)
{
    return talk_run("imports refused", REFUSALS, TALK_COUNT(REFUSALS));
}
