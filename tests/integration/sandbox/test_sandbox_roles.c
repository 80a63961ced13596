/* The roles of a branch as Neon has them on every version: who is what, which passwords are
 * refused, and that roles made by SQL are the API's too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "subject.h"

static Box box;
static Subjects subjects;

static int start(void **state)
{
    (void)state;
    subjects = subjects_start(&box);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    box_stop(&box);
    return 0;
}

static void neon_superuser_is_a_member_of_what_its_version_gives(void **state)
{
    (void)state;
    /* NOLINTBEGIN(bugprone-suspicious-missing-comma): one text for each version */
    static const char *const WANTED[] = {
        [15] = "pg_monitor* pg_read_all_data pg_signal_backend* pg_write_all_data",
        [16] = "pg_create_subscription pg_monitor* pg_read_all_data pg_signal_backend* "
               "pg_write_all_data",
        [17] = "pg_create_subscription pg_maintain pg_monitor* pg_read_all_data "
               "pg_signal_backend* pg_write_all_data",
        [18] = "pg_create_subscription pg_maintain pg_monitor* pg_read_all_data "
               "pg_signal_autovacuum_worker pg_signal_backend* pg_write_all_data",
    };
    /* NOLINTEND(bugprone-suspicious-missing-comma) */
    for (int i = 0; i < subjects.count; i++) {
        const Subject *subject = &subjects.list[i];
        subject_expect(subject, box_text("%s'neon_superuser'", SUBJECT_MEMBERSHIPS),
                       WANTED[subject->major]);
        subject_expect(subject, box_text("%s'neon_superuser'", SUBJECT_ATTRIBUTES),
                       "f,t,t,t,f,t,t");
        subject_expect(subject, box_text("%s'neondb_owner'", SUBJECT_ATTRIBUTES), "f,t,t,t,t,t,t");
        subject_expect(subject, box_text("%s'neon_service'", SUBJECT_ATTRIBUTES), "f,t,t,t,t,t,t");
        subject_expect(subject, "SELECT oid FROM pg_roles WHERE rolname = 'cloud_admin'", "10");
    }
}

static void cloud_admin_gives_neon_superuser_its_rights(void **state)
{
    (void)state;
    for (int i = 0; i < subjects.count; i++) {
        const Subject *subject = &subjects.list[i];
        subject_expect(subject,
                       "SELECT string_agg(concat_ws(' ', d.defaclrole::regrole, n.nspname, "
                       "d.defaclobjtype, d.defaclacl::text), '; ' ORDER BY d.defaclobjtype) "
                       "FROM pg_default_acl d JOIN pg_namespace n ON n.oid = d.defaclnamespace",
                       subject->major < 17
                           ? "cloud_admin public S {neon_superuser=r*w*U*/cloud_admin}; "
                             "cloud_admin public r {neon_superuser=a*r*w*d*D*x*t*/cloud_admin}"
                           : "cloud_admin public S {neon_superuser=r*w*U*/cloud_admin}; "
                             "cloud_admin public r {neon_superuser=a*r*w*d*D*x*t*m*/cloud_admin}");
        subject_expect(subject,
                       "SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname='public'",
                       "pg_database_owner");
        subject_expect(subject,
                       "SELECT bool_and(has_database_privilege('neon_superuser', 'neondb', p)) "
                       "FROM unnest('{CREATE,CONNECT,TEMPORARY}'::text[]) p",
                       "t");
        const char *database = strstr(subject->uri, "/neondb?");
        const char *postgres = box_text("%.*s/postgres?%s", (int)(database - subject->uri),
                                        subject->uri, database + strlen("/neondb?"));
        login_assert(
            &box, postgres,
            box_text("SELECT bool_and(has_function_privilege('neon_superuser', f, 'EXECUTE')) "
                     "FROM unnest('{pg_show_replication_origin_status()%s}'::text[]) f",
                     subject->major < 16 ? "" : ",pg_export_snapshot(),pg_log_standby_snapshot()"),
            "t");
        login_assert(&box, postgres,
                     "SELECT count(*) > 0 FROM pg_stat_statements WHERE query LIKE '%default_acl%'",
                     "t");
    }
}

/* How a statement that sets a password ends, and whether the role is there afterwards. */
static void try_password(const Subject *subject, const char *password, const char *wanted)
{
    const char *error = NULL;
    const char *done = login_query(
        login_verify(&box, subject->uri),
        box_text("BEGIN; CREATE ROLE tried LOGIN PASSWORD '%s'; COMMIT", password), &error);
    if (wanted == NULL) {
        assert_non_null(done);
        subject_expect(subject, "DROP ROLE tried", "");
        return;
    }
    assert_null(done);
    if (strstr(error, wanted) == NULL) {
        fail_msg("'%s' is not in '%s'", wanted, error);
    }
    subject_expect(subject, "SELECT count(*) FROM pg_roles WHERE rolname = 'tried'", "0");
}

static void passwords_that_neon_refuses_fail_at_the_commit(void **state)
{
    (void)state;
    static const struct {
        const char *password;
        const char *wanted;
    } CASES[] = {
        {"short", "insecure password"},
        {"abcdefghijklmnopqrstuvwxyz", "insecure password"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaa", "insecure password"},
        {"Qwertyuiop0123456789", "insecure password"},
        {"", "empty password"},
        {"md5aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "only supports being given plaintext passwords"},
        {"SCRAM-SHA-256$4096:MDEyMzQ1Njc4OWFiY2RlZg==$"
         "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=:"
         "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
         "Received HTTP code 400 from control plane: {\"error\":\"Neon only supports being given "
         "plaintext passwords\"}"},
        {"Vk3r7TqPz0LmXw9BnYs5", NULL},
        {"correct horse battery staple", NULL},
    };
    for (int i = 0; i < subjects.count; i++) {
        for (size_t c = 0; c < sizeof(CASES) / sizeof(CASES[0]); c++) {
            try_password(&subjects.list[i], CASES[c].password, CASES[c].wanted);
        }
        /* What a savepoint took back is told to nobody. */
        subject_expect(&subjects.list[i],
                       "BEGIN; CREATE ROLE undone; SAVEPOINT s; ALTER ROLE undone PASSWORD 'weak'; "
                       "ROLLBACK TO s; COMMIT; DROP ROLE undone; SELECT 1",
                       "1");
    }
}

static void roles_made_by_sql_are_the_apis_too(void **state)
{
    (void)state;
    for (int i = 0; i < subjects.count; i++) {
        const Subject *subject = &subjects.list[i];
        const char *one = box_text("%s/roles/svc_sql", subject->branch);
        subject_expect(
            subject, "CREATE ROLE svc_sql LOGIN PASSWORD '" SUBJECT_PASSWORD "'; CREATE ROLE team",
            "");
        assert_string_equal(subject_read_role(subject, "svc_sql", "role.authentication_method"),
                            "password");
        assert_string_equal(subject_read_role(subject, "team", "role.authentication_method"),
                            "no_login");
        /* What SQL set is not told. */
        assert_int_equal(box_status(&box, "GET", box_text("%s/reveal_password", one), NULL), 404);
        /* A reset says LOGIN, whatever the role was. */
        REPLY reset =
            box_call(&box, "POST", box_text("%s/roles/team/reset_password", subject->branch), NULL);
        assert_int_equal(reset.status, 200);
        box_wait(&box, subject->project);
        assert_true(subject_logs_in(subject, "team", box_string(reset.json, "role.password")));
        assert_string_equal(subject_read_role(subject, "team", "role.authentication_method"),
                            "password");
        subject_expect(subject, "ALTER ROLE svc_sql RENAME TO svc_renamed", "");
        assert_string_equal(subject_read_role(subject, "svc_sql", "role.name"), "absent");
        assert_string_equal(subject_read_role(subject, "svc_renamed", "role.name"), "svc_renamed");
        subject_expect(subject, "DROP ROLE svc_renamed; DROP ROLE team", "");
        assert_string_equal(subject_read_role(subject, "svc_renamed", "role.name"), "absent");
        subject_restart(subject);
        subject_expect(
            subject, "SELECT count(*) FROM pg_roles WHERE rolname IN ('svc_renamed', 'team')", "0");
    }
}

static void a_database_changes_its_owner_and_name_by_the_api(void **state)
{
    (void)state;
    for (int i = 0; i < subjects.count; i++) {
        const Subject *subject = &subjects.list[i];
        const char *path = box_text("%s/databases/adopted", subject->branch);
        subject_expect(subject, "CREATE DATABASE adopted", "");
        subject_expect(subject, "CREATE ROLE db_admin", "");
        assert_int_equal(
            box_status(&box, "PATCH", path, "{\"database\":{\"owner_name\":\"nobody\"}}"), 404);
        assert_int_equal(box_status(&box, "PATCH", path, "{\"database\":{\"name\":\"neondb\"}}"),
                         409);
        REPLY changed = box_call(&box, "PATCH", path,
                                 "{\"database\":{\"owner_name\":\"db_admin\",\"name\":\"x y\"}}");
        assert_int_equal(changed.status, 200);
        assert_string_equal(box_string(changed.json, "operations.0.action"), "apply_config");
        box_wait(&box, subject->project);
        subject_expect(subject,
                       "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'x y'",
                       "db_admin");
        /* Who owns a database can't be deleted. */
        assert_int_equal(
            box_status(&box, "DELETE", box_text("%s/roles/db_admin", subject->branch), NULL), 422);
        assert_int_equal(
            box_status(&box, "DELETE", box_text("%s/databases/x%%20y", subject->branch), NULL),
            200);
        box_wait(&box, subject->project);
        subject_delete_role(subject, "db_admin");
    }
}

static void a_deleted_role_leaves_its_things_to_the_databases_owner(void **state)
{
    (void)state;
    for (int i = 0; i < subjects.count; i++) {
        const Subject *subject = &subjects.list[i];
        subject_expect(subject, "CREATE ROLE leaver CREATEROLE", "");
        subject_expect_admin(
            subject,
            "GRANT CREATE ON SCHEMA public TO leaver; SET ROLE leaver; "
            "CREATE TABLE left_behind (); CREATE ROLE helper; CREATE ROLE aide; "
            "RESET ROLE; GRANT helper TO leaver WITH ADMIN OPTION; SET ROLE leaver; "
            "GRANT helper TO aide",
            "");
        subject_delete_role(subject, "leaver");
        subject_expect(subject, "SELECT count(*) FROM pg_roles WHERE rolname = 'leaver'", "0");
        subject_expect(subject, "SELECT tableowner FROM pg_tables WHERE tablename = 'left_behind'",
                       "neondb_owner");
        subject_expect(subject, "DROP TABLE left_behind", "");
        subject_delete_role(subject, "helper");
        subject_delete_role(subject, "aide");
    }
}

static void a_branch_has_500_roles_at_most(void **state)
{
    (void)state;
    const Subject *subject = &subjects.list[0];
    subject_expect(
        subject,
        "DO $$ BEGIN FOR i IN 1 .. 500 - (SELECT count(*) FROM pg_roles WHERE rolname !~ "
        "'^(pg_|cloud_admin|neon_superuser|neon_service)') LOOP "
        "EXECUTE format('CREATE ROLE many_%s', i); END LOOP; END $$",
        "");
    subject_expect(subject, "DROP ROLE many_1", "");
    static const char ONE_MORE[] = "{\"role\":{\"name\":\"one_more\"}}";
    const char *roles = box_text("%s/roles", subject->branch);
    assert_int_equal(box_status(&box, "POST", roles, ONE_MORE), 201);
    box_wait(&box, subject->project);
    REPLY refused = box_call(&box, "POST", roles, "{\"role\":{\"name\":\"too_many\"}}");
    box_assert_error(&refused, 422, "ROLES_LIMIT_EXCEEDED", "roles limit exceeded");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neon_superuser_is_a_member_of_what_its_version_gives),
        cmocka_unit_test(cloud_admin_gives_neon_superuser_its_rights),
        cmocka_unit_test(passwords_that_neon_refuses_fail_at_the_commit),
        cmocka_unit_test(roles_made_by_sql_are_the_apis_too),
        cmocka_unit_test(a_database_changes_its_owner_and_name_by_the_api),
        cmocka_unit_test(a_deleted_role_leaves_its_things_to_the_databases_owner),
        cmocka_unit_test(a_branch_has_500_roles_at_most),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
