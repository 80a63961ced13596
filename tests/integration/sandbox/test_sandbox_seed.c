/* --seed: the first branch holds what a file of SQL makes, once. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "box.h"
#include "login.h"

static const char SQL[] = "CREATE TABLE cities (name text);\n"
                          "COPY cities FROM stdin;\nLisbon\nOslo\n\\.\n"
                          "CREATE ROLE reader LOGIN PASSWORD 'aB3-reads-cities';\n";

static const char *const PLAIN[] = {"--operation-ms", "20", NULL};

static const char *write_file(const char *text)
{
    static int number;
    const char *path = box_text("/tmp/neon-sandbox-seed-%d-%d.sql", (int)getpid(), number++);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return path;
}

static const char *read_uri(const Box *box)
{
    char uri[1200] = "";
    struct stat info;
    const char *path = box_text("%s/seed.uri", box->dir);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(uri, sizeof(uri), file));
    fclose(file);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    uri[strcspn(uri, "\n")] = '\0';
    const char *address = strstr(uri, "hostaddr=");
    assert_non_null(address);
    assert_string_equal(address, "hostaddr=127.0.0.1"); /* once */
    return box_text("%s", uri);
}

static void the_file_is_run_once_by_the_owner(void **state)
{
    (void)state;
    const char *file = write_file(SQL);
    const char *arguments[] = {"--operation-ms", "20", "--seed", file, NULL};
    Box box;
    box_start_kept(&box, arguments);
    const char *uri = read_uri(&box);
    login_assert(&box, uri, "SELECT string_agg(name, ' ' ORDER BY name) FROM cities",
                 "Lisbon Oslo");
    login_assert(&box, uri,
                 "SELECT tableowner = current_user FROM pg_tables WHERE tablename = 'cities'", "t");
    login_assert(&box, uri, "DELETE FROM cities WHERE name = 'Oslo'; SELECT 1", "1");
    REPLY list = box_call(&box, "GET", "/projects", NULL);
    assert_string_equal(box_string(list.json, "projects.0.name"), "seed");
    box_end(&box);
    assert_int_equal(access(box_text("%s/seed.uri", box.dir), F_OK), -1);
    box_restart(&box, arguments);
    assert_string_equal(read_uri(&box), uri);
    login_assert(&box, uri, "SELECT string_agg(name, ' ') FROM cities", "Lisbon");
    REPLY again = box_call(&box, "GET", "/projects", NULL);
    assert_int_equal(json_array_size(box_find(again.json, "projects")), 1);
    box_stop(&box);
    unlink(file);
}

static void a_statement_that_fails_ends_the_start_with_its_line(void **state)
{
    (void)state;
    const char *bad = write_file("CREATE TABLE one ();\nSELECT\n  1;\nSELECT nope;\nSELECT 2;\n");
    const char *good = write_file("CREATE TABLE one AS SELECT 1 AS n;\n");
    Box box;
    box_start_kept(&box, PLAIN);
    box_end(&box);
    const char *error = box_complaint(&box, box_text("--operation-ms 20 --seed %s", bad));
    if (strstr(error, box_text("%s:4: ERROR:", bad)) == NULL || strstr(error, "nope") == NULL) {
        fail_msg("%s", error);
    }
    assert_non_null(strstr(box_complaint(&box, "--seed /nonexistent/x.sql"), "/nonexistent/x.sql"));
    const char *arguments[] = {"--operation-ms", "20", "--seed", good, NULL};
    box_restart(&box, arguments);
    login_assert(&box, read_uri(&box), "SELECT n FROM one", "1");
    REPLY list = box_call(&box, "GET", "/projects", NULL);
    assert_int_equal(json_array_size(box_find(list.json, "projects")), 1);
    box_stop(&box);
    unlink(bad);
    unlink(good);
}

static void assert_complaint(const Box *box, const char *sql, const char *part)
{
    const char *file = write_file(sql);
    const char *error = box_complaint(box, box_text("--operation-ms 20 --seed %s", file));
    if (strstr(error, part) == NULL) {
        fail_msg("no '%s' in '%s'", part, error);
    }
    unlink(file);
}

static void what_is_no_error_is_not_the_reason(void **state)
{
    (void)state;
    Box box;
    box_start_kept(&box, PLAIN);
    box_end(&box);
    assert_complaint(&box, "DROP TABLE IF EXISTS nope;\nSELECT 1;\nSELECT * FROM missing;\n",
                     ".sql:3: ERROR:  relation \"missing\" does not exist (psql ended with 3)");
    assert_complaint(&box,
                     "DO $$ BEGIN FOR i IN 1..100 LOOP\n"
                     "RAISE WARNING 'psql:x:1: ERROR:  no'; END LOOP; END $$;\nSELECT 1/0;\n",
                     ".sql:3: ERROR:  division by zero");
    assert_complaint(&box, "\\! echo said last >&2\n\\! kill $PPID\n",
                     "said last (psql ended with 143)");
    assert_complaint(&box, "SELECT 1;\n\\nope\n", ".sql:2: error: invalid command \\nope");
    box_restart(&box, PLAIN);
    box_stop(&box);
}

/* With the error output in its hands, the second without end. */
static void a_process_that_the_seed_leaves_is_not_waited_for(void **state)
{
    (void)state;
    const char *pids = box_text("/tmp/neon-sandbox-seed-%d.pids", (int)getpid());
    const char *file = write_file(box_text("\\! sleep 300 & echo $! >> %s\n"
                                           "\\! timeout 300 yes >&2 & echo $! >> %s\n"
                                           "CREATE TABLE one AS SELECT 1 AS n;\n",
                                           pids, pids));
    const char *arguments[] = {"--operation-ms", "20", "--seed", file, NULL};
    Box box;
    box_start(&box, arguments);
    login_assert(&box, read_uri(&box), "SELECT n FROM one", "1");
    box_stop(&box);
    FILE *list = fopen(pids, "r");
    char pid[32];
    assert_non_null(list);
    assert_non_null(fgets(pid, sizeof(pid), list));
    assert_int_equal(kill((pid_t)strtol(pid, NULL, 10), SIGTERM), 0);
    fclose(list);
    unlink(pids);
    unlink(file);
}

static void commands_of_the_file_are_not_run_by_root(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    const char *file = write_file("\\set user `id -un`:`id -Gn`\n"
                                  "CREATE TABLE one AS SELECT :'user' AS name;\n");
    const char *secret = write_file("SELECT 1;\n");
    const char *arguments[] = {"--operation-ms", "20", "--user", "nobody", "--seed", file, NULL};
    Box box;
    box_start(&box, arguments);
    login_assert(&box, read_uri(&box), "SELECT name FROM one", "nobody:nogroup");
    box_stop(&box);
    unlink(file);
    box_start_kept(&box, PLAIN);
    box_end(&box);
    assert_int_equal(chmod(secret, 0600), 0);
    const char *error = box_complaint(&box, box_text("--operation-ms 20 --seed %s", secret));
    assert_non_null(strstr(error, box_text("%s: Permission denied", secret)));
    box_restart(&box, PLAIN);
    box_stop(&box);
    unlink(secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_is_run_once_by_the_owner),
        cmocka_unit_test(a_statement_that_fails_ends_the_start_with_its_line),
        cmocka_unit_test(what_is_no_error_is_not_the_reason),
        cmocka_unit_test(a_process_that_the_seed_leaves_is_not_waited_for),
        cmocka_unit_test(commands_of_the_file_are_not_run_by_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
