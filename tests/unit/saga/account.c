/*
 * ConnectAccount and DisconnectAccount.
 */
#include "neon.h"

#include <string.h>

#define CONNECT "'connectAccount':{'account':'main','plaintext':'napi_0123456789'}"
#define CONNECT_TO(org)                                                                            \
    "'connectAccount':{'account':'main','plaintext':'napi_0123456789','orgId':'" org "'}"
#define AUTH(method) "200 {'account_id':'neon-1','auth_method':'" method "'}"
#define ORG(id) "{'id':'" id "','name':'Org " id "'}"
#define ORGS(list) "200 {'organizations':[" list "]}"

static void unknown(Stage *stage)
{
    stage->claimed.account.found = false;
}

static void of_one_project(Stage *stage)
{
    TALK_SET(stage->claimed.account.key_kind, NULL, "", "project");
    TALK_SET(stage->claimed.account.project_id, NULL, "", "damp-dream-1");
}

static void without_organization(Stage *stage)
{
    TALK_SET(stage->claimed.account.org_id, NULL, "", "");
}

static const Talk TALKS[] = {
    {"an organization's key",
     CONNECT,
     NULL,
     unknown,
     {{"check_key", AUTH("api_key_org"), "GET /auth"},
      {"find_organization", ORGS(ORG("org-1")), "GET /users/me/organizations"},
      {"find_scope", NO_PROJECTS, "GET /projects?|org_id=org-1"},
      {"!end", "AccountConnected",
       "'keyKind':'KEY_KIND_ORGANIZATION'|'orgId':'org-1'|'neonAccountId':'neon-1'|state{|"
       "!replaced|'sequence':'5'|row env= state=none seq=5 account=main|kind=organization "
       "org=org-1 neon=neon-1 scope=|!napi_"}}},
    {"a personal key replaces another",
     CONNECT_TO("org-2"),
     NULL,
     NULL,
     {{"check_key", AUTH("api_key_user")},
      {"find_organization", ORGS(ORG("org-1") "," ORG("org-2"))},
      {"find_scope", NO_PROJECTS, "org_id=org-2"},
      {"find_environments", "0"},
      {"!end", "AccountConnected", "'keyKind':'KEY_KIND_PERSONAL'|'replaced':true|kind=personal"}}},
    {"a personal key without any organization",
     CONNECT,
     NULL,
     NULL,
     {{"check_key", AUTH("api_key_user")},
      {"find_organization", ORGS("")},
      {"find_scope", NO_PROJECTS, "!org_id"},
      {"!end", "AccountConnected", "!orgId"}}},
    {"a key of another organization doesn't replace one that environments use",
     CONNECT_TO("org-2"),
     NULL,
     NULL,
     {{"check_key", AUTH("api_key_user")},
      {"find_organization", ORGS(ORG("org-1") "," ORG("org-2"))},
      {"find_scope", NO_PROJECTS, "org_id=org-2"},
      {"find_environments", "1 [{'environment':'live'}]", "account=main"},
      {"!end", "CommandRejected",
       "'code':'ACCOUNT_MISMATCH'|'field':'connect_account.api_key'|1 environments|row env= "}}},
    {"one of the same organization does, whoever's it is",
     CONNECT_TO("org-1"),
     NULL,
     NULL,
     {{"check_key", "200 {'account_id':'neon-2','auth_method':'api_key_user'}"},
      {"find_organization", ORGS(ORG("org-1"))},
      {"find_scope", NO_PROJECTS},
      {"!end", "AccountConnected", "'replaced':true"}}},
    {"a key of the same project replaces another",
     CONNECT,
     NULL,
     of_one_project,
     {{"check_key", AUTH("api_key_org")},
      {"find_organization", NOT_FOUND},
      {"find_scope", "404 {'message':'subject_project_id:\\u0022damp-dream-1\\u0022'}"},
      {"!end", "AccountConnected", "scope=damp-dream-1"}}},
    {"a key without any organization replaces one of the same user",
     CONNECT,
     NULL,
     without_organization,
     {{"check_key", AUTH("api_key_user")},
      {"find_organization", ORGS("")},
      {"find_scope", NO_PROJECTS},
      {"!end", "AccountConnected", "'replaced':true"}}},
    {"a key of one project is told which",
     CONNECT,
     NULL,
     NULL,
     {{"check_key", AUTH("api_key_org")},
      {"find_organization", NOT_FOUND},
      {"find_scope",
       "404 {'code':'','message':'not allowed; subject_project_id:\\u0022damp-dream-1\\u0022'}"},
      {"find_environments", "0"},
      {"!end", "AccountConnected",
       "'keyKind':'KEY_KIND_PROJECT'|'projectId':'damp-dream-1'|kind=project|scope=damp-dream-1"}}},
    {"a project's id that is none",
     CONNECT,
     NULL,
     NULL,
     {{"check_key", AUTH("api_key_org")},
      {"find_organization", NOT_FOUND},
      {"find_scope",
       "404 {'message':'subject_project_id:\\u0022"
       "0123456789012345678901234567890123456789012345678901234567890123456789\\u0022'}"},
      {"find_environments", "0"},
      {"!end", "AccountConnected", "'keyKind':'KEY_KIND_PROJECT'|!'projectId'"}}},
    {"a key that can not list organizations is believed, until its projects say otherwise",
     CONNECT_TO("org-3"),
     NULL,
     NULL,
     {{"check_key", AUTH("api_key_org")},
      {"find_organization", NOT_FOUND},
      {"find_scope", NOT_FOUND, "org_id=org-3"},
      {"!end", "CommandRejected", "'code':'ORGANIZATION_UNKNOWN'|org-3"}}},
    {"several organizations have to be chosen from",
     CONNECT,
     NULL,
     NULL,
     {{"check_key", AUTH("api_key_user")},
      {"find_organization", ORGS(ORG("org-1") "," ORG("org-2"))},
      {"!end", "CommandRejected",
       "'code':'ORGANIZATION_AMBIGUOUS'|'field':'connect_account.org_id'|org-1 (Org org-1), org-2|"
       "!sequence|row env= state=none seq=0 account= "}}},
    {"an organization that the key does not reach",
     CONNECT_TO("org-9"),
     NULL,
     NULL,
     {{"check_key", AUTH("api_key_user")},
      {"find_organization", ORGS(ORG("org-1"))},
      {"!end", "CommandRejected", "'code':'ORGANIZATION_UNKNOWN'|it reaches: org-1"}}},
    {"more organizations than are looked at: the wanted one may be among them",
     CONNECT_TO("org-9"),
     NULL,
     NULL,
     {{"check_key", AUTH("api_key_user")},
      {"find_organization",
       ORGS(ORG("o-1") "," ORG("o-2") "," ORG("o-3") "," ORG("o-4") "," ORG("o-5") "," ORG("o-6") "," ORG("o-7") "," ORG("o-8") "," ORG("o-9") "," ORG(
           "o-10") "," ORG("o-11") "," ORG("o-12") "," ORG("o-13") "," ORG("o-14") "," ORG("o-15") "," ORG("o-16") "," ORG("o-17"))},
      {"find_scope", NO_PROJECTS, "org_id=org-9"},
      {"find_environments", "0"},
      {"!end", "AccountConnected"}}},
    {"a key that Neon refuses",
     CONNECT,
     NULL,
     NULL,
     {{"check_key", DENIED},
      {"!end", "CommandRejected",
       "'code':'API_KEY_REJECTED'|'field':'connect_account.api_key'|supplied credentials"}}},
    {"what can go wrong is waited for",
     CONNECT,
     NULL,
     NULL,
     {{"check_key", AWAY},
      {"check_key", UNREADABLE, NULL, 500},
      {"check_key", AUTH("api_key_user"), NULL, 1000},
      {"find_organization", AWAY},
      {"find_organization", UNREADABLE, NULL, 500},
      {"find_organization", ORGS(""), NULL, 1000},
      {"find_scope", "lost"},
      {"find_scope", ERROR("400", "", "org_id is required"), NULL, 500},
      {"!end", "CommandRejected", "'code':'NEON_REFUSED'|org_id is required"}}},
    {"a stop leaves the account as it is",
     CONNECT,
     NULL,
     NULL,
     {{"check_key", AUTH("api_key_user")},
      {"!stop", "cancelled"},
      {"!end", "CommandCancelled", "row env= state=none seq=0"}}},
};

#define DISCONNECT "'disconnectAccount':{'account':'main'}"
#define MANY_8(name)                                                                               \
    "{'environment':'" name "-1'},{'environment':'" name "-2'},{'environment':'" name              \
    "-3'},{'environment':'" name "-4'},{'environment':'" name "-5'},{'environment':'" name         \
    "-6'},{'environment':'" name "-7'},{'environment':'" name "-8'}"
#define LONG_ENVIRONMENT "an-environment-with-a-long-name-of-some-sixty-characters-all"

static const Talk DISCONNECTS[] = {
    {"a key that nobody needs is forgotten, and the sequence goes on",
     DISCONNECT,
     NULL,
     NULL,
     {{"find_environments", "0", "account=main"},
      {"!end", "AccountDisconnected",
       "'account':'main'|'sequence':'5'|tombstone|row env= state=none seq=5 account=main|kind= "}}},
    {"an account that environments use stays",
     DISCONNECT,
     NULL,
     NULL,
     {{"find_environments", "2 [{'environment':'a'},{'environment':'b'}]"},
      {"!end", "CommandRejected",
       "'code':'ACCOUNT_IN_USE'|'field':'disconnect_account.account'|2 environments use the "
       "account: a, b; delete them first|row env= state=none seq=0"}}},
    {"of many only some are named",
     DISCONNECT,
     NULL,
     NULL,
     {{"find_environments", "300 [" MANY_8(LONG_ENVIRONMENT) "]"},
      {"!end", "CommandRejected", "300 environments use the account: |, ...; delete them first"}}},
    {"an unknown account",
     DISCONNECT,
     NULL,
     unknown,
     {{"!end", "CommandRejected",
       "'code':'ACCOUNT_UNKNOWN'|'field':'disconnect_account.account'"}}},
};

int main(void)
{
    return talk_run("ConnectAccount", TALKS, TALK_COUNT(TALKS)) +
           talk_run("DisconnectAccount", DISCONNECTS, TALK_COUNT(DISCONNECTS));
}
