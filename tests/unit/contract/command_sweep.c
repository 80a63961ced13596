// What looks for what was left, and deletes it.
#include "contract/command.h"

#include "kit.h"

#define ID "5d1c6b7e-0000-4000-8000-00000000000a"
#define ORPHAN(environment, account, project, branch, command)                                     \
    KIT_COMMAND("'deleteOrphan':{'environment':'" environment "','account':'" account              \
                "','projectId':'" project "','branchId':'" branch "','commandId':'" command "'}")

static const KitCommandCase SWEEPS[] = {
    {KIT_COMMAND("'sweepAccount':{'account':'main'}"), NULL, ""},
    {KIT_COMMAND("'sweepAccount':{'account':'main','deleteOrphans':true}"), NULL, ""},
    {KIT_COMMAND("'sweepAccount':{}"), "FIELD_REQUIRED", "sweep_account.account"},
    {KIT_COMMAND("'sweepAccount':{'account':'Main'}"), "INVALID_NAME", "sweep_account.account"},
};

#define BYTES_63 "123456789 123456789 123456789 123456789 123456789 123456789 123"
#define SEEN_BY(account, organization)                                                             \
    ORPHAN("main", "main", "p-1", "br-1",                                                          \
           ID "','neonAccountId':'" account "','orgId':'" organization)

static const KitCommandCase ORPHANS[] = {
    {SEEN_BY("7b0b3b5c-3d8e-4c06-9c6b-2f1d7a9e0009", "org-1"), NULL, ""},
    {SEEN_BY("org-1", ""), NULL, ""},
    {SEEN_BY(BYTES_63 BYTES_63 "1", "org-1"), NULL, ""},
    {SEEN_BY(BYTES_63 BYTES_63 "12", ""), "INVALID_VALUE", "delete_orphan.neon_account_id"},
    {SEEN_BY("neon-1", "Org"), "INVALID_NAME", "delete_orphan.org_id"},
    {ORPHAN("main", "main", "p-1", "br-1", ID), NULL, ""},
    {ORPHAN("pr:72", "main", "p-1", "br-1", ID), NULL, ""},
    {ORPHAN("", "main", "p-1", "br-1", ID), "FIELD_REQUIRED", "delete_orphan.environment"},
    {ORPHAN("main", "", "p-1", "br-1", ID), "FIELD_REQUIRED", "delete_orphan.account"},
    {ORPHAN("main", "main", "", "br-1", ID), "FIELD_REQUIRED", "delete_orphan.project_id"},
    {ORPHAN("main", "main", "P 1", "br-1", ID), "INVALID_NAME", "delete_orphan.project_id"},
    {ORPHAN("main", "main", "p-1", "", ID), "FIELD_REQUIRED", "delete_orphan.branch_id"},
    {ORPHAN("main", "main", "p-1", "../x", ID), "INVALID_NAME", "delete_orphan.branch_id"},
    {ORPHAN("main", "main", "p-1", "br-1", ""), "FIELD_REQUIRED", "delete_orphan.command_id"},
    {ORPHAN("main", "main", "p-1", "br-1", "that one"), "INVALID_VALUE",
     "delete_orphan.command_id"},
};

static void a_sweep_only_reads_its_account(void **state)
{
    (void)state;
    kit_check_commands(SWEEPS, KIT_COUNT(SWEEPS));
    Command *sweep CLEANUP(command_free_at) =
        kit_decode(KIT_COMMAND("'sweepAccount':{'account':'main'}"));
    assert_int_equal(sweep->writes.kind, SUBJECT_ACCOUNT);
    assert_string_equal(sweep->writes.name, "main");
    assert_true(sweep->only_reads);
    assert_string_equal(command_account(sweep), "main");
}

static void nothing_runs_beside_the_deletion_of_an_orphan(void **state)
{
    (void)state;
    kit_check_commands(ORPHANS, KIT_COUNT(ORPHANS));
    Command *orphan CLEANUP(command_free_at) =
        kit_decode(ORPHAN("pr:72", "second", "p-1", "br-1", ID));
    assert_int_equal(orphan->writes.kind, SUBJECT_ENVIRONMENT);
    assert_string_equal(orphan->writes.name, "pr:72");
    assert_false(orphan->only_reads);
    assert_string_equal(command_account(orphan), "second");
    assert_int_equal(orphan->excludes.kind, SUBJECT_APPLICATION);
    assert_string_equal(command_reserves(orphan), "");
}

// It may be one of those that keep the preview from expiring.
static void what_closes_only_the_expired_stops_nothing(void **state)
{
    (void)state;
    Command *close CLEANUP(command_free_at) =
        kit_decode(KIT_COMMAND("'closePreview':{'pullRequest':72,'ifExpired':true}"));
    assert_int_equal(command_stops(close), COMMAND_STOPS_NONE);
    Command *always CLEANUP(command_free_at) =
        kit_decode(KIT_COMMAND("'closePreview':{'pullRequest':72}"));
    assert_int_equal(command_stops(always), COMMAND_STOPS_ALL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sweep_only_reads_its_account),
        cmocka_unit_test(nothing_runs_beside_the_deletion_of_an_orphan),
        cmocka_unit_test(what_closes_only_the_expired_stops_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
