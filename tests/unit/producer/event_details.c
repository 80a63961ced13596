// What people are told of each kind of event, and of those that hold more than a line.
#include "ctl/event_details.h"

#include <jansson.h>
#include <string.h>

#include "ctl/event_report.h"
#include "paper.h"
#include "provisioning/v1/event.pb-c.h"
#include "unit.h"

// `json` has single quotes for double ones, here and below.
static void unquote(const char *json, char *ret_json, size_t room)
{
    assert_true(strlen(json) < room);
    size_t i = 0;
    for (; json[i] != '\0'; i++) {
        ret_json[i] = (char)(json[i] == '\'' ? '"' : json[i]);
    }
    ret_json[i] = '\0';
}

static void free_json(json_t **json)
{
    json_decref(*json);
}

static const struct {
    const char *type;
    const char *body;
    const char *details;
} CASES[] = {
    {"CommandAccepted", "{'action':'EditProject'}", "EditProject"},
    {"StepFinished", "{'step':'patch_project'}", "patch_project"},
    {"AccountConnected",
     "{'account':{'account':'main','keyKind':'KEY_KIND_ORGANIZATION','orgId':'org-1'},'replaced':"
     "true}",
     "organization  organization org-1  (another key than before)"},
    {"AccountDisconnected", "{'account':'main'}", ""},
    {"AccountInventory",
     "{'account':'main','page':1,'pages':2,'regions':[{'regionId':'aws-eu-central-1'}],'projects':"
     "[{'projectId':'p-1','branches':[{},{}]},{'projectId':'p-2','branches':[{}]}]}",
     "2 projects, 3 branches, 1 region  page 1 of 2"},
    {"AccountInventory", "{'account':'main','page':1,'pages':1}",
     "0 projects, 0 branches, 0 regions"},
    {"AccountSwept", "{'account':'main','projects':1,'branches':2}",
     "nothing  1 project, 2 branches"},
    {"AccountSwept",
     "{'projects':2,'branches':1,'deleting':true,'findings':[{'verdict':'SWEEP_VERDICT_IN_FLIGHT'},"
     "{'verdict':'SWEEP_VERDICT_ORPHAN'},{'verdict':'SWEEP_VERDICT_ORPHAN'}]}",
     "2 orphan, 1 in_flight  2 projects, 1 branch  (deleting)"},
    {"AccountSwept", "{'doubts':['x']}", "nothing  0 projects, 0 branches  (doubtful)"},
    {"OrphanDeleted", "{'projectId':'p-1','branchId':'br-1','deleted':true}",
     "project p-1  branch br-1"},
    {"OrphanDeleted", "{'projectId':'p-1','branchId':'br-1','deleted':true,'projectDeleted':true}",
     "project p-1  branch br-1  (the whole project)"},
    {"OrphanDeleted", "{'projectId':'p-1','branchId':'br-1'}",
     "project p-1  branch br-1  (was gone already)"},
    {"EnvironmentCreated",
     "{'environment':{'projectId':'p-1','branchName':'main','host':'ep-1'},'created':true}",
     "project p-1  branch main  host ep-1"},
    {"EnvironmentBranched",
     "{'environment':{'sourceEnvironment':'live','projectId':'p-1','branchName':'b','host':'ep-2',"
     "'expiresAt':'2026-11-29T19:07:53.489Z'},'rotatedRoles':['a','b']}",
     "from live  project p-1  branch b  host ep-2  rotated a, b  expires 2026-11-29T19:07:53.489Z"
     "  (was there already)"},
    {"EnvironmentImported",
     "{'environment':{'projectId':'p-1','branchName':'main','host':'ep-1'},'databases':[{'name':"
     "'a'},{'name':'b'}],'setupWouldChange':[{'object':'x'}],'loginWorks':true}",
     "project p-1  branch main  host ep-1  2 databases, a login works, roles setup would make 1 "
     "change"},
    {"EnvironmentImported", "{'environment':{'projectId':'p-1'},'databases':[{'name':'a'}]}",
     "project p-1  1 database, no login works"},
    {"ProjectEdited",
     "{'projectId':'p-1','changed':true,'historyRetentionSecondsBefore':'86400',"
     "'historyRetentionSecondsAfter':'604800','siblingEnvironments':['staging','pr:42']}",
     "project p-1  history 1d → 7d  of staging, pr:42, too"},
    {"ProjectEdited",
     "{'projectId':'p-1','changed':true,'historyRetentionSecondsBefore':'86400',"
     "'historyRetentionSecondsAfter':'604800','siblingEnvironments':['live'],"
     "'siblingsOmitted':44}",
     "project p-1  history 1d → 7d  of live, too; 44 more are not told"},
    {"ProjectEdited", "{'projectId':'p-1','changed':true,'historyRetentionSecondsBefore':'21600'}",
     "project p-1  history 6h → 0s"},
    {"ProjectEdited",
     "{'projectId':'p-1','historyRetentionSecondsBefore':'604800',"
     "'historyRetentionSecondsAfter':'604800'}",
     "project p-1  as wanted already"},
    {"EndpointEdited",
     "{'changed':true,'before':{'autoscalingLimitMinCu':0.25,'autoscalingLimitMaxCu':1.0,"
     "'suspendTimeoutSeconds':'300'},'after':{'autoscalingLimitMinCu':0.25,"
     "'autoscalingLimitMaxCu':2.0,'suspendTimeoutSeconds':'-1'}}",
     "max 1 CU → 2 CU, suspended after 5m → never"},
    {"EndpointEdited",
     "{'changed':true,'before':{},'after':{'autoscalingLimitMinCu':1.0,'suspendTimeoutSeconds':"
     "'90'}}",
     "min default → 1 CU, suspended after default → 90s"},
    {"EndpointEdited", "{'before':{},'after':{}}", "as wanted already"},
    {"RolesConfigured", "{'changes':[{'object':'x'}]}", "1 change"},
    {"CredentialsRotated", "{'roles':['a','b']}", "a, b"},
    {"CredentialsIssued", "{'sealed':{'fleetKeyId':'k1'}}", "for key k1"},
    {"PreviewBaseSet", "{'environment':'live'}", "live"},
    {"EnvironmentReset",
     "{'environment':{'sourceEnvironment':'live','branchName':'b','host':'ep-2'},'rotatedRoles':"
     "['a']}",
     "to live  branch b  host ep-2  rotated a"},
    {"EnvironmentDeleted", "{'projectId':'p-1','branchId':'br-1'}", "project p-1  branch br-1"},
    {"EnvironmentDeleted", "{'projectId':'p-1','branchId':'br-1','forgottenOnly':true}",
     "project p-1  branch br-1  (only forgotten: it was imported)"},
    {"DriftReported", "{'code':'GONE','message':'it is gone','resources':['br-1']}",
     "GONE  it is gone  br-1"},
    {"CommandCancelled", "{'cancelledBy':'c2','undone':['branch br-1']}",
     "by c2  undone branch br-1"},
    {"CommandSuperseded", "{'supersededBy':'c2','left':['branch br-1']}",
     "by c2  left branch br-1"},
    {"CancelAccepted", "{'commandId':'c1','action':'CreateEnvironment'}",
     "of c1  CreateEnvironment"},
    {"CommandRejected", "{'code':'ENVIRONMENT_EXISTS','message':'it is there'}",
     "ENVIRONMENT_EXISTS  it is there"},
    {"CommandFailed",
     "{'code':'NEON_REFUSED','message':'beyond the plan','step':'patch_project','neonStatus':422,"
     "'neonRequestId':'r-1'}",
     "NEON_REFUSED  beyond the plan  step patch_project  Neon's request r-1"},
};

static void every_event_is_told_in_a_few_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        char body[1024];
        unquote(CASES[i].body, body, sizeof(body));
        json_t *json CLEANUP(free_json) = json_loads(body, 0, NULL);
        assert_non_null(json);
        Text text CLEANUP(text_clear) = TEXT_INIT(1000);
        event_details_append(&text, json, CASES[i].type);
        assert_string_equal(text_get(&text), CASES[i].details);
    }
}

// A new event is one more case above.
static void no_event_is_left_out(void **state)
{
    (void)state;
    const ProtobufCMessageDescriptor *event = &provisioning__v1__event__descriptor;
    for (size_t field = 0; field < event->n_fields; field++) {
        bool is_body = (event->fields[field].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
        const ProtobufCMessageDescriptor *body = event->fields[field].descriptor;
        bool found = !is_body;
        for (size_t i = 0; !found && i < sizeof(CASES) / sizeof(CASES[0]); i++) {
            found = strcmp(CASES[i].type, body->short_name) == 0;
        }
        if (!found) {
            fail_msg("no case shows %s", body->short_name);
        }
    }
}

static void assert_report(const char *type, const char *quoted, const char *expected)
{
    char json[2048];
    unquote(quoted, json, sizeof(json));
    Paper paper CLEANUP(paper_clear);
    paper_open(&paper);
    Screen screen = {.file = paper.file};
    const ProvisionEvent event = {.type = type, .json = json};
    event_report_print(&screen, &event);
    assert_string_equal(paper_read(&paper), expected);
}

static void what_an_account_sees_is_a_tree(void **state)
{
    (void)state;
    assert_report(
        "AccountInventory",
        "{'accountInventory':{'regions':[{'regionId':'aws-eu-central-1'},{'regionId':"
        "'aws-us-east-2'}],'projects':[{'projectId':'p-1','name':'shop','regionId':"
        "'aws-eu-central-1','pgVersion':17,'branches':[{'branchId':'br-3','name':'leaf','parentId':"
        "'br-2'},{'branchId':'br-1','name':'main','default':true,'protected':true},{'branchId':"
        "'br-2','name':'dev','parentId':'br-1'},{'branchId':'br-9','name':'lost','parentId':"
        "'br-8'}]}]}}",
        "  shop  p-1  aws-eu-central-1  PostgreSQL 17\n"
        "    main  br-1  default  protected\n"
        "      dev  br-2\n"
        "        leaf  br-3\n"
        "    lost  br-9\n"
        "  regions: aws-eu-central-1, aws-us-east-2\n");
}

// An event may say what it likes.
static void each_finding_of_a_sweep_has_a_line(void **state)
{
    (void)state;
    assert_report(
        "AccountSwept",
        "{'accountSwept':{'findings':[{'verdict':'SWEEP_VERDICT_ORPHAN','environment':'live',"
        "'projectId':'p-1','branchId':'br-1','isProject':true,'commandId':'c-1','sentCommandId':"
        "'c-2'},{'verdict':'SWEEP_VERDICT_EXPIRED','environment':'pr:7','projectId':'p-2',"
        "'branchId':'br-2'}],'doubts':['why'],'omitted':3}}",
        "  orphan                live                  p-1  br-1  the whole project  made by c-1  "
        "sent c-2\n"
        "  expired               pr:7                  p-2  br-2\n"
        "  doubtful: why\n"
        "  and 3 more\n");
}

static void branches_that_descend_from_themselves_end(void **state)
{
    (void)state;
    assert_report("AccountInventory",
                  "{'accountInventory':{'projects':[{'projectId':'p-1','name':'x','regionId':'r',"
                  "'branches':[{'branchId':'a','parentId':'b','name':'a'},{'branchId':'b',"
                  "'parentId':'a','name':'b'},{'branchId':'c','parentId':'z','name':'c'},"
                  "{'branchId':'c','parentId':'c','name':'d'}]}]}}",
                  "  x  p-1  r  PostgreSQL 0\n"
                  "    c  c\n"
                  "      d  c\n"
                  "        d  c\n"
                  "          d  c\n"
                  "            d  c\n");
}

static void an_import_reports_what_is_there(void **state)
{
    (void)state;
    assert_report("EnvironmentImported",
                  "{'environmentImported':{'databases':[{'name':'main','owner':'ann'},{'name':"
                  "'logs'}],'extensions':['pg_trgm','postgis'],'reservedRoles':['svc_old'],"
                  "'setupWouldChange':[{'object':'svc_old','change':'ALTER ROLE svc_old LOGIN',"
                  "'reason':'it logs in'}]}}",
                  "  databases (owner): main (ann), logs\n"
                  "  extensions: pg_trgm, postgis\n"
                  "  roles with names that SetupRoles uses: svc_old\n"
                  "  roles setup would:\n"
                  "  (all)  svc_old  ALTER ROLE svc_old LOGIN  it logs in\n");
    assert_report("EnvironmentDeleted", "{'environmentDeleted':{}}", "");
}

static void an_inventory_goes_on_until_its_last_page(void **state)
{
    (void)state;
    ProvisionEvent event = {.type = "AccountInventory",
                            .json = "{\"accountInventory\":{\"page\":1,\"pages\":2}}"};
    assert_true(event_report_goes_on(&event));
    event.json = "{\"accountInventory\":{\"page\":2,\"pages\":2}}";
    assert_false(event_report_goes_on(&event));
    event = (ProvisionEvent){.type = "CommandFailed", .json = "{\"commandFailed\":{}}"};
    assert_false(event_report_goes_on(&event));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_is_told_in_a_few_words),
        cmocka_unit_test(no_event_is_left_out),
        cmocka_unit_test(what_an_account_sees_is_a_tree),
        cmocka_unit_test(each_finding_of_a_sweep_has_a_line),
        cmocka_unit_test(branches_that_descend_from_themselves_end),
        cmocka_unit_test(an_import_reports_what_is_there),
        cmocka_unit_test(an_inventory_goes_on_until_its_last_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
