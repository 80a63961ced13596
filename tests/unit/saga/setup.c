/*
 * SetupRoles.
 */
#include "neon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "saga/environment.h"

#define SETUP(more) "'setupRoles':{'environment':'production'" more "}"
#define SERVICES                                                                                   \
    ",'services':[{'name':'api','databases':[{'database':'app'},{'database':'jobs','access':"      \
    "'ACCESS_READ'}]}]"
#define ROW(more)                                                                                  \
    "{'state':'ready','account':'main','project_id':'p-1','branch_id':'br-1',"                     \
    "'endpoint_id':'ep-1'" more "}"
#define READY ROW("")
#define SPEC                                                                                       \
    "{'prefix':'encore','policy':'additive','adopt':true,'databases':['app'],"                     \
    "'services':[{'name':'old','access':{'app':'admin'}}]}"
#define KEPT                                                                                       \
    ROW(",'details':{'role':'jobs_owner','roles':['jobs_owner','svc_old'],"                        \
        "'roles_spec':" SPEC "}")
#define FOUND                                                                                      \
    {"find_databases", DATABASES, "GET /projects/p-1/branches/br-1/databases"},                    \
        {"find_role", ROLES(ROLE("jobs_owner") "," ROLE("app_owner") "," ROLE("svc_api")),         \
         "GET /projects/p-1/branches/br-1/roles"},                                                 \
    {                                                                                              \
        "find_connection", CONNECTION_URI("ep-1"), "role_name=app_owner&pooled=false"              \
    }
#define MISSING "['','svc_api','CREATE ROLE svc_api LOGIN','role is missing',false]"
#define GRANTED "['app','item','GRANT SELECT','privilege is missing',false]"
#define BLOCKED "['app','theirs','','only its owner can hand it over',true]"
#define OWNED "'owners':[{'database':'app','owner':'jobs_owner'},{'database':'app','owner':'x'}]"
#define PLANNED                                                                                    \
    {                                                                                              \
        "plan_roles", "{'changes':[" MISSING "],'remains':true}"                                   \
    }
#define LOGINS "'encore_platform','encore_reader','encore_writer','encore_admin','svc_api'"
#define PREPARED                                                                                   \
    {                                                                                              \
        "prepare_passwords", "7", "fence=1 |names=[" LOGINS "] renew=none"                         \
    }
#define LAST                                                                                       \
    {                                                                                              \
        "keep_passwords", "ok", "names=[" LOGINS "]"                                               \
    }

static void imported(Stage *stage)
{
    (void)strcpy(stage->claimed.environment.origin, "imported");
}

static void without_logins(Stage *stage)
{
    stage->rules.check_login = false;
}

static void unknown_account(Stage *stage)
{
    stage->claimed.account.found = false;
}

static void without_patience(Stage *stage)
{
    stage->rules.max_wait_ms = 1000;
}

static const Talk TALKS[] = {
    {"roles are compared, passwords kept, then all is applied",
     SETUP(SERVICES),
     READY,
     NULL,
     {FOUND,
      {"plan_roles", "{'changes':[" MISSING "," GRANTED "],'remains':true,'unknown':['svc_api']}",
       "mode=plan fence=0 branch=br-1 |names=[" LOGINS "]|spec={'prefix':'encore','policy':"
       "'authoritative','adopt':true,'databases':['app','jobs'],'services':[{'name':'api','access':"
       "{'app':'write','jobs':'read'}}]}"},
      PREPARED,
      {"apply_roles", "{'changes':[" GRANTED "]}", "mode=apply fence=7 branch=br-1 |renew=none"},
      LAST,
      {"!end", "RolesConfigured",
       "'change':'CREATE ROLE svc_api LOGIN'|'change':'GRANT SELECT'|!'plannedOnly':true|"
       "!'omitted'|'sequence':'5'|state{|'services':[{'databases':[{'access':'ACCESS_WRITE',"
       "'database':'app'},{'access':'ACCESS_READ','database':'jobs'}],'name':'api'}]|"
       "'roles':['jobs_owner','app_owner',|'databases':['app','jobs']|'roles_spec':{|state="
       "ready"}}},
    {"a plan is told, and nothing is done",
     SETUP(SERVICES ",'mode':'ROLES_MODE_PLAN'"),
     READY,
     NULL,
     {FOUND,
      {"plan_roles", "{'changes':[" MISSING "," BLOCKED "],'omitted':3," OWNED "}"},
      {"!end", "RolesConfigured",
       "'plannedOnly':true|'omitted':3|'blocked':true|!state{|!'sequence'|row env= state=none"}}},
    {"what is as it should be opens no intent",
     SETUP(SERVICES),
     READY,
     NULL,
     {FOUND,
      {"plan_roles", "{'changes':[" BLOCKED "],'owners':[{'database':'app','owner':'x'}]}"},
      {"!end", "RolesConfigured", "'blocked':true|'sequence':'5'|state=ready"}}},
    {"a password that the ledger doesn't have is set",
     SETUP(SERVICES),
     READY,
     NULL,
     {FOUND,
      {"plan_roles", "{'unknown':['svc_api']}"},
      PREPARED,
      {"apply_roles", "{}"},
      LAST,
      {"!end", "RolesConfigured", "!'changes'"}}},
    {"the policy and the role of before are kept",
     SETUP(",'databases':['app','new']"),
     KEPT,
     NULL,
     {{"find_databases", DATABASES},
      {"find_role", ROLES(ROLE("app_owner") "," ROLE("jobs_owner"))},
      {"find_connection", CONNECTION_URI("ep-1"), "role_name=jobs_owner"},
      {"plan_roles", "{}",
       "'policy':'additive','adopt':true,'databases':['app','new'],"
       "'services':[]"},
      {"!end", "RolesConfigured",
       "'databases':['app','jobs','new']|!svc_old|"
       "'rolesPolicy':'ROLES_POLICY_ADDITIVE'"}}},
    {"a policy is told",
     SETUP(",'policy':'ROLES_POLICY_AUTHORITATIVE'"),
     KEPT,
     NULL,
     {{"find_databases", DATABASES},
      {"find_role", ROLES(ROLE("jobs_owner"))},
      {"find_connection", CONNECTION_URI("ep-1")},
      {"plan_roles", "{}", "'policy':'authoritative'"},
      {"!end", "RolesConfigured", "'rolesPolicy':'ROLES_POLICY_AUTHORITATIVE'"}}},
    {"another policy is told",
     SETUP(",'policy':'ROLES_POLICY_ADDITIVE','services':[{'name':'api','databases':[{'database':"
           "'app','access':'ACCESS_ADMIN'}]}]"),
     READY,
     NULL,
     {FOUND,
      {"plan_roles", "{}", "'policy':'additive'|{'app':'admin'}"},
      {"!end", "RolesConfigured", "'access':'ACCESS_ADMIN'"}}},
    {"what only its owner can hand over is handed over in its own session",
     SETUP(SERVICES),
     READY,
     NULL,
     {FOUND,
      {"plan_roles", "{'changes':[" BLOCKED "]," OWNED "}"},
      PREPARED,
      {"apply_roles", "{'changes':[" BLOCKED "],'remains':true," OWNED "}"},
      {"reveal_owner", PASSWORD("theirs"), "/roles/jobs_owner/reveal_password"},
      {"adopt_objects", "{'changes':[['app','item','ALTER TABLE item OWNER','handed over',false]]}",
       "mode=owner fence=7 |names=['app']"},
      {"apply_roles", "{'changes':[" GRANTED "]}"},
      LAST,
      {"!end", "RolesConfigured",
       "'change':'ALTER TABLE item OWNER'|'change':'GRANT SELECT'|"
       "!'blocked':true"}}},
    {"who takes over asks for the owner's password again",
     SETUP(SERVICES),
     READY,
     NULL,
     {FOUND,
      PLANNED,
      PREPARED,
      {"apply_roles", "{" OWNED "}"},
      {"reveal_owner", AWAY},
      {"reveal_owner", UNREADABLE, NULL, -1},
      {"reveal_owner", "200 {'password':''}", NULL, -1},
      {"reveal_owner", PASSWORD("theirs"), NULL, -1},
      {"!takeover"},
      {"find_connection", CONNECTION_URI("ep-1")},
      {"reveal_owner", PASSWORD("theirs")},
      {"adopt_objects", "busy ROLES_BUSY"},
      {"adopt_objects", "unavailable CONNECTION_LOST", NULL, -1},
      {"adopt_objects", "conflict ROLES_FAILED", NULL, -1},
      LAST,
      {"!end", "RolesConfigured"}}},
    {"an owner whose password isn't known stays reported",
     SETUP(SERVICES),
     READY,
     NULL,
     {FOUND,
      PLANNED,
      PREPARED,
      {"apply_roles", "{'changes':[" BLOCKED "]," OWNED "}"},
      {"reveal_owner", NOT_FOUND},
      LAST,
      {"!end", "RolesConfigured", "'blocked':true"}}},
    {"a newer fence is passed by one that is newer still",
     SETUP(SERVICES),
     READY,
     NULL,
     {FOUND,
      PLANNED,
      PREPARED,
      {"apply_roles", "conflict ROLES_FENCED {'seen':40}", "fence=7 "},
      {"prepare_passwords", "41", "fence=41 "},
      {"apply_roles", "conflict ROLES_FENCED {}", "fence=41 "},
      {"prepare_passwords", "42", "fence=42 "},
      {"apply_roles", "{}", "fence=42 "},
      LAST,
      {"!end", "RolesConfigured"}}},
    {"who takes over in mid-apply goes on at once",
     SETUP(SERVICES),
     READY,
     NULL,
     {FOUND,
      PLANNED,
      PREPARED,
      {"apply_roles", "unsent"},
      {"!takeover"},
      {"find_connection", CONNECTION_URI("ep-1"), NULL, -1},
      {"apply_roles", "{}"},
      LAST,
      {"!end", "RolesConfigured"}}},
    {"a busy branch is waited for, and an error that lasts ends the command",
     SETUP(SERVICES),
     READY,
     without_patience,
     {FOUND,
      {"plan_roles", "unavailable CONNECTION_LOST"},
      {"plan_roles", "busy ROLES_BUSY", NULL, 125},
      {"plan_roles", "busy ROLES_BUSY", NULL, 250},
      {"plan_roles", "busy ROLES_BUSY", NULL, 500},
      {"plan_roles", "busy ROLES_BUSY", NULL, 1000},
      {"!end", "CommandRejected", "'code':'ROLES_UNAVAILABLE'|ROLES_BUSY"}}},
    {"a password that is refused for good ends it sooner",
     SETUP(SERVICES),
     READY,
     NULL,
     {FOUND,
      {"plan_roles", "unavailable 28P01"},
      {"plan_roles", "unavailable 28P01", NULL, 125},
      {"plan_roles", "unavailable 28P01", NULL, 250},
      {"!end", "CommandRejected", "'code':'LOGIN_FAILED'|28P01"}}},
    {"what fails when it was begun stays, and the environment with it",
     SETUP(SERVICES),
     KEPT,
     NULL,
     {{"find_databases", DATABASES},
      {"find_role", ROLES(ROLE("jobs_owner"))},
      {"find_connection", CONNECTION_URI("ep-1")},
      PLANNED,
      {"prepare_passwords", "7"},
      {"apply_roles", "conflict ROLES_FAILED"},
      {"!save", NULL, "ROLES_FAILED"},
      {"!end", "CommandFailed",
       "'code':'ROLES_FAILED'|'step':'apply_roles'|SetupRoles goes on from there|'sequence':'5'|"
       "state{|svc_old|state=ready"}}},
    {"a stop after the first intent undoes nothing",
     SETUP(SERVICES),
     READY,
     NULL,
     {FOUND,
      PLANNED,
      PREPARED,
      {"apply_roles", "busy ROLES_BUSY"},
      {"!stop", "cancelled"},
      {"!save", NULL, "CANCELLED"},
      {"!end", "CommandCancelled", "SetupRoles goes on from there|state=ready", -1}}},
    {"a stop after all was applied comes too late",
     SETUP(SERVICES),
     READY,
     NULL,
     {FOUND,
      PLANNED,
      PREPARED,
      {"apply_roles", "{}"},
      {"!stop", "cancelled"},
      LAST,
      {"!end", "RolesConfigured"}}},
    {"an imported environment is changed only where that is asked for",
     SETUP(SERVICES),
     READY,
     imported,
     {{"!end", "CommandRejected", "'code':'IMPORTED_READ_ONLY'|'field':'setup_roles.adopt'"}}},
    {"... and told of what would be changed in any case",
     SETUP(",'mode':'ROLES_MODE_PLAN'"),
     READY,
     imported,
     {FOUND,
      {"plan_roles", "{}", "'policy':'additive','adopt':false"},
      {"!end", "RolesConfigured", "'plannedOnly':true"}}},
    {"... and changed with adopt",
     SETUP(",'adopt':true"),
     READY,
     imported,
     {FOUND, {"plan_roles", "{}", "'adopt':true"}, {"!end", "RolesConfigured"}}},
    {"an environment that isn't there",
     SETUP(""),
     "{'state':'gone'}",
     NULL,
     {{"!end", "CommandRejected", "'code':'ENVIRONMENT_UNKNOWN'"}}},
    {"an account that is gone",
     SETUP(""),
     READY,
     unknown_account,
     {{"!end", "CommandRejected", "'code':'ACCOUNT_UNKNOWN'"}}},
    {"workers that don't log in",
     SETUP(""),
     READY,
     without_logins,
     {{"!end", "CommandRejected", "'code':'LOGIN_IS_OFF'"}}},
    {"a service of a database that isn't there",
     SETUP(",'services':[{'name':'api','databases':[{'database':'nowhere'}]}]"),
     READY,
     NULL,
     {{"find_databases", DATABASES},
      {"find_role", ROLES(ROLE("app_owner"))},
      {"!end", "CommandRejected", "'field':'setup_roles.services[0].databases'"}}},
    {"a list without a role that could change others",
     SETUP(""),
     READY,
     NULL,
     {{"find_databases", DATABASES},
      {"find_role", AWAY},
      {"find_role", "200 {'roles':[{'name':1}]}", NULL, 500},
      {"find_role", ROLES(ROLE("svc_api")), NULL, -1},
      {"!end", "CommandRejected", "'code':'ROLE_MISSING'"}}},
    {"no owner is known, but a role that isn't ours",
     SETUP(""),
     READY,
     NULL,
     {{"find_databases", DATABASES},
      {"find_role", ROLES(ROLE("svc_api") "," ROLE("somebody"))},
      {"find_connection", CONNECTION_URI("ep-1"), "role_name=somebody"},
      {"plan_roles", "{}"},
      {"!end", "RolesConfigured"}}},
};

// A report of this many changes, each of 800 bytes.
static char *long_report(size_t count, bool blocked)
{
    CLEANUP(text_clear) Text text = TEXT_INIT(4000000);
    text_append(&text, "{'changes':[");
    for (size_t i = 0; i < count; i++) {
        text_printf(&text, "%s['app','t%zu','%0*d','%0*d',%s]", i > 0 ? "," : "", i, 400, 1, 400, 2,
                    blocked && i % 2 == 0 ? "true" : "false");
    }
    text_append(&text, "]}");
    return strdup(text_get(&text));
}

enum { JOURNAL_BYTES = 300 * 1024 };

// What stands in the way comes first; the rest is counted.
static void a_long_list_is_cut(void **state)
{
    static const Talk PLAN = {NULL, SETUP(",'mode':'ROLES_MODE_PLAN'"), READY, NULL, {{NULL}}};
    (void)state;
    char *report = long_report(1000, true);
    TalkLine lines[] = {FOUND,
                        {"plan_roles", report},
                        {"!end", "RolesConfigured", "'omitted':|'blocked':true"},
                        {NULL}};
    Stage stage;
    stage_open(&stage, &PLAN);
    stage_begin(&stage);
    stage_play(&stage, lines);
    const json_t *kept = journal_value(&stage.saga.journal, "role_changes");
    assert_in_range(json_array_size(kept), 200, 330);
    assert_int_equal(journal_number(&stage.saga.journal, "changes_omitted"),
                     1000 - json_array_size(kept));
    char *journal = journal_pack(&stage.saga.journal);
    assert_in_range(strlen(journal), 1, JOURNAL_BYTES);
    free(journal);
    free(report);
    stage_close(&stage);
}

// A state has room for what can be asked for in a command, but not for everything else, too.
static void services_that_take_too_much_room_stand_in_no_state(void **state)
{
    static const Talk PLAN = {NULL, SETUP(",'mode':'ROLES_MODE_PLAN'"), READY, NULL, {{NULL}}};
    (void)state;
    Stage stage;
    stage_open(&stage, &PLAN);
    json_t *spec = talk_json(SPEC);
    json_t *access = json_object();
    char name[64];
    for (int i = 0; i < 90; i++) {
        (void)snprintf(name, sizeof name, "%060d", i);
        json_array_append_new(json_object_get(spec, "databases"), json_string(name));
        json_object_set_new(access, name, json_string("write"));
    }
    for (int i = 0; i < 90; i++) {
        (void)snprintf(name, sizeof name, "service-%d", i);
        json_array_append_new(json_object_get(spec, "services"),
                              json_pack("{s:s, s:O}", "name", name, "access", access));
    }
    json_t *details = json_pack("{s:o}", "roles_spec", spec);
    EnvironmentView view = {.environment = "e",
                            .origin = "created",
                            .account = "",
                            .project_id = "",
                            .branch_id = "",
                            .endpoint_id = "",
                            .details = details};
    EnvironmentMessage message;
    environment_message(&view, &message);
    assert_int_equal(message.state.n_services, 0);
    environment_message_clear(&message);
    json_decref(access);
    json_decref(details);
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_list_is_cut),
        cmocka_unit_test(services_that_take_too_much_room_stand_in_no_state),
    };
    int failed = talk_run("SetupRoles", TALKS, TALK_COUNT(TALKS));
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
