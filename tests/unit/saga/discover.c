/*
 * DiscoverAccount: all that a key sees, in pages.
 */
#include "neon.h"

#include "base/text.h"
#include "base/unconst.h"
#include "saga/inventory.h"

#define DISCOVER "'discoverAccount':{'account':'main'}"
#define FILTERED "'discoverAccount':{'account':'main','projectFilter':'hop'}"
#define OTHERS_ONLY "'discoverAccount':{'account':'main','projectFilter':'blog'}"
#define NAMED                                                                                      \
    "200 {'regions':[{'region_id':'aws-us-east-1','name':'AWS US East 1'},"                        \
    "{'region_id':'azure-gwc'}]}"
#define REGIONS_LISTED                                                                             \
    {                                                                                              \
        "list_regions", NAMED, "GET /regions?org_id=org-1"                                         \
    }
#define SHOP PROJECT("p-1", "shop", "8")
#define MAIN_OF(more) BRANCHES(BRANCH_AS("br-1", "", "main", "9", more), "")
#define PARTIAL "200 {'projects':[" SHOP "],'unavailable_project_ids':['p-2']}"

static void unknown(Stage *stage)
{
    stage->claimed.account.found = false;
}

static void of_one_project(Stage *stage)
{
    TALK_SET(stage->claimed.account.key_kind, NULL, "", "project");
    TALK_SET(stage->claimed.account.project_id, NULL, "", "p-1");
}

static const Talk TALKS[] = {
    {"regions, projects and their branches, over several pages",
     DISCOVER,
     NULL,
     NULL,
     {REGIONS_LISTED,
      {"list_projects", PROJECTS_PAGE(SHOP, "c-1"), "GET /projects?|org_id=org-1|!cursor|!search"},
      {"list_projects", PROJECTS(PROJECT("p-2", "blog", "9")), "cursor=c-1"},
      {"list_branches", BRANCHES_PAGE(ROOT("br-1"), "", "c-2"),
       "GET /projects/p-1/branches|!cursor"},
      {"list_branches", BRANCHES(BRANCH_AS("br-2", "br-1", "pr", "9", ",'protected':true"), ""),
       "cursor=c-2"},
      {"list_branches", NO_BRANCHES, "GET /projects/p-2/branches|!cursor"},
      {"!end", "AccountInventory",
       "'page':1|'pages':1|'account':'main'|'regionId':'aws-us-east-1'|'name':'AWS US East 1'|"
       "'regionId':'azure-gwc'|'projectId':'p-1'|'pgVersion':17|'regionId':'aws-eu-central-1'|"
       "'default':true|'name':'main'|'parentId':'br-1'|'protected':true|'projectId':'p-2'|"
       "!'sequence'|!state{|row env= state=none"}}},
    {"only what has the filter in its name or id is asked for",
     FILTERED,
     NULL,
     NULL,
     {REGIONS_LISTED,
      {"list_projects", NO_PROJECTS, "search=hop"},
      {"!end", "AccountInventory", "'page':1|'pages':1|!'projects'"}}},
    {"a project that is gone since it was listed has no branches",
     DISCOVER,
     NULL,
     NULL,
     {REGIONS_LISTED,
      {"list_projects", PROJECTS(SHOP)},
      {"list_branches", NOT_FOUND},
      {"!end", "AccountInventory", "'projectId':'p-1'|!'branches'"}}},
    {"a key of one project sees that one",
     FILTERED,
     NULL,
     of_one_project,
     {{"list_regions", NOT_FOUND},
      {"list_projects", "200 {'project':" SHOP "}", "GET /projects/p-1 "},
      {"list_branches", MAIN_OF("")},
      {"!end", "AccountInventory", "'projectId':'p-1'|!'regions'"}}},
    {"... unless it isn't asked for",
     OTHERS_ONLY,
     NULL,
     of_one_project,
     {REGIONS_LISTED,
      {"list_projects", UNREADABLE},
      {"list_projects", "200 {'project':" SHOP "}", NULL, 500},
      {"!end", "AccountInventory", "!'projects'"}}},
    {"a listing without some projects is made again from its beginning",
     DISCOVER,
     NULL,
     NULL,
     {REGIONS_LISTED,
      {"list_projects", PROJECTS_PAGE(SHOP, "c-1")},
      {"list_projects", PARTIAL, "cursor=c-1"},
      {"list_projects", PROJECTS(SHOP), "!cursor", 500},
      {"list_branches", NO_BRANCHES},
      {"!end", "AccountInventory", "'projectId':'p-1'"}}},
    {"... and told in the end",
     DISCOVER,
     NULL,
     NULL,
     {REGIONS_LISTED,
      {"list_projects", PARTIAL},
      {"list_projects", PARTIAL, NULL, 500},
      {"list_projects", PARTIAL, NULL, 1000},
      {"list_projects", PARTIAL, NULL, 2000},
      {"list_projects", PARTIAL, NULL, 4000},
      {"list_projects", PARTIAL, NULL, 5000},
      {"!end", "CommandRejected", "'code':'INVENTORY_PARTIAL'"}}},
    {"who takes over reads again",
     DISCOVER,
     NULL,
     NULL,
     {REGIONS_LISTED,
      {"list_projects", PROJECTS(SHOP)},
      {"!takeover"},
      REGIONS_LISTED,
      {"list_projects", PROJECTS(SHOP)},
      {"list_branches", MAIN_OF("")},
      {"!end", "AccountInventory", "'projectId':'p-1'"}}},
    {"what can't be read is read again",
     DISCOVER,
     NULL,
     NULL,
     {{"list_regions", AWAY},
      {"list_regions", UNREADABLE, NULL, 500},
      {"list_regions", "200 {'regions':[{'name':'x'}]}", NULL, 1000},
      {"list_regions", NAMED, NULL, 2000},
      {"list_projects", AWAY},
      {"list_projects", UNREADABLE, NULL, 500},
      {"list_projects", PROJECTS(SHOP), NULL, 1000},
      {"list_branches", AWAY},
      {"list_branches", UNREADABLE, NULL, 500},
      {"list_branches", "200 {'branches':[{'id':'br-1'}],'annotations':{}}", NULL, 1000},
      {"list_branches", MAIN_OF(""), NULL, 2000},
      {"!end", "AccountInventory", "'branchId':'br-1'"}}},
    {"a project that can't be read",
     DISCOVER,
     NULL,
     NULL,
     {REGIONS_LISTED,
      {"list_projects", "200 {'projects':[{'id':'p-1'}]}"},
      {"list_projects", NO_PROJECTS, NULL, 500},
      {"!end", "AccountInventory", "!'projects'"}}},
    {"an unknown account",
     DISCOVER,
     NULL,
     unknown,
     {{"!end", "CommandRejected", "ACCOUNT_UNKNOWN"}}},
};

// ---- many

static void answer_with(Stage *stage, const char *step, json_t *body)
{
    Decision decision;
    saga_next(&stage->saga, stage->now, &decision);
    assert_int_equal(decision.kind, DECISION_EFFECT);
    assert_string_equal(decision.step->name, step);
    NeonReply reply = {.meaning = NEON_OK, .status = 200, .body = body};
    (void)saga_learn(&stage->saga, decision.step, &(Answer){.reply = &reply}, stage->now);
    decision_clear(&decision);
    json_decref(body);
}

static json_t *new_branches(int count)
{
    json_t *list = json_array();
    char id[32];
    for (int i = 0; i < count; i++) {
        (void)snprintf(id, sizeof id, "br-%d", i);
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", id, "project_id", "p-1", "name",
                            "a-branch-with-a-name-of-some-length-as-previews-have-them-in-real-"
                            "life-where-they-carry-a-ticket-and-a-title",
                            "current_state", "ready", "created_at", "2026-11-22T09:00:00Z"));
    }
    return json_pack("{s:o, s:{}}", "branches", list, "annotations");
}

static json_t *new_projects(int count)
{
    json_t *list = json_array();
    char id[32];
    for (int i = 0; i < count; i++) {
        (void)snprintf(id, sizeof id, "p-%d", i);
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:i, s:s}", "id", id, "name", "shop",
                                              "region_id", "aws-eu-central-1", "pg_version", 17,
                                              "created_at", "2026-11-22T09:00:00Z"));
    }
    return json_pack("{s:o}", "projects", list);
}

static void begin(Stage *stage, int projects)
{
    static const Talk TALK = {.action = DISCOVER};
    stage_open(stage, &TALK);
    stage_begin(stage);
    answer_with(stage, "list_regions", talk_json("{'regions':[]}"));
    answer_with(stage, "list_projects", new_projects(projects));
}

static void many_branches_stand_on_several_events(void **state)
{
    (void)state;
    Stage stage;
    begin(&stage, 3);
    for (int i = 0; i < 3; i++) {
        answer_with(&stage, "list_branches", new_branches(1800));
    }
    ConcludeContext context = {.outcome = {.source = "s",
                                           .application_id = "shop",
                                           .command_id = TALK_ID,
                                           .traceparent = "",
                                           .max_record_bytes = 1000000}};
    Conclusion conclusion;
    saga_conclude(&stage.saga, &context, &conclusion);
    const OutcomeMessage *outcome = outcome_message(conclusion.outcome);
    assert_in_range(outcome->n_records, 5, 9);
    size_t branches = 0;
    for (size_t i = 0; i < outcome->n_records; i++) {
        const ProtobufCBinaryData *value = &outcome->records[i]->value;
        assert_true(value->len < (size_t)256 * 1024);
        Provisioning__V1__Event *event =
            provisioning__v1__event__unpack(NULL, value->len, value->data);
        const Provisioning__V1__AccountInventory *inventory = event->account_inventory;
        assert_int_equal(inventory->page, i + 1);
        assert_int_equal(inventory->pages, outcome->n_records);
        for (size_t p = 0; p < inventory->n_projects; p++) {
            branches += inventory->projects[p]->n_branches;
        }
        provisioning__v1__event__free_unpacked(event, NULL);
    }
    assert_int_equal(branches, 5400);
    conclusion_clear(&conclusion);
    stage_close(&stage);
}

static void assert_refused(Stage *stage, const char *code)
{
    assert_string_equal(stage->saga.failure.error.code, code);
    assert_string_equal(stage->saga.failure.error.field, "discover_account.project_filter");
    stage_close(stage);
}

static void more_than_can_be_held_is_refused(void **state)
{
    (void)state;
    Stage stage;
    begin(&stage, INVENTORY_BYTES_MAX / 64);
    assert_refused(&stage, "INVENTORY_TOO_LARGE");
    begin(&stage, 2);
    answer_with(&stage, "list_branches", new_branches(9000));
    answer_with(&stage, "list_branches", new_branches(9000));
    assert_refused(&stage, "INVENTORY_TOO_LARGE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_branches_stand_on_several_events),
        cmocka_unit_test(more_than_can_be_held_is_refused),
    };
    return talk_run("discoveries", TALKS, TALK_COUNT(TALKS)) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
