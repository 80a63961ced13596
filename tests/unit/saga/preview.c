/*
 * Previews: what they branch off, one that is opened, again or anew, and closed.
 */
#include "preview_lines.h"

#include <string.h>

#define SET_BASE "'setPreviewBase':{'environment':'staging'}"

static void gone(Stage *stage)
{
    preview_set_source(stage, LEDGER_STATE_GONE, "");
}

static void without_branch(Stage *stage)
{
    preview_set_source(stage, LEDGER_STATE_READY, "");
}

static void expiring(Stage *stage)
{
    preview_ready(stage);
    json_object_set_new(stage->claimed.source.details, "expires_at_ms", json_integer(1));
}

static const Talk BASES[] = {
    {"an environment becomes the base",
     SET_BASE,
     NULL,
     preview_ready,
     {{"!end", "PreviewBaseSet",
       "'subject':'applications/shop'|'environment':'staging'|'sequence':'5'|"
       "state{'application':{'previewBase':'staging'}|row env= state=none seq=5"}}},
    {"one that is gone",
     SET_BASE,
     NULL,
     gone,
     {{"!end", "CommandRejected",
       "'code':'SOURCE_NOT_ON_NEON'|'field':'set_preview_base.environment'|seq=0"}}},
    {"one that has no branch",
     SET_BASE,
     NULL,
     without_branch,
     {{"!end", "CommandRejected", "'code':'SOURCE_NOT_ON_NEON'"}}},
    {"one that expires",
     SET_BASE,
     NULL,
     expiring,
     {{"!end", "CommandRejected", "'code':'BASE_EXPIRES'"}}},
};

#define CLOSE "'closePreview':{'pullRequest':7}"
#define CLOSE_EXPIRED "'closePreview':{'pullRequest':7,'ifExpired':true}"

static void base_gone(Stage *stage)
{
    preview_based(stage);
    stage->claimed.source.state = LEDGER_STATE_GONE;
}

static void base_deleting(Stage *stage)
{
    preview_based(stage);
    stage->claimed.source.state = LEDGER_STATE_DELETING;
}

static void base_failed(Stage *stage)
{
    preview_based(stage);
    stage->claimed.source.state = LEDGER_STATE_FAILED;
}

static void base_expiring(Stage *stage)
{
    preview_based(stage);
    json_object_set_new(stage->claimed.source.details, "expires_at_ms", json_integer(1));
}

static void base_of_other_account(Stage *stage)
{
    preview_based(stage);
    assert_true(
        text_copy(stage->claimed.source.account, sizeof stage->claimed.source.account, "second"));
}

static void without_account(Stage *stage)
{
    preview_based(stage);
    stage->claimed.account.found = false;
}

static void scoped_elsewhere(Stage *stage)
{
    LedgerAccount *account = &stage->claimed.account;
    preview_based(stage);
    TALK_SET(account->key_kind, NULL, "", "project");
    TALK_SET(account->project_id, NULL, "", "p-9");
}

static void base_of_organization(Stage *stage)
{
    preview_based(stage);
    json_object_set_new(stage->claimed.source.details, "neon_account_id", json_string("neon-2"));
    json_object_set_new(stage->claimed.source.details, "org_id", json_string("org-1"));
}

static const Talk OPENED[] = {
    {"a preview is branched off the base, with what it is for beside our mark",
     OPEN(",'repository':'git.example/shop','gitRef':'refs/pull/7/head','gitSha':'abc',"
          "'expiresIn':'3600s'"),
     NULL,
     preview_based,
     {BEGIN,
      {"create_branch", MADE_7,
       "'name':'preview/pr-7'|'parent_id':'br-parent'|'expires_at':'2026-|"
       "'provisioner.repository':'git.example/shop'|'provisioner.git_ref':'refs/pull/7/head'|"
       "'provisioner.git_sha':'abc'|'provisioner.environment':'pr:7'"},
      AWAITED,
      ROTATED,
      {"find_connection", CONNECTION_URI("ep-1")},
      {"find_pooled_host", CONNECTION_URI("ep-1-pooler")},
      {"check_login", "ok"},
      {"!end", "EnvironmentBranched",
       "'created':true|'environment':'pr:7'|'sourceEnvironment':'main'|'expiresAt':'2026-|"
       "state=ready|'repository':'git.example/shop'|branch=br-1|'neon_account_id':'neon-1'|"
       "!org_id"}}},
    {"its project is in the organization that the base's is in",
     OPEN(""),
     NULL,
     base_of_organization,
     {BEGIN,
      {"create_branch", MADE_7},
      AWAITED,
      ROTATED,
      {"find_connection", CONNECTION_URI("ep-1")},
      {"find_pooled_host", CONNECTION_URI("ep-1-pooler")},
      {"check_login", "ok"},
      {"!end", "EnvironmentBranched", "'neon_account_id':'neon-1','org_id':'org-1'"}}},
    {"no base was set",
     OPEN(""),
     NULL,
     NULL,
     {{"!end", "CommandRejected",
       "'code':'PREVIEW_BASE_UNSET'|'field':'open_preview.pull_request'|state=gone"}}},
    {"the base is gone",
     OPEN(""),
     NULL,
     base_gone,
     {{"!end", "CommandRejected", "'code':'PREVIEW_BASE_GONE'"}}},
    {"the base is being deleted",
     OPEN(""),
     NULL,
     base_deleting,
     {{"!end", "CommandRejected", "'code':'SOURCE_DELETING'"}}},
    {"the base isn't on Neon",
     OPEN(""),
     NULL,
     base_failed,
     {{"!end", "CommandRejected", "'code':'SOURCE_NOT_ON_NEON'"}}},
    {"the base expires",
     OPEN(""),
     NULL,
     base_expiring,
     {{"!end", "CommandRejected", "'code':'SOURCE_EXPIRES'"}}},
    {"the account was disconnected",
     OPEN(""),
     NULL,
     without_account,
     {{"!end", "CommandRejected", "'code':'ACCOUNT_UNKNOWN'"}}},
    {"a key that is kept to another project than the base's",
     OPEN(""),
     NULL,
     scoped_elsewhere,
     {{"!end", "CommandRejected",
       "'code':'KEY_SCOPE'|'field':'open_preview.pull_request'|p-9|p-1|state=gone"}}},
    {"a row of another kind holds the name",
     OPEN(""),
     "{'state':'failed','action':'BranchEnvironment'}",
     preview_based,
     {{"!end", "CommandRejected", "'code':'ENVIRONMENT_EXISTS'"}}},
    {"what was made is undone when it can't be finished",
     OPEN(""),
     NULL,
     preview_based,
     {BEGIN,
      {"create_branch", MADE_7},
      {"!fail", "CRASH_LOOP"},
      {"!save"},
      {"undo_delete_branch", "200 {'branch':{}}", "DELETE /projects/p-1/branches/br-1"},
      {"undo_find_branch", NO_BRANCHES},
      {"!end", "CommandFailed", "'undone':['branch br-1']|state=gone"}}},
    {"its name is held by somebody else",
     OPEN(""),
     NULL,
     preview_based,
     {{"announce", "ok"},
      {"check_source_stays", "0"},
      PROJECT_READ,
      {"find_branch", BRANCHES(CHILD("br-6", "preview/pr-7"), "")},
      {"!end", "CommandRejected",
       "'code':'BRANCH_NAME_TAKEN'|'field':'open_preview.pull_request'|preview/pr-7|"
       "rename or delete that branch|!another name"}}},
};

static const Talk AGAIN[] = {
    {"opened again it is the same one",
     OPEN(""),
     ROW_7(""),
     preview_based,
     {{"find_preview", ONE_BRANCH(BRANCH_7("")), "GET /projects/p-1/branches/br-1"},
      {"!end", "EnvironmentBranched", "!'created'|'branchId':'br-1'|!'sequence'|!state{"}}},
    {"a later expiry is asked for, and looked at",
     OPEN(",'expiresIn':'86400s'"),
     ROW_7(",'expires_at_ms':1"),
     preview_based,
     {{"find_preview", ONE_BRANCH(EXPIRING("2026-11-22T09:00:00Z"))},
      {"extend_expiry", "200 {'branch':" BRANCH_7("") ",'operations':[{'id':'op-1'}]}",
       "PATCH /projects/p-1/branches/br-1 {'branch':{'expires_at':'2026-11-23T|lock=p-1"},
      {"await_operations", OPERATION("finished")},
      {"find_preview", ONE_BRANCH(EXPIRING("2027-11-23T09:00:00Z"))},
      {"!end", "EnvironmentBranched",
       "!'created'|'sequence':'5'|'expiresAt':'2027-11-23T|state{"}}},
    {"an earlier one isn't",
     OPEN(",'expiresIn':'60s'"),
     ROW_7(",'expires_at_ms':1826960400000"),
     preview_based,
     {{"find_preview", ONE_BRANCH(EXPIRING("2027-11-23T09:00:00Z"))},
      {"!end", "EnvironmentBranched", "!'created'|'expiresAt':'2027-11-23T"}}},
    {"somebody has made it last at Neon: that is learnt, and kept",
     OPEN(",'expiresIn':'60s'"),
     ROW_7(",'expires_at_ms':1"),
     preview_based,
     {{"find_preview", ONE_BRANCH(BRANCH_7(",'expires_at':null"))},
      {"!end", "EnvironmentBranched",
       "!'created'|'sequence':'5'|!'expiresAt'|state{|!expires_at_ms|state=ready"}}},
    {"a reply that was lost: looked at again",
     OPEN(",'expiresIn':'86400s'"),
     ROW_7(""),
     preview_based,
     {{"find_preview", UNREADABLE},
      {"find_preview", ONE_BRANCH(EXPIRING("2026-11-22T09:00:00Z")), NULL, 500},
      {"extend_expiry", "lost"},
      {"find_preview", ONE_BRANCH(EXPIRING("2027-11-23T09:00:00Z")), NULL,
       TALK_SETTLE_MS - TALK_EFFECT_MS},
      {"!end", "EnvironmentBranched", "!'created'|'sequence':'5'"}}},
    {"an extension that Neon refuses leaves all as it was",
     OPEN(",'expiresIn':'86400s'"),
     ROW_7(""),
     preview_based,
     {{"find_preview", ONE_BRANCH(EXPIRING("2026-11-22T09:00:00Z"))},
      {"extend_expiry", ERROR("400", "", "not for your plan")},
      {"!save"},
      {"!end", "CommandFailed", "not for your plan|!'left'|state=ready|branch=br-1"}}},
    {"a key that is refused",
     OPEN(""),
     ROW_7(""),
     preview_based,
     {{"find_preview", DENIED}, {"!end", "CommandRejected", "'code':'NEON_DENIED'"}}},
    {"its branch is gone: it is made anew",
     OPEN(",'expiresIn':'86400s'"),
     ROW_7(",'repository':'git.example/shop'"),
     preview_based,
     {{"find_preview", NOT_FOUND},
      {"find_preview", NOT_FOUND, NULL, TALK_LAG_MS},
      BEGIN,
      {"create_branch", MADE_7},
      {"!takeover"},
      AWAITED,
      ROTATED,
      {"find_connection", CONNECTION_URI("ep-1")},
      {"find_pooled_host", CONNECTION_URI("ep-1-pooler")},
      {"check_login", "ok"},
      {"!end", "EnvironmentBranched",
       "'created':true|'repository':'git.example/shop'|state=ready"}}},
    {"... but not off a base of another account",
     OPEN(""),
     ROW_7(""),
     base_of_other_account,
     {{"find_preview", NOT_FOUND},
      {"find_preview", NOT_FOUND, NULL, TALK_LAG_MS},
      {"!end", "CommandRejected", "'code':'PREVIEW_BASE_MOVED'"}}},
    {"... nor off one that is gone",
     OPEN(""),
     ROW_7(""),
     base_gone,
     {{"find_preview", NOT_FOUND},
      {"find_preview", NOT_FOUND, NULL, TALK_LAG_MS},
      {"!end", "CommandRejected", "'code':'PREVIEW_BASE_GONE'"}}},
    {"the pull request of another repository",
     OPEN(",'repository':'git.example/blog'"),
     ROW_7(",'repository':'git.example/shop'"),
     preview_based,
     {{"!end", "CommandRejected",
       "'code':'PREVIEW_OF_OTHER_REPOSITORY'|'field':'open_preview.repository'"}}},
    {"a key that is now kept to another project",
     OPEN(""),
     ROW_7(""),
     scoped_elsewhere,
     {{"!end", "CommandRejected", "'code':'KEY_SCOPE'|'field':'open_preview.pull_request'|p-9"}}},
    {"one whose account was disconnected",
     OPEN(""),
     ROW_7(""),
     without_account,
     {{"!end", "CommandRejected", "'code':'ACCOUNT_UNKNOWN'"}}},
};

static const Talk CLOSED[] = {
    {"its branch is deleted by its id",
     CLOSE,
     ROW_7(""),
     NULL,
     {{"mark_deleting", "ok", "state=deleting|lock=p-1"},
      {"check_branches", BRANCHES(BRANCH_7(""), "")},
      {"delete_branch", "200 {'branch':{},'operations':[{'id':'op-1'}]}",
       "DELETE /projects/p-1/branches/br-1|lock=p-1"},
      {"await_operations", OPERATION("finished")},
      {"!end", "EnvironmentDeleted",
       "'environment':'pr:7'|'branchId':'br-1'|tombstone|state=gone"}}},
    {"what one that failed has left goes by its id, and nothing else is listed",
     CLOSE,
     "{'state':'failed','origin':'branched','account':'main','project_id':'p-1','details':{"
     "'branch_name':'preview/pr-7','left':[{'project_id':'p-1','branch_id':'br-1'}]}}",
     NULL,
     {{"mark_deleting", "ok", "state=deleting|lock=p-1"},
      {"remove_leftover", "200 {'branch':{}}", "DELETE /projects/p-1/branches/br-1|lock=p-1"},
      {"confirm_gone", NO_BRANCHES, "search=preview%2Fpr-7"},
      {"confirm_gone", NO_BRANCHES, NULL, -1},
      {"!end", "EnvironmentDeleted", "'environment':'pr:7'|tombstone|state=gone"}}},
    {"one that has expired, where it is only to be closed then",
     CLOSE_EXPIRED,
     ROW_7(",'expires_at_ms':1795334820000"),
     NULL,
     {{"mark_deleting", "ok"},
      {"check_branches", NO_BRANCHES},
      {"check_branches", NO_BRANCHES, NULL, TALK_LAG_MS},
      {"!end", "EnvironmentDeleted", "'environment':'pr:7'|tombstone|state=gone"}}},
    {"... and whose branch Neon has not removed yet",
     CLOSE_EXPIRED,
     ROW_7(",'expires_at_ms':1795334820000"),
     NULL,
     {{"mark_deleting", "ok"},
      {"check_branches", BRANCHES(EXPIRING("2026-11-22T08:07:00Z"), "")},
      {"delete_branch", "200 {'branch':{}}", "DELETE /projects/p-1/branches/br-1"},
      {"!end", "EnvironmentDeleted", "'environment':'pr:7'|tombstone|state=gone"}}},
    {"... and one that somebody has made last at Neon",
     CLOSE_EXPIRED,
     ROW_7(",'expires_at_ms':1795334820000"),
     NULL,
     {{"mark_deleting", "ok"},
      {"check_branches", BRANCHES(BRANCH_7(",'expires_at':null"), "")},
      {"!end", "CommandRejected",
       "'code':'NOT_EXPIRED'|'field':'close_preview.if_expired'|doesn't expire at Neon|"
       "state=ready seq=0"}}},
    {"... and one that has not",
     CLOSE_EXPIRED,
     ROW_7(",'expires_at_ms':1795334820001"),
     NULL,
     {{"!end", "CommandRejected",
       "'code':'NOT_EXPIRED'|'field':'close_preview.if_expired'|row env= state=none"}}},
    {"... or never does",
     CLOSE_EXPIRED,
     ROW_7(""),
     NULL,
     {{"!end", "CommandRejected", "'code':'NOT_EXPIRED'|row env= state=none"}}},
    {"one that was never opened",
     CLOSE,
     NULL,
     NULL,
     {{"!end", "EnvironmentDeleted",
       "'environment':'pr:7'|!'sequence'|!tombstone|row env= state=none"}}},
    {"one that is gone",
     CLOSE,
     "{'state':'gone'}",
     NULL,
     {{"!end", "EnvironmentDeleted", "!'sequence'|row env= state=none"}}},
    {"one of another repository",
     "'closePreview':{'pullRequest':7,'repository':'git.example/blog'}",
     ROW_7(",'repository':'git.example/shop'"),
     NULL,
     {{"!end", "CommandRejected",
       "'code':'PREVIEW_OF_OTHER_REPOSITORY'|'field':'close_preview.repository'"}}},
    {"a key that is now kept to another project",
     CLOSE,
     ROW_7(""),
     scoped_elsewhere,
     {{"!end", "CommandRejected", "'code':'KEY_SCOPE'|'field':'close_preview.pull_request'|p-9"}}},
    {"one whose account was disconnected",
     CLOSE,
     ROW_7(""),
     without_account,
     {{"!end", "CommandRejected", "'code':'ACCOUNT_UNKNOWN'"}}},
};

int main(void)
{
    return talk_run("SetPreviewBase", BASES, TALK_COUNT(BASES)) +
           talk_run("OpenPreview", OPENED, TALK_COUNT(OPENED)) +
           talk_run("OpenPreview again", AGAIN, TALK_COUNT(AGAIN)) +
           talk_run("ClosePreview", CLOSED, TALK_COUNT(CLOSED));
}
