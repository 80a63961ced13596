#include "subject.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const char *subject_find(const Box *box, const char *branch_id, const char *member)
{
    REPLY state = box_call(box, "GET", "/sandbox/state", NULL);
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

Subject subject_make(const Box *box, const char *major)
{
    Subject subject = {.box = box, .major = (int)strtol(major, NULL, 10)};
    REPLY made = login_create_project(box, major, &subject.uri);
    subject.project = box_text("%s", box_string(made.json, "project.id"));
    subject.branch_id = box_text("%s", box_string(made.json, "branch.id"));
    subject.branch = box_text("/projects/%s/branches/%s", subject.project, subject.branch_id);
    subject.endpoint = box_text("/projects/%s/endpoints/%s", subject.project,
                                box_string(made.json, "endpoints.0.id"));
    subject.socket_dir = subject_find(box, subject.branch_id, "socket_dir");
    return subject;
}

void subject_expect(const Subject *subject, const char *sql, const char *wanted)
{
    login_assert(subject->box, subject->uri, sql, wanted);
}

void subject_expect_admin(const Subject *subject, const char *sql, const char *wanted)
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

bool subject_logs_in(const Subject *subject, const char *role, const char *password)
{
    const char *uri = login_verify(subject->box, as(subject, role, password, "neondb"));
    return login_query(uri, "SELECT 1", NULL) != NULL;
}

void subject_restart(const Subject *subject)
{
    assert_int_equal(
        box_status(subject->box, "POST", box_text("%s/suspend", subject->endpoint), NULL), 200);
    box_wait(subject->box, subject->project);
    assert_int_equal(
        box_status(subject->box, "POST", box_text("%s/start", subject->endpoint), NULL), 200);
    box_wait(subject->box, subject->project);
}

const char SUBJECT_MEMBERSHIPS[] =
    "SELECT string_agg(g.rolname || CASE WHEN m.admin_option THEN '*' ELSE '' END, ' ' "
    "ORDER BY g.rolname) FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid "
    "JOIN pg_roles u ON u.oid = m.member WHERE u.rolname = ";

const char SUBJECT_ATTRIBUTES[] =
    "SELECT concat_ws(',', rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, "
    "rolreplication, rolbypassrls) FROM pg_roles WHERE rolname = ";

const char *subject_read_role(const Subject *subject, const char *name, const char *member)
{
    REPLY role =
        box_call(subject->box, "GET", box_text("%s/roles/%s", subject->branch, name), NULL);
    return role.status == 404 ? "absent" : box_text("%s", box_string(role.json, member));
}

void subject_delete_role(const Subject *subject, const char *name)
{
    assert_int_equal(
        box_status(subject->box, "DELETE", box_text("%s/roles/%s", subject->branch, name), NULL),
        200);
    box_wait(subject->box, subject->project);
}

Subjects subjects_start(Box *box)
{
    LoginVersions versions = login_list_versions("--operation-ms", "20");
    Subjects subjects = {.count = versions.count};
    box_start(box, versions.arguments);
    for (int i = 0; i < versions.count; i++) {
        subjects.list[i] = subject_make(box, versions.majors[i]);
    }
    return subjects;
}
