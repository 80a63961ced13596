/*
 * A journal whose facts have other types than ours: they count as absent.
 */
#include "branch_lines.h"

static void set_journal(Stage *stage, const char *text)
{
    json_decref(stage->claimed.journal);
    stage->claimed.journal = talk_json(text);
}

static void strange_facts(Stage *stage)
{
    set_journal(stage, "{'parent_id':'br-parent','project_id':'p-1','announced':true,"
                       "'not_deleting':true,'project_read':true,'branch_id':'br-1',"
                       "'branch_ready':true,'endpoint_ready':true,'endpoint_id':'ep-1',"
                       "'created_at_ms':'long ago','operations':[7],'expected_roles':'all',"
                       "'roles_to_rotate':['app_owner',1],'rotated_roles':[null,2],"
                       "'old_passwords':3,'databases':['app'],'database':5}");
}

static void strange_lists(Stage *stage)
{
    set_journal(stage, "{'parent_id':'br-parent','project_id':'p-1','branch_id':'br-1',"
                       "'gave_up':[3],'undone':'much','drift':[4]}");
    stage->claimed.undoing = true;
    stage->claimed.had_intent = true;
    stage->claimed.first_error = talk_json("{'kind':2,'code':5,'text':[]}");
}

static const Talk TALKS[] = {
    {"facts that are no texts are found out again",
     BRANCH,
     NULL,
     strange_facts,
     {{"list_parent_roles", ROLES(ROLE("app_owner"))},
      {"find_databases", DATABASES},
      {"list_roles", ROLES(ROLE("app_owner"))},
      {"reveal_password", PASSWORD("old")},
      {"reset_password", "200 {'role':{},'operations':[{'id':'op-2'}]}"},
      {"find_connection", CONNECTION_URI("ep-1"), "database_name=app"},
      {"find_pooled_host", CONNECTION_URI("ep-1-pooler")},
      {"check_login", "ok"},
      {"!end", "EnvironmentBranched", "'rotatedRoles':['app_owner']|'databases':['app','jobs']"}}},
    {"lists of what was undone, given up and left may hold no texts",
     BRANCH,
     "{'state':'creating','origin':'branched','action':'BranchEnvironment','command_id':'" TALK_ID
     "','details':{'left':[{'project_id':6},{'branch_id':7}]}}",
     strange_lists,
     {UNDONE, {"!end", "CommandFailed", "'undone':['branch br-1']|'project '"}}},
};

int main(void)
{
    return talk_run("facts", TALKS, TALK_COUNT(TALKS));
}
