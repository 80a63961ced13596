/* What the control plane knows though the cluster doesn't, and what the compute makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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

static void a_role_that_only_the_control_plane_knows_comes_back_with_too_much(void **state)
{
    (void)state;
    for (int i = 0; i < subjects.count; i++) {
        const Subject *subject = &subjects.list[i];
        subject_expect(subject, "CREATE ROLE svc_lost LOGIN PASSWORD '" SUBJECT_PASSWORD "'", "");
        subject_expect(subject, box_text("%s'svc_lost'", SUBJECT_ATTRIBUTES), "f,t,f,f,t,f,f");
        subject_expect_admin(subject, "DROP ROLE svc_lost", "");
        subject_restart(subject);
        assert_true(subject_logs_in(subject, "svc_lost", SUBJECT_PASSWORD));
        subject_expect(subject, box_text("%s'svc_lost'", SUBJECT_ATTRIBUTES), "f,t,t,t,t,t,t");
        subject_expect(subject, box_text("%s'svc_lost'", SUBJECT_MEMBERSHIPS), "neon_superuser");
        subject_delete_role(subject, "svc_lost");
    }
}

static void a_commit_can_fail_after_it_was_forwarded(void **state)
{
    (void)state;
    for (int i = 0; i < subjects.count; i++) {
        const Subject *subject = &subjects.list[i];
        const char *error = NULL;
        const char *uri = login_verify(&box, subject->uri);
        const char *create = "CREATE ROLE svc_half LOGIN PASSWORD '" SUBJECT_PASSWORD "'";
        box_fault(&box, box_text("{\"kind\":\"commit_fails\",\"count\":2,\"match\":\"%s\"}",
                                 strrchr(subject->endpoint, '/') + 1));
        for (int n = 0; n < 2; n++) {
            assert_null(login_query(uri, create, &error));
            assert_non_null(strstr(error, "Received HTTP code 500 from control plane"));
        }
        assert_string_equal(subject_read_role(subject, "svc_half", "role.name"), "svc_half");
        subject_expect(subject, "SELECT count(*) FROM pg_roles WHERE rolname = 'svc_half'", "0");
        /* Made once more, it is what SQL made of it. */
        subject_expect(subject, create, "");
        subject_restart(subject);
        subject_expect(subject, box_text("%s'svc_half'", SUBJECT_ATTRIBUTES), "f,t,f,f,t,f,f");
        /* Aborted after that, the control plane has another password, and sets it with LOGIN. */
        box_fault(&box, box_text("{\"kind\":\"commit_fails\",\"match\":\"%s\"}",
                                 strrchr(subject->endpoint, '/') + 1));
        assert_null(
            login_query(uri, "ALTER ROLE svc_half NOLOGIN PASSWORD 'Other-Vk3r7TqPz0Lm'", &error));
        subject_expect(subject, "SELECT 1", "1");
        assert_true(subject_logs_in(subject, "svc_half", SUBJECT_PASSWORD));
        subject_restart(subject);
        assert_true(subject_logs_in(subject, "svc_half", "Other-Vk3r7TqPz0Lm"));
        assert_false(subject_logs_in(subject, "svc_half", SUBJECT_PASSWORD));
        subject_expect(subject, "DROP ROLE svc_half", "");
    }
}

static void what_the_control_plane_knows_otherwise_is_set(void **state)
{
    (void)state;
    for (int i = 0; i < subjects.count; i++) {
        const Subject *subject = &subjects.list[i];
        subject_expect(subject, "CREATE DATABASE handed", "");
        subject_expect(subject, "CREATE ROLE new_owner; GRANT new_owner TO neondb_owner", "");
        subject_expect(subject, "ALTER DATABASE handed OWNER TO new_owner", "");
        assert_int_equal(
            box_status(&box, "POST", "/sandbox/knowledge",
                       box_text("{\"branch_id\":\"%s\",\"databases\":[{\"name\":\"handed\","
                                "\"owner_name\":\"neondb_owner\"}],\"roles\":[{\"name\":"
                                "\"new_owner\",\"password\":\"%s\"},{\"name\":\"unheard\"}]}",
                                subject->branch_id, SUBJECT_PASSWORD)),
            201);
        subject_restart(subject);
        subject_expect(subject,
                       "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'handed'",
                       "neondb_owner");
        assert_true(subject_logs_in(subject, "new_owner", SUBJECT_PASSWORD));
        subject_expect(subject, box_text("%s'unheard'", SUBJECT_MEMBERSHIPS), "neon_superuser");
        subject_expect(subject, "DROP DATABASE handed", "");
        subject_expect_admin(subject, "DROP ROLE unheard", "");
        subject_delete_role(subject, "unheard");
        subject_expect(subject, "DROP ROLE new_owner", "");
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
    for (int i = 0; i < subjects.count; i++) {
        const Subject *subject = &subjects.list[i];
        Subject guarded;
        Subject child;
        subject_expect(
            subject, "CREATE ROLE svc_p LOGIN PASSWORD '" SUBJECT_PASSWORD "'; CREATE ROLE group_p",
            "");
        const char *id = make_branch(
            subject,
            box_text("{\"branch\":{\"name\":\"guarded\",\"protected\":true},%s}", ENDPOINTS),
            &guarded);
        assert_true(subject_logs_in(&guarded, "svc_p", SUBJECT_PASSWORD));
        make_branch(
            subject,
            box_text("{\"branch\":{\"name\":\"child\",\"parent_id\":\"%s\"},%s}", id, ENDPOINTS),
            &child);
        subject_expect(&child, "SELECT current_user", "neondb_owner");
        assert_false(subject_logs_in(&child, "svc_p", SUBJECT_PASSWORD));
        subject_expect(&child, "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'group_p'", "t");
        subject_expect(&guarded, "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'group_p'", "f");
        assert_true(subject_logs_in(&guarded, "svc_p", SUBJECT_PASSWORD));
        REPLY shown =
            box_call(&box, "GET", box_text("%s/roles/svc_p/reveal_password", child.branch), NULL);
        assert_true(subject_logs_in(&child, "svc_p", box_string(shown.json, "password")));
    }
}

static void options_leave_roles_alone_and_log_statements(void **state)
{
    (void)state;
    static const char *const ARGUMENTS[] = {"--operation-ms", "20", "--no-reconfigure",
                                            "--log-statements", NULL};
    Box other;
    box_start(&other, ARGUMENTS);
    Subject subject = subject_make(&other, "15");
    login_assert(&other, subject.uri, "CREATE ROLE gone PASSWORD '" SUBJECT_PASSWORD "'", "");
    subject_expect_admin(&subject, "DROP ROLE gone", "");
    subject_restart(&subject);
    login_assert(&other, subject.uri, "SELECT count(*) FROM pg_roles WHERE rolname = 'gone'", "0");
    FILE *log = fopen(subject_find(&other, subject.branch_id, "log"), "re");
    assert_non_null(log);
    char text[65536];
    text[fread(text, 1, sizeof(text) - 1, log)] = '\0';
    fclose(log);
    assert_non_null(strstr(text, SUBJECT_PASSWORD));
    box_stop(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_role_that_only_the_control_plane_knows_comes_back_with_too_much),
        cmocka_unit_test(a_commit_can_fail_after_it_was_forwarded),
        cmocka_unit_test(what_the_control_plane_knows_otherwise_is_set),
        cmocka_unit_test(a_child_of_a_protected_branch_has_passwords_of_its_own),
        cmocka_unit_test(options_leave_roles_alone_and_log_statements),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
