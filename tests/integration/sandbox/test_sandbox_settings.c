/* What clients ask of PostgreSQL itself: settings and libraries, which a compute takes when it
 * starts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "box.h"
#include "login.h"

static Box box;
static LoginVersions versions;

static int start(void **state)
{
    (void)state;
    versions = login_list_versions("--operation-ms", "20");
    box_start(&box, versions.arguments);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    box_stop(&box);
    return 0;
}

static const char *endpoint_of(const json_t *made)
{
    return box_text("/projects/%s/endpoints/%s", box_string(made, "project.id"),
                    box_string(made, "endpoints.0.id"));
}

static void patch(const json_t *made, const char *path, const char *body)
{
    REPLY reply = box_call(&box, "PATCH", path, body);
    assert_int_equal(reply.status, 200);
    box_wait(&box, box_string(made, "project.id"));
}

static void restart(const json_t *made)
{
    assert_int_equal(box_status(&box, "POST", box_text("%s/restart", endpoint_of(made)), NULL),
                     200);
    box_wait(&box, box_string(made, "project.id"));
}

/* So that no more clusters run at once than have to. */
static void drop(const json_t *made)
{
    const char *path = box_text("/projects/%s", box_string(made, "project.id"));
    assert_int_equal(box_status(&box, "DELETE", path, NULL), 200);
}

static void settings_of_an_endpoint_reach_its_compute(void **state)
{
    (void)state;
    for (int i = 0; i < versions.count; i++) {
        const char *uri = NULL;
        REPLY made = login_create_project(&box, versions.majors[i], &uri);
        login_assert(&box, uri, "SHOW work_mem", "4MB");
        patch(made.json, endpoint_of(made.json),
              "{\"endpoint\":{\"settings\":{\"pg_settings\":{\"work_mem\":\"9MB\","
              "\"application_name\":\"two words; 'quoted'\"}}}}");
        login_assert(&box, uri, "SHOW work_mem", "9MB");
        /* Those that are sent replace the ones before. */
        patch(made.json, endpoint_of(made.json),
              "{\"endpoint\":{\"settings\":{\"pg_settings\":{\"max_connections\":\"70\"}}}}");
        login_assert(&box, uri, "SHOW max_connections", "70");
        login_assert(&box, uri, "SHOW work_mem", "4MB");
        patch(made.json, endpoint_of(made.json),
              "{\"endpoint\":{\"settings\":{\"pg_settings\":{}}}}");
        login_assert(&box, uri, "SHOW max_connections", "100");
        drop(made.json);
    }
}

static void new_endpoints_have_what_their_project_says(void **state)
{
    (void)state;
    const char *uri = NULL;
    REPLY made = login_create_project(&box, "15", &uri);
    const char *project = box_text("/projects/%s", box_string(made.json, "project.id"));
    patch(made.json, project,
          "{\"project\":{\"default_endpoint_settings\":{\"pg_settings\":{\"work_mem\":\"7MB\"}}}}");
    REPLY got = box_call(&box, "GET", project, NULL);
    assert_string_equal(
        box_string(got.json, "project.default_endpoint_settings.pg_settings.work_mem"), "7MB");
    /* Nothing that was sent is lost by a PATCH of something else. */
    patch(made.json, project, "{\"project\":{\"name\":\"renamed\"}}");
    const char *child_uri = NULL;
    REPLY child = login_create_branch(&box, box_string(made.json, "project.id"), "dev", &child_uri);
    assert_string_equal(box_string(child.json, "endpoints.0.settings.pg_settings.work_mem"), "7MB");
    login_assert(&box, child_uri, "SHOW work_mem", "7MB");
    login_assert(&box, uri, "SHOW work_mem", "4MB");
    REPLY own = box_call(&box, "POST", box_text("%s/branches", project),
                         "{\"endpoints\":[{\"type\":\"read_write\",\"settings\":{\"pg_settings\":"
                         "{\"work_mem\":\"5MB\"}}}]}");
    assert_int_equal(own.status, 201);
    box_wait(&box, box_string(made.json, "project.id"));
    login_assert(&box, box_string(own.json, "connection_uris.0.connection_uri"), "SHOW work_mem",
                 "5MB");
    drop(made.json);
}

static void a_compute_starts_whatever_it_is_asked_for(void **state)
{
    (void)state;
    static const char *const SETTINGS[] = {"{\"work_mem\":\"much\"}", "{\"no_such_setting\":\"1\"}",
                                           "{\"shared_buffers\":\"900TB\"}",
                                           "{\"max_connections\":\"1\"}"};
    const char *uri = NULL;
    REPLY made = login_create_project(&box, "15", &uri);
    login_assert(&box, uri, "CREATE TABLE t AS SELECT 'kept' AS name", "");
    for (size_t i = 0; i < sizeof(SETTINGS) / sizeof(SETTINGS[0]); i++) {
        patch(made.json, endpoint_of(made.json),
              box_text("{\"endpoint\":{\"settings\":{\"pg_settings\":%s}}}", SETTINGS[i]));
        login_assert(&box, uri, "SELECT name FROM t", "kept");
        login_assert(&box, uri, "SHOW work_mem", "4MB");
        REPLY list = box_call(
            &box, "GET",
            box_text("/projects/%s/operations?limit=2", box_string(made.json, "project.id")), NULL);
        assert_string_equal(box_string(list.json, "operations.0.status"), "finished");
    }
    drop(made.json);
}

static void what_the_compute_sets_itself_is_refused(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"port",
                                        "SSL",
                                        "ssl_cert_file",
                                        "listen_addresses",
                                        "shared_preload_libraries",
                                        "archive_command",
                                        "restore_command",
                                        "log_statement",
                                        "wal_level",
                                        "data_directory",
                                        "neon.forward_ddl",
                                        "",
                                        "two words",
                                        "work_mem=1 -c port"};
    const char *uri = NULL;
    REPLY made = login_create_project(&box, "15", &uri);
    const char *project = box_text("/projects/%s", box_string(made.json, "project.id"));
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        const char *settings = box_text("{\"pg_settings\":{\"%s\":\"1\"}}", NAMES[i]);
        const char *part = box_text("name:\"%s\"", NAMES[i]);
        REPLY endpoint = box_call(&box, "PATCH", endpoint_of(made.json),
                                  box_text("{\"endpoint\":{\"settings\":%s}}", settings));
        box_assert_error(&endpoint, 400, "", part);
        REPLY defaults =
            box_call(&box, "PATCH", project,
                     box_text("{\"project\":{\"default_endpoint_settings\":%s}}", settings));
        box_assert_error(&defaults, 400, "", part);
        REPLY branch = box_call(
            &box, "POST", box_text("%s/branches", project),
            box_text("{\"endpoints\":[{\"type\":\"read_write\",\"settings\":%s}]}", settings));
        box_assert_error(&branch, 400, "", part);
    }
}

static const char LOADED[] =
    "SELECT concat(setting ~ 'neon_ddl', setting ~ 'pg_stat_statements', setting "
    "~ 'auto_explain') FROM pg_settings WHERE name = "
    "'shared_preload_libraries'";

static void libraries_are_loaded_by_the_next_start(void **state)
{
    (void)state;
    for (int i = 0; i < versions.count; i++) {
        const char *uri = NULL;
        REPLY made = login_create_project(&box, versions.majors[i], &uri);
        const char *project = box_text("/projects/%s", box_string(made.json, "project.id"));
        REPLY offered =
            box_call(&box, "GET", box_text("%s/available_preload_libraries", project), NULL);
        assert_int_equal(offered.status, 200);
        assert_string_equal(box_string(offered.json, "libraries.0.library_name"), "auto_explain");
        assert_string_equal(box_string(offered.json, "libraries.0.version"), versions.majors[i]);
        assert_string_equal(box_string(offered.json, "libraries.2.library_name"),
                            "pg_stat_statements");
        assert_true(json_is_true(box_find(offered.json, "libraries.2.is_default")));
        assert_memory_equal(box_string(offered.json, "libraries.2.version"), "1.1", 3);
        patch(made.json, project,
              "{\"project\":{\"settings\":{\"preload_libraries\":{\"enabled_libraries\":"
              "[\"auto_explain\"]}}}}");
        login_assert(&box, uri, LOADED, "ttf");
        restart(made.json);
        login_assert(&box, uri, LOADED, "ttt");
        /* An endpoint's own say goes before its project's. */
        patch(made.json, endpoint_of(made.json),
              "{\"endpoint\":{\"settings\":{\"preload_libraries\":{\"use_defaults\":false}}}}");
        login_assert(&box, uri, LOADED, "tff");
        REPLY got = box_call(&box, "GET", endpoint_of(made.json), NULL);
        assert_true(
            json_is_false(box_find(got.json, "endpoint.settings.preload_libraries.use_defaults")));
        drop(made.json);
    }
}

static void only_libraries_that_are_there_can_be_asked_for(void **state)
{
    (void)state;
    static const char LIBRARIES[] =
        "{\"preload_libraries\":{\"enabled_libraries\":[\"../../lib/evil\"]}}";
    const char *uri = NULL;
    REPLY made = login_create_project(&box, "15", &uri);
    const char *project = box_text("/projects/%s", box_string(made.json, "project.id"));
    const char *body = box_text("{\"project\":{\"settings\":%s}}", LIBRARIES);
    REPLY changed = box_call(&box, "PATCH", project, body);
    box_assert_error(&changed, 400, "", "library_name:\"../../lib/evil\"");
    REPLY fresh = box_call(&box, "POST", "/projects", body);
    box_assert_error(&fresh, 400, "", "library_name:\"../../lib/evil\"");
    REPLY endpoint = box_call(&box, "PATCH", endpoint_of(made.json),
                              box_text("{\"endpoint\":{\"settings\":%s}}", LIBRARIES));
    box_assert_error(&endpoint, 400, "", "library_name:\"../../lib/evil\"");
}

static void logical_replication_is_for_good(void **state)
{
    (void)state;
    const char *uri = NULL;
    REPLY made = login_create_project(&box, "15", &uri);
    const char *project = box_text("/projects/%s", box_string(made.json, "project.id"));
    login_assert(&box, uri, "SHOW wal_level", "replica");
    REPLY changed = box_call(&box, "PATCH", project,
                             "{\"project\":{\"settings\":{\"enable_logical_replication\":true}}}");
    assert_int_equal(changed.status, 200);
    assert_string_equal(box_string(changed.json, "operations.0.action"), "suspend_compute");
    box_wait(&box, box_string(made.json, "project.id"));
    login_assert(&box, uri, "SHOW wal_level", "logical");
    REPLY again = box_call(&box, "PATCH", project,
                           "{\"project\":{\"settings\":{\"enable_logical_replication\":true}}}");
    assert_int_equal(json_array_size(box_find(again.json, "operations")), 0);
    REPLY back = box_call(&box, "PATCH", project,
                          "{\"project\":{\"settings\":{\"enable_logical_replication\":false}}}");
    box_assert_error(&back, 422, "", "logical replication cannot be disabled");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_of_an_endpoint_reach_its_compute),
        cmocka_unit_test(new_endpoints_have_what_their_project_says),
        cmocka_unit_test(a_compute_starts_whatever_it_is_asked_for),
        cmocka_unit_test(what_the_compute_sets_itself_is_refused),
        cmocka_unit_test(libraries_are_loaded_by_the_next_start),
        cmocka_unit_test(only_libraries_that_are_there_can_be_asked_for),
        cmocka_unit_test(logical_replication_is_for_good),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
