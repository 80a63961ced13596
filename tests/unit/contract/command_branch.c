// What may be asked of branches: points, expiry, previews, resets.
#include "contract/command.h"

#include "kit.h"

#define X255                                                                                       \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
    "xx"                                                                                           \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
    "xx"                                                                                           \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define BRANCH(more)                                                                               \
    KIT_COMMAND(                                                                                   \
        "'branchEnvironment':{'environment':'staging','sourceEnvironment':'production'" more "}")
#define OPEN(more) KIT_COMMAND("'openPreview':{'pullRequest':72" more "}")
#define CLOSE(more) KIT_COMMAND("'closePreview':{'pullRequest':72" more "}")
#define RESET(more) KIT_COMMAND("'resetEnvironment':{'environment':'staging'" more "}")

static const KitCommandCase BRANCHES[] = {
    {BRANCH(",'pointInTime':'2026-11-22T08:07:00.25Z','expiresAt':'2026-11-30T08:00:00Z'"), NULL,
     ""},
    {BRANCH(",'lsn':'0/1A2b3C4D','schemaOnly':true"), NULL, ""},
    {BRANCH(",'lsn':'FFFFFFFF/FFFFFFFF'"), NULL, ""},
    {BRANCH(",'lsn':''"), "INVALID_VALUE", "branch_environment.lsn"},
    {BRANCH(",'lsn':'0/'"), "INVALID_VALUE", "branch_environment.lsn"},
    {BRANCH(",'lsn':'/1'"), "INVALID_VALUE", "branch_environment.lsn"},
    {BRANCH(",'lsn':'12'"), "INVALID_VALUE", "branch_environment.lsn"},
    {BRANCH(",'lsn':'0/1 '"), "INVALID_VALUE", "branch_environment.lsn"},
    {BRANCH(",'lsn':'123456789/0'"), "INVALID_VALUE", "branch_environment.lsn"},
    {BRANCH(",'lsn':'0/123456789'"), "INVALID_VALUE", "branch_environment.lsn"},
    {BRANCH(",'pointInTime':'1969-12-31T23:59:59Z'"), "INVALID_VALUE",
     "branch_environment.point_in_time"},
    {BRANCH(",'expiresAt':'1969-12-31T23:59:59Z'"), "INVALID_VALUE",
     "branch_environment.expires_at"},
};

static const KitCommandCase PREVIEWS[] = {
    {OPEN(""), NULL, ""},
    {OPEN(",'repository':'" X255 "','gitRef':'refs/heads/x','gitSha':'abc','reset':true,"
          "'expiresIn':'2592000s','services':[{'name':'api'}]"),
     NULL, ""},
    {KIT_COMMAND("'openPreview':{}"), "INVALID_VALUE", "open_preview.pull_request"},
    {KIT_COMMAND("'openPreview':{'pullRequest':-1}"), "INVALID_VALUE", "open_preview.pull_request"},
    {OPEN(",'repository':'x" X255 "'"), "INVALID_VALUE", "open_preview.repository"},
    {OPEN(",'gitRef':'x" X255 "'"), "INVALID_VALUE", "open_preview.git_ref"},
    {OPEN(",'gitSha':'x" X255 "'"), "INVALID_VALUE", "open_preview.git_sha"},
    {OPEN(",'expiresIn':'0s'"), "INVALID_VALUE", "open_preview.expires_in"},
    {OPEN(",'expiresIn':'-5s'"), "INVALID_VALUE", "open_preview.expires_in"},
    {OPEN(",'expiresIn':'2592000.1s'"), "INVALID_VALUE", "open_preview.expires_in"},
    {OPEN(",'services':[{}]"), "FIELD_REQUIRED", "open_preview.services[0].name"},
    {CLOSE(""), NULL, ""},
    {CLOSE(",'repository':'git.example/shop'"), NULL, ""},
    {KIT_COMMAND("'closePreview':{}"), "INVALID_VALUE", "close_preview.pull_request"},
    {CLOSE(",'repository':'x" X255 "'"), "INVALID_VALUE", "close_preview.repository"},
};

static const KitCommandCase RESETS[] = {
    {RESET(""), NULL, ""},
    {RESET(",'preserveUnderName':'before'"), NULL, ""},
    {KIT_COMMAND("'resetEnvironment':{'environment':'pr:72'}"), NULL, ""},
    {KIT_COMMAND("'resetEnvironment':{}"), "FIELD_REQUIRED", "reset_environment.environment"},
    {RESET(",'preserveUnderName':' before'"), "INVALID_NAME",
     "reset_environment.preserve_under_name"},
};

static void a_branch_may_begin_earlier_and_end(void **state)
{
    (void)state;
    kit_check_commands(BRANCHES, KIT_COUNT(BRANCHES));
}

static void a_preview_is_named_by_its_pull_request(void **state)
{
    (void)state;
    kit_check_commands(PREVIEWS, KIT_COUNT(PREVIEWS));
    Command *open CLEANUP(command_free_at) = kit_decode(OPEN(""));
    Command *close CLEANUP(command_free_at) = kit_decode(CLOSE(""));
    assert_string_equal(open->writes.name, "pr:72");
    assert_true(subject_equal(&open->writes, &close->writes));
    assert_true(command_source_is_base(open));
    assert_false(command_source_is_base(close));
    assert_string_equal(command_reserves(open), "branched");
    // accounts, what branches, and what changes its base meanwhile
    assert_int_equal(open->read_count, 3);
    assert_int_equal(open->reads[0].kind, SUBJECT_ACCOUNT);
    assert_int_equal(open->reads[1].kind, SUBJECT_APPLICATION);
    assert_int_equal(open->reads[2].kind, SUBJECT_ENVIRONMENT);
    assert_string_equal(open->reads[2].name, "");
    assert_int_equal(open->joins.kind, SUBJECT_NONE);
    assert_int_equal(close->excludes.kind, SUBJECT_APPLICATION);
    assert_int_equal(command_stops(open), COMMAND_STOPS_WAITING);
    assert_int_equal(command_stops(close), COMMAND_STOPS_ALL);
    assert_string_equal(command_repository(open), "");
    Command *shop CLEANUP(command_free_at) = kit_decode(OPEN(",'repository':'git.example/shop'"));
    assert_string_equal(command_repository(shop), "git.example/shop");
    Command *other CLEANUP(command_free_at) =
        kit_decode(CLOSE(",'repository':'git.example/other'"));
    assert_string_equal(command_repository(other), "git.example/other");
    Command *reset CLEANUP(command_free_at) = kit_decode(RESET(""));
    assert_string_equal(command_repository(reset), "");
}

static void a_reset_excludes_what_branches_off_or_changes_its_parent(void **state)
{
    (void)state;
    kit_check_commands(RESETS, KIT_COUNT(RESETS));
    Command *reset CLEANUP(command_free_at) = kit_decode(RESET(""));
    assert_int_equal(reset->excludes.kind, SUBJECT_ENVIRONMENT);
    assert_string_equal(reset->excludes.name, "");
    assert_int_equal(reset->joins.kind, SUBJECT_NONE);
}

static void nothing_branches_off_a_preview(void **state)
{
    (void)state;
    Command *preview CLEANUP(command_free_at) =
        kit_decode(KIT_COMMAND("'setupRoles':{'environment':'pr:72'}"));
    assert_int_equal(preview->joins.kind, SUBJECT_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_branch_may_begin_earlier_and_end),
        cmocka_unit_test(a_preview_is_named_by_its_pull_request),
        cmocka_unit_test(a_reset_excludes_what_branches_off_or_changes_its_parent),
        cmocka_unit_test(nothing_branches_off_a_preview),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
