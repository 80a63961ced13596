/*
 * RevealCredentials.
 */
#include "neon.h"

#include <string.h>

#define REVEAL(more)                                                                               \
    "'revealCredentials':{'environment':'production','replyPublicKey':'" TALK_REPLY_KEY "'" more "}"
#define READY                                                                                      \
    "{'state':'ready','account':'main','project_id':'p-1','branch_id':'br-1',"                     \
    "'endpoint_id':'ep-1'}"
#define DATABASES_FOUND                                                                            \
    {                                                                                              \
        "find_databases", DATABASES, "GET /projects/p-1/branches/br-1/databases|lock= "            \
    }
#define ROLE_FOUND                                                                                 \
    {                                                                                              \
        "find_role", ROLES(ROLE("jobs_owner") "," ROLE("app_owner")),                              \
            "GET /projects/p-1/branches/br-1/roles"                                                \
    }
#define UP_TO_PASSWORD                                                                             \
    DATABASES_FOUND, ROLE_FOUND,                                                                   \
    {                                                                                              \
        "reveal_password", PASSWORD("p/1"),                                                        \
            "GET /projects/p-1/branches/br-1/roles/app_owner/reveal_password"                      \
    }
#define URIS                                                                                       \
    {"find_uri", CONNECTION_URI("ep-1"),                                                           \
     "GET /projects/p-1/connection_uri?branch_id=br-1&endpoint_id=ep-1&database_name=app&"         \
     "role_name=app_owner&pooled=false"},                                                          \
    {                                                                                              \
        "find_pooled_uri", CONNECTION_URI("ep-1-pooler"), "pooled=true"                            \
    }

#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define TWO_LONG_ROLES ROLE(X50) "," ROLE(X50)
#define SIX_LONG_ROLES TWO_LONG_ROLES "," TWO_LONG_ROLES "," TWO_LONG_ROLES

static void unknown_account(Stage *stage)
{
    stage->claimed.account.found = false;
}

static void nobody_is_listed(Stage *stage)
{
    stage->rules.reveal_recipients = "";
}

static void another_is_listed(Stage *stage)
{
    stage->rules.reveal_recipients = "blog=" TALK_RECIPIENT;
}

static void small_records(Stage *stage)
{
    stage->max_record_bytes = 900;
}

// As if another worker had got to the end and saved what it knew.
static void journal_is_full(Stage *stage)
{
    json_object_update_new(
        stage->claimed.journal,
        talk_json("{'databases':['app'],'database':'app','role':'app_owner','role_listed':true,"
                  "'revealed':true,'host':'ep-1.eu','pooled_host':'ep-1-pooler.eu'}"));
}

static const Talk TALKS[] = {
    {"the owner's URIs of every database are sealed for the recipient",
     REVEAL(""),
     READY,
     NULL,
     {UP_TO_PASSWORD,
      URIS,
      {"!end", "CredentialsIssued",
       "'environment':'production'|'fleetKeyId':'eedd883da0a94515'|"
       "box{app_owner app direct=postgresql://app_owner:p%2F1@ep-1.eu.aws.neon.tech/"
       "app?sslmode=require "
       "pooled=postgresql://app_owner:p%2F1@ep-1-pooler.eu.aws.neon.tech/"
       "app?sslmode=require}|box{app_owner jobs "
       "direct=postgresql://app_owner:p%2F1@ep-1.eu|"
       "!state{|!'sequence'|row env= state=none seq=0 account= "}}},
    {"a role is named",
     REVEAL(",'role':'jobs_owner'"),
     READY,
     NULL,
     {DATABASES_FOUND,
      ROLE_FOUND,
      {"reveal_password", PASSWORD("pw-2"), "/roles/jobs_owner/reveal_password"},
      {"find_uri", CONNECTION_URI("ep-1"), "role_name=jobs_owner"},
      {"find_pooled_uri", CONNECTION_URI("ep-1-pooler"), "role_name=jobs_owner"},
      {"!end", "CredentialsIssued", "box{jobs_owner app direct=postgresql://jobs_owner:pw-2@"}}},
    {"a service has a role of its own",
     REVEAL(",'service':'api'"),
     READY,
     NULL,
     {DATABASES_FOUND,
      {"find_role", ROLES(ROLE("app_owner") "," ROLE("svc_api"))},
      {"reveal_password", PASSWORD("pw-2"), "/roles/svc_api/reveal_password"},
      {"find_uri", CONNECTION_URI("ep-1"), "role_name=svc_api"},
      {"find_pooled_uri", CONNECTION_URI("ep-1-pooler")},
      {"!end", "CredentialsIssued", "box{svc_api app "}}},
    {"a role that is not there is named, with those that are",
     REVEAL(",'role':'app'"),
     READY,
     NULL,
     {DATABASES_FOUND,
      ROLE_FOUND,
      {"!end", "CommandRejected",
       "'code':'ROLE_UNKNOWN'|no role app; it has jobs_owner, "
       "app_owner'|'field':'reveal_credentials.role'"}}},
    {"a service that is not there",
     REVEAL(",'service':'api'"),
     READY,
     NULL,
     {DATABASES_FOUND,
      {"find_role", ROLES(SIX_LONG_ROLES)},
      {"!end", "CommandRejected",
       "'code':'ROLE_UNKNOWN'|no role svc_api; it has " X50
       "|, ...'|'field':'reveal_credentials.service'"}}},
    {"a password that Neon does not keep",
     REVEAL(""),
     READY,
     NULL,
     {DATABASES_FOUND,
      ROLE_FOUND,
      {"reveal_password", ERROR("412", "", "Storing passwords is disabled")},
      {"!end", "CommandRejected",
       "'code':'PASSWORD_NOT_STORED'|role app_owner (Storing passwords is disabled)"}}},
    {"a password that SQL has set",
     REVEAL(""),
     READY,
     NULL,
     {DATABASES_FOUND,
      ROLE_FOUND,
      {"reveal_password", NOT_FOUND},
      {"!end", "CommandRejected", "'code':'PASSWORD_NOT_STORED'"}}},
    {"busy, unreadable and empty answers are asked for again",
     REVEAL(""),
     READY,
     NULL,
     {DATABASES_FOUND,
      {"find_role", LOCKED},
      {"find_role", UNREADABLE, NULL, 500},
      {"find_role", ROLES("{'other':1}"), NULL, 1000},
      {"find_role", ROLES(ROLE("app_owner")), NULL, 2000},
      {"reveal_password", AWAY},
      {"reveal_password", "200 []", NULL, 500},
      {"reveal_password", "200 {'password':''}", NULL, 1000},
      {"reveal_password", PASSWORD("pw-1"), NULL, 2000},
      {"find_uri", BROKEN},
      {"find_uri", UNREADABLE, NULL, 500},
      {"find_uri", "200 {'uri':'https://ep-1'}", NULL, 1000},
      {"find_uri", CONNECTION_URI("ep-1"), NULL, 2000},
      {"find_pooled_uri", AWAY},
      {"find_pooled_uri", CONNECTION_URI("ep-1-pooler"), NULL, 500},
      {"!end", "CredentialsIssued"}}},
    {"a branch that Neon does not show",
     REVEAL(""),
     READY,
     NULL,
     {{"find_databases", NOT_FOUND}, {"!end", "CommandRejected", "'code':'NEON_NOT_FOUND'"}}},
    {"who takes over asks for everything that was in memory again",
     REVEAL(""),
     READY,
     NULL,
     {UP_TO_PASSWORD,
      {"find_uri", CONNECTION_URI("ep-1")},
      {"!takeover"},
      UP_TO_PASSWORD,
      URIS,
      {"!end", "CredentialsIssued"}}},
    {"whatever the journal knows, what lived in memory is asked for",
     REVEAL(""),
     READY,
     journal_is_full,
     {{"reveal_password", PASSWORD("p/1")},
      URIS,
      {"!end", "CredentialsIssued", "app_owner:p%2F1@"}}},
    {"a recipient that is not listed gets nothing, without a call",
     REVEAL(""),
     READY,
     nobody_is_listed,
     {{"!end", "CommandRejected",
       "'code':'RECIPIENT_NOT_LISTED'|'field':'reveal_credentials.reply_public_key'"}}},
    {"a recipient of another application is not listed",
     REVEAL(""),
     "{'state':'gone'}",
     another_is_listed,
     {{"!end", "CommandRejected", "'code':'RECIPIENT_NOT_LISTED'"}}},
    {"an environment that never was",
     REVEAL(""),
     NULL,
     NULL,
     {{"!end", "CommandRejected",
       "'code':'ENVIRONMENT_UNKNOWN'|'field':'reveal_credentials.environment'"}}},
    {"an environment that is gone",
     REVEAL(""),
     "{'state':'gone'}",
     NULL,
     {{"!end", "CommandRejected", "'code':'ENVIRONMENT_UNKNOWN'"}}},
    {"an environment whose creation was never finished",
     REVEAL(""),
     "{'state':'creating'}",
     NULL,
     {{"!end", "CommandRejected", "'code':'ENVIRONMENT_UNKNOWN'"}}},
    {"an environment that failed",
     REVEAL(""),
     "{'state':'failed'}",
     NULL,
     {{"!end", "CommandRejected", "'code':'ENVIRONMENT_NOT_READY'|production is failed"}}},
    {"an environment without an endpoint",
     REVEAL(""),
     "{'state':'ready','project_id':'p-1','branch_id':'br-1'}",
     NULL,
     {{"!end", "CommandRejected", "'code':'ENVIRONMENT_NOT_READY'|has no endpoint"}}},
    {"an account that is not connected any more",
     REVEAL(""),
     READY,
     unknown_account,
     {{"!end", "CommandRejected", "'code':'ACCOUNT_UNKNOWN'"}}},
    {"what does not fit into an event",
     REVEAL(""),
     READY,
     small_records,
     {UP_TO_PASSWORD,
      URIS,
      {"!end", "CommandFailed", "'code':'OUTCOME_TOO_LARGE'|!box{|row env= state=none seq=0"}}},
};

int main(void)
{
    return talk_run("reveal", TALKS, TALK_COUNT(TALKS));
}
