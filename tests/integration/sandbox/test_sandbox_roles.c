/* The roles of a branch as Neon has them on every version, and what its control plane does to them:
 * refuses passwords, knows what SQL did, and brings a cluster back to what it knows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include "box.h"
#include "login.h"

static const char STRONG[] = "Vk3r7TqPz0LmXw9BnYs5";

/* A project of each version, for all tests. */
typedef struct Subject {
    const char *major;
    const char *uri;
    const char *project;
    const char *branch_id;
    const char *branch; /* path */
    const char *endpoint;
    const char *socket_dir; /* cloud_admin's way in */
} Subject;

static Box box;
static LoginVersions versions;
static Subject subjects[LOGIN_VERSIONS_MAX];

static const char *find_cluster(const Box *of, const char *branch_id, const char *member)
{
    REPLY state = box_call(of, "GET", "/sandbox/state", NULL);
    size_t p = 0;
    const json_t *project = NULL;
    json_array_foreach(box_find(state.json, "projects"), p, project)
    {
        size_t b = 0;
        const json_t *branch = NULL;
        json_array_foreach(box_find(project, "branches"), b, branch)
        {
            if (strcmp(box_string(branch, "id"), branch_id) == 0) {
                return box_text("%s", box_string(branch, member));
            }
        }
    }
    fail_msg("no branch %s", branch_id);
    return NULL;
}

static Subject make_subject(const Box *of, const char *major)
{
    Subject subject = {.major = major};
    REPLY made = login_create_project(of, major, &subject.uri);
    subject.project = box_text("%s", box_string(made.json, "project.id"));
    subject.branch_id = box_text("%s", box_string(made.json, "branch.id"));
    subject.branch = box_text("/projects/%s/branches/%s", subject.project, subject.branch_id);
    subject.endpoint = box_text("/projects/%s/endpoints/%s", subject.project,
                                box_string(made.json, "endpoints.0.id"));
    subject.socket_dir = find_cluster(of, subject.branch_id, "socket_dir");
    return subject;
}

static int start(void **state)
{
    (void)state;
    versions = login_list_versions("--operation-ms", "20");
    box_start(&box, versions.arguments);
    for (int i = 0; i < versions.count; i++) {
        subjects[i] = make_subject(&box, versions.majors[i]);
    }
    return 0;
}

static int stop(void **state)
{
    (void)state;
    box_stop(&box);
    return 0;
}

static int major_of(const Subject *subject)
{
    return (int)strtol(subject->major, NULL, 10);
}

/* As the owner, in neondb. */
static void expect(const Subject *subject, const char *sql, const char *wanted)
{
    login_assert(&box, subject->uri, sql, wanted);
}

/* As Neon's superuser, which the control plane isn't told of. */
static void expect_admin(const Subject *subject, const char *sql, const char *wanted)
{
    const char *error = NULL;
    const char *value = login_query(
        box_text("host=%s port=5432 user=cloud_admin dbname=neondb", subject->socket_dir), sql,
        &error);
    if (value == NULL) {
        fail_msg("%s: %s", sql, error);
        return;
    }
    assert_string_equal(value, wanted);
}

/* The URI of another role or database. */
static const char *as(const Subject *subject, const char *role, const char *password,
                      const char *database)
{
    const char *host = strchr(subject->uri, '@');
    const char *query = strchr(host, '?');
    return box_text("postgresql://%s:%s%.*s/%s%s", role, password, (int)(strrchr(host, '/') - host),
                    host, database, query);
}

static bool logs_in(const Subject *subject, const char *role, const char *password)
{
    const char *uri = login_verify(&box, as(subject, role, password, "neondb"));
    return login_query(uri, "SELECT 1", NULL) != NULL;
}

static void restart(const Box *of, const Subject *subject)
{
    assert_int_equal(box_status(of, "POST", box_text("%s/suspend", subject->endpoint), NULL), 200);
    box_wait(of, subject->project);
    assert_int_equal(box_status(of, "POST", box_text("%s/start", subject->endpoint), NULL), 200);
    box_wait(of, subject->project);
}

static const char MEMBERSHIPS[] =
    "SELECT string_agg(g.rolname || CASE WHEN m.admin_option THEN '*' ELSE '' END, ' ' "
    "ORDER BY g.rolname) FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid "
    "JOIN pg_roles u ON u.oid = m.member WHERE u.rolname = ";

static const char ATTRIBUTES[] =
    "SELECT concat_ws(',', rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, "
    "rolreplication, rolbypassrls) FROM pg_roles WHERE rolname = ";

static void neon_superuser_is_a_member_of_what_its_version_gives(void **state)
{
    (void)state;
    static const char *const WANTED[] = {
        [15] = "pg_monitor* pg_read_all_data pg_signal_backend* pg_write_all_data",
        [16] = "pg_create_subscription pg_monitor* pg_read_all_data pg_signal_backend* "
               "pg_write_all_data",
        [17] = "pg_create_subscription pg_maintain pg_monitor* pg_read_all_data "
               "pg_signal_backend* pg_write_all_data",
        [18] = "pg_create_subscription pg_maintain pg_monitor* pg_read_all_data "
               "pg_signal_autovacuum_worker pg_signal_backend* pg_write_all_data",
    };
    for (int i = 0; i < versions.count; i++) {
        const Subject *subject = &subjects[i];
        expect(subject, box_text("%s'neon_superuser'", MEMBERSHIPS), WANTED[major_of(subject)]);
        expect(subject, box_text("%s'neon_superuser'", ATTRIBUTES), "f,t,t,t,f,t,t");
        expect(subject, box_text("%s'neondb_owner'", ATTRIBUTES), "f,t,t,t,t,t,t");
        expect(subject, box_text("%s'neon_service'", ATTRIBUTES), "f,t,t,t,t,t,t");
        expect(subject, "SELECT oid FROM pg_roles WHERE rolname = 'cloud_admin'", "10");
    }
}

static void cloud_admin_gives_neon_superuser_its_rights(void **state)
{
    (void)state;
    for (int i = 0; i < versions.count; i++) {
        const Subject *subject = &subjects[i];
        expect(subject,
               "SELECT string_agg(concat_ws(' ', d.defaclrole::regrole, n.nspname, "
               "d.defaclobjtype, d.defaclacl::text), '; ' ORDER BY d.defaclobjtype) "
               "FROM pg_default_acl d JOIN pg_namespace n ON n.oid = d.defaclnamespace",
               major_of(subject) < 17
                   ? "cloud_admin public S {neon_superuser=r*w*U*/cloud_admin}; "
                     "cloud_admin public r {neon_superuser=a*r*w*d*D*x*t*/cloud_admin}"
                   : "cloud_admin public S {neon_superuser=r*w*U*/cloud_admin}; "
                     "cloud_admin public r {neon_superuser=a*r*w*d*D*x*t*m*/cloud_admin}");
        expect(subject, "SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname='public'",
               "pg_database_owner");
        expect(subject,
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
                     major_of(subject) < 16 ? ""
                                            : ",pg_export_snapshot(),pg_log_standby_snapshot()"),
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
        expect(subject, "DROP ROLE tried", "");
        return;
    }
    assert_null(done);
    if (strstr(error, wanted) == NULL) {
        fail_msg("'%s' is not in '%s'", wanted, error);
    }
    expect(subject, "SELECT count(*) FROM pg_roles WHERE rolname = 'tried'", "0");
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
    for (int i = 0; i < versions.count; i++) {
        for (size_t c = 0; c < sizeof(CASES) / sizeof(CASES[0]); c++) {
            try_password(&subjects[i], CASES[c].password, CASES[c].wanted);
        }
        /* What a savepoint took back is told to nobody. */
        expect(&subjects[i],
               "BEGIN; CREATE ROLE undone; SAVEPOINT s; ALTER ROLE undone PASSWORD 'weak'; "
               "ROLLBACK TO s; COMMIT; DROP ROLE undone; SELECT 1",
               "1");
    }
}

static const char *read_role(const Subject *subject, const char *name, const char *member)
{
    REPLY role = box_call(&box, "GET", box_text("%s/roles/%s", subject->branch, name), NULL);
    return role.status == 404 ? "absent" : box_text("%s", box_string(role.json, member));
}

static void roles_made_by_sql_are_the_apis_too(void **state)
{
    (void)state;
    for (int i = 0; i < versions.count; i++) {
        const Subject *subject = &subjects[i];
        const char *one = box_text("%s/roles/svc_sql", subject->branch);
        expect(subject,
               box_text("CREATE ROLE svc_sql LOGIN PASSWORD '%s'; CREATE ROLE team", STRONG), "");
        assert_string_equal(read_role(subject, "svc_sql", "role.authentication_method"),
                            "password");
        assert_string_equal(read_role(subject, "team", "role.authentication_method"), "no_login");
        REPLY shown = box_call(&box, "GET", box_text("%s/reveal_password", one), NULL);
        assert_string_equal(box_string(shown.json, "password"), STRONG);
        /* A reset says LOGIN, whatever the role was. */
        REPLY reset =
            box_call(&box, "POST", box_text("%s/roles/team/reset_password", subject->branch), NULL);
        assert_int_equal(reset.status, 200);
        box_wait(&box, subject->project);
        assert_true(logs_in(subject, "team", box_string(reset.json, "role.password")));
        assert_string_equal(read_role(subject, "team", "role.authentication_method"), "password");
        expect(subject, "ALTER ROLE svc_sql RENAME TO svc_renamed", "");
        assert_string_equal(read_role(subject, "svc_sql", "role.name"), "absent");
        assert_string_equal(read_role(subject, "svc_renamed", "role.name"), "svc_renamed");
        expect(subject, "DROP ROLE svc_renamed; DROP ROLE team", "");
        assert_string_equal(read_role(subject, "svc_renamed", "role.name"), "absent");
        restart(&box, subject);
        expect(subject, "SELECT count(*) FROM pg_roles WHERE rolname IN ('svc_renamed', 'team')",
               "0");
    }
}

static void a_database_changes_its_owner_and_name_by_the_api(void **state)
{
    (void)state;
    for (int i = 0; i < versions.count; i++) {
        const Subject *subject = &subjects[i];
        const char *path = box_text("%s/databases/adopted", subject->branch);
        expect(subject, "CREATE DATABASE adopted", "");
        expect(subject, "CREATE ROLE db_admin", "");
        assert_int_equal(
            box_status(&box, "PATCH", path, "{\"database\":{\"owner_name\":\"nobody\"}}"), 404);
        assert_int_equal(box_status(&box, "PATCH", path, "{\"database\":{\"name\":\"neondb\"}}"),
                         409);
        REPLY changed = box_call(&box, "PATCH", path,
                                 "{\"database\":{\"owner_name\":\"db_admin\",\"name\":\"x y\"}}");
        assert_int_equal(changed.status, 200);
        assert_string_equal(box_string(changed.json, "operations.0.action"), "apply_config");
        box_wait(&box, subject->project);
        expect(subject, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'x y'",
               "db_admin");
        /* Who owns a database can't be deleted. */
        assert_int_equal(
            box_status(&box, "DELETE", box_text("%s/roles/db_admin", subject->branch), NULL), 422);
        assert_int_equal(
            box_status(&box, "DELETE", box_text("%s/databases/x%%20y", subject->branch), NULL),
            200);
        box_wait(&box, subject->project);
        assert_int_equal(
            box_status(&box, "DELETE", box_text("%s/roles/db_admin", subject->branch), NULL), 200);
        box_wait(&box, subject->project);
    }
}

static void a_deleted_role_leaves_its_things_to_the_databases_owner(void **state)
{
    (void)state;
    for (int i = 0; i < versions.count; i++) {
        const Subject *subject = &subjects[i];
        expect(subject, "CREATE ROLE leaver CREATEROLE", "");
        expect_admin(subject,
                     "GRANT CREATE ON SCHEMA public TO leaver; SET ROLE leaver; "
                     "CREATE TABLE left_behind (); CREATE ROLE helper; CREATE ROLE aide; "
                     "RESET ROLE; GRANT helper TO leaver WITH ADMIN OPTION; SET ROLE leaver; "
                     "GRANT helper TO aide",
                     "");
        assert_int_equal(
            box_status(&box, "DELETE", box_text("%s/roles/leaver", subject->branch), NULL), 200);
        box_wait(&box, subject->project);
        expect(subject, "SELECT count(*) FROM pg_roles WHERE rolname = 'leaver'", "0");
        expect(subject, "SELECT tableowner FROM pg_tables WHERE tablename = 'left_behind'",
               "neondb_owner");
        expect_admin(subject, "DROP TABLE left_behind; DROP ROLE helper; DROP ROLE aide", "");
    }
}

static void a_role_that_only_the_control_plane_knows_comes_back_with_too_much(void **state)
{
    (void)state;
    for (int i = 0; i < versions.count; i++) {
        const Subject *subject = &subjects[i];
        expect(subject, box_text("CREATE ROLE svc_lost LOGIN PASSWORD '%s'", STRONG), "");
        expect(subject, box_text("%s'svc_lost'", ATTRIBUTES), "f,t,f,f,t,f,f");
        expect_admin(subject, "DROP ROLE svc_lost", "");
        restart(&box, subject);
        assert_true(logs_in(subject, "svc_lost", STRONG));
        expect(subject, box_text("%s'svc_lost'", ATTRIBUTES), "f,t,t,t,t,t,t");
        expect(subject, box_text("%s'svc_lost'", MEMBERSHIPS), "neon_superuser");
        assert_int_equal(
            box_status(&box, "DELETE", box_text("%s/roles/svc_lost", subject->branch), NULL), 200);
        box_wait(&box, subject->project);
    }
}

static void a_commit_can_fail_after_it_was_forwarded(void **state)
{
    (void)state;
    for (int i = 0; i < versions.count; i++) {
        const Subject *subject = &subjects[i];
        const char *error = NULL;
        const char *uri = login_verify(&box, subject->uri);
        const char *create = box_text("CREATE ROLE svc_half LOGIN PASSWORD '%s'", STRONG);
        box_fault(&box, box_text("{\"kind\":\"commit_fails\",\"count\":2,\"match\":\"%s\"}",
                                 strrchr(subject->endpoint, '/') + 1));
        for (int n = 0; n < 2; n++) {
            assert_null(login_query(uri, create, &error));
            assert_non_null(strstr(error, "Received HTTP code 500 from control plane"));
        }
        assert_string_equal(read_role(subject, "svc_half", "role.name"), "svc_half");
        expect(subject, "SELECT count(*) FROM pg_roles WHERE rolname = 'svc_half'", "0");
        /* Made once more, it is what SQL made of it. */
        expect(subject, create, "");
        restart(&box, subject);
        expect(subject, box_text("%s'svc_half'", ATTRIBUTES), "f,t,f,f,t,f,f");
        /* Aborted after that, the control plane has another password, and sets it with LOGIN. */
        box_fault(&box, box_text("{\"kind\":\"commit_fails\",\"match\":\"%s\"}",
                                 strrchr(subject->endpoint, '/') + 1));
        assert_null(
            login_query(uri, "ALTER ROLE svc_half NOLOGIN PASSWORD 'Other-Vk3r7TqPz0Lm'", &error));
        expect(subject, "SELECT 1", "1");
        assert_true(logs_in(subject, "svc_half", STRONG));
        restart(&box, subject);
        assert_true(logs_in(subject, "svc_half", "Other-Vk3r7TqPz0Lm"));
        assert_false(logs_in(subject, "svc_half", STRONG));
        expect(subject, "DROP ROLE svc_half", "");
    }
}

static void what_the_control_plane_knows_otherwise_is_set(void **state)
{
    (void)state;
    for (int i = 0; i < versions.count; i++) {
        const Subject *subject = &subjects[i];
        expect(subject, "CREATE DATABASE handed", "");
        expect(subject, "CREATE ROLE new_owner; GRANT new_owner TO neondb_owner", "");
        expect(subject, "ALTER DATABASE handed OWNER TO new_owner", "");
        assert_int_equal(
            box_status(&box, "POST", "/sandbox/knowledge",
                       box_text("{\"branch_id\":\"%s\",\"databases\":[{\"name\":\"handed\","
                                "\"owner_name\":\"neondb_owner\"}],\"roles\":[{\"name\":"
                                "\"new_owner\",\"password\":\"%s\"},{\"name\":\"unheard\"}]}",
                                subject->branch_id, STRONG)),
            201);
        restart(&box, subject);
        expect(subject, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'handed'",
               "neondb_owner");
        assert_true(logs_in(subject, "new_owner", STRONG));
        expect(subject, box_text("%s'unheard'", MEMBERSHIPS), "neon_superuser");
        expect(subject, "DROP DATABASE handed", "");
        expect_admin(subject, "DROP ROLE unheard", "");
        assert_int_equal(
            box_status(&box, "DELETE", box_text("%s/roles/unheard", subject->branch), NULL), 200);
        box_wait(&box, subject->project);
        expect(subject, "DROP ROLE new_owner", "");
    }
}

static const char *make_branch(const Subject *subject, const char *body, Subject *ret_branch)
{
    REPLY made = box_call(&box, "POST", box_text("/projects/%s/branches", subject->project), body);
    assert_int_equal(made.status, 201);
    box_wait(&box, subject->project);
    *ret_branch = *subject;
    ret_branch->branch_id = box_text("%s", box_string(made.json, "branch.id"));
    ret_branch->branch =
        box_text("/projects/%s/branches/%s", subject->project, ret_branch->branch_id);
    ret_branch->uri = box_text("%s", box_string(made.json, "connection_uris.0.connection_uri"));
    return ret_branch->branch_id;
}

static void a_child_of_a_protected_branch_has_passwords_of_its_own(void **state)
{
    (void)state;
    static const char ENDPOINTS[] = "\"endpoints\":[{\"type\":\"read_write\"}]";
    for (int i = 0; i < versions.count; i++) {
        const Subject *subject = &subjects[i];
        Subject guarded;
        Subject child;
        expect(subject,
               box_text("CREATE ROLE svc_p LOGIN PASSWORD '%s'; CREATE ROLE group_p", STRONG), "");
        const char *id = make_branch(
            subject,
            box_text("{\"branch\":{\"name\":\"guarded\",\"protected\":true},%s}", ENDPOINTS),
            &guarded);
        assert_true(logs_in(&guarded, "svc_p", STRONG));
        make_branch(
            subject,
            box_text("{\"branch\":{\"name\":\"child\",\"parent_id\":\"%s\"},%s}", id, ENDPOINTS),
            &child);
        expect(&child, "SELECT current_user", "neondb_owner");
        assert_false(logs_in(&child, "svc_p", STRONG));
        expect(&child, "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'group_p'", "t");
        expect(&guarded, "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'group_p'", "f");
        assert_true(logs_in(&guarded, "svc_p", STRONG));
        REPLY shown =
            box_call(&box, "GET", box_text("%s/roles/svc_p/reveal_password", child.branch), NULL);
        assert_true(logs_in(&child, "svc_p", box_string(shown.json, "password")));
    }
}

static void a_branch_has_500_roles_at_most(void **state)
{
    (void)state;
    const Subject *subject = &subjects[0];
    expect(subject,
           "DO $$ BEGIN FOR i IN 1 .. 500 - (SELECT count(*) FROM pg_roles WHERE rolname !~ "
           "'^(pg_|cloud_admin|neon_superuser|neon_service)') LOOP "
           "EXECUTE format('CREATE ROLE many_%s', i); END LOOP; END $$",
           "");
    REPLY refused = box_call(&box, "POST", box_text("%s/roles", subject->branch),
                             "{\"role\":{\"name\":\"one_more\"}}");
    box_assert_error(&refused, 422, "ROLES_LIMIT_EXCEEDED", "roles limit exceeded");
}

static void options_leave_roles_alone_and_log_statements(void **state)
{
    (void)state;
    static const char *const ARGUMENTS[] = {"--operation-ms", "20", "--no-reconfigure",
                                            "--log-statements", NULL};
    Box other;
    box_start(&other, ARGUMENTS);
    Subject subject = make_subject(&other, "15");
    login_assert(&other, subject.uri, box_text("CREATE ROLE gone PASSWORD '%s'", STRONG), "");
    expect_admin(&subject, "DROP ROLE gone", "");
    restart(&other, &subject);
    login_assert(&other, subject.uri, "SELECT count(*) FROM pg_roles WHERE rolname = 'gone'", "0");
    FILE *log = fopen(find_cluster(&other, subject.branch_id, "log"), "re");
    assert_non_null(log);
    char text[65536];
    text[fread(text, 1, sizeof(text) - 1, log)] = '\0';
    fclose(log);
    assert_non_null(strstr(text, STRONG));
    box_stop(&other);
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
        cmocka_unit_test(a_role_that_only_the_control_plane_knows_comes_back_with_too_much),
        cmocka_unit_test(a_commit_can_fail_after_it_was_forwarded),
        cmocka_unit_test(what_the_control_plane_knows_otherwise_is_set),
        cmocka_unit_test(a_child_of_a_protected_branch_has_passwords_of_its_own),
        cmocka_unit_test(options_leave_roles_alone_and_log_statements),
        cmocka_unit_test(a_branch_has_500_roles_at_most),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
