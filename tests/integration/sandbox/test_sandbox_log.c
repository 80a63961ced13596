/* The log: a line for whatever happens, no secret in any. */
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "box.h"
#include "login.h"

static char *read_log(const Box *box)
{
    size_t bytes = 0;
    char *text = NULL;
    FILE *file = fopen(box->log, "r");
    assert_non_null(file);
    if (getdelim(&text, &bytes, '\0', file) < 0 && text != NULL) {
        text[0] = '\0';
    }
    fclose(file);
    return text;
}

static bool matches(const char *text, const char *pattern, int flags)
{
    regex_t compiled;
    assert_int_equal(regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB | flags), 0);
    bool found = regexec(&compiled, text, 0, NULL, 0) == 0;
    regfree(&compiled);
    return found;
}

static void assert_line(const char *log, const char *pattern)
{
    const char *whole = box_text("^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}\\.[0-9]{3} %s$", pattern);
    if (!matches(log, whole, REG_NEWLINE)) {
        fail_msg("no line '%s' in\n%s", pattern, log);
    }
}

static bool has_expired(void *argument)
{
    Box *box = argument;
    char *log = read_log(box);
    bool has = strstr(log, " expired") != NULL;
    free(log);
    return has;
}

/* A day of a client; what must not be told goes to ret_secrets. */
static const char *live_a_day(Box *box, const char *ret_secrets[4])
{
    const char *uri = NULL;
    REPLY made = login_create_project(box, "15", &uri);
    const char *id = box_string(made.json, "project.id");
    ret_secrets[0] = box_text("%s", box_string(made.json, "roles.0.password"));
    REPLY key = box_call_as(box, "sandbox-personal-key", NULL, "POST", "/api_keys",
                            "{\"key_name\":\"ci\\n2026 robot\"}");
    ret_secrets[1] = box_text("%s", box_string(key.json, "key"));
    REPLY me = box_call_as(box, ret_secrets[1], NULL, "GET", "/users/me", NULL);
    assert_int_equal(me.status, 200);
    ret_secrets[2] = "aB3-told-by-SQL";
    login_assert(box, uri, "CREATE ROLE s LOGIN PASSWORD 'aB3-told-by-SQL'; SELECT 1", "1");
    ret_secrets[3] = "sandbox-org-key";
    const char *child = NULL;
    REPLY branch = login_create_branch(box, id, "dev", &child);
    const char *endpoint =
        box_text("/projects/%s/endpoints/%s", id, box_string(made.json, "endpoints.0.id"));
    assert_int_equal(box_status(box, "POST", box_text("%s/suspend", endpoint), NULL), 200);
    box_wait(box, id);
    login_assert(box, uri, "SELECT 1", "1");
    REPLY short_lived =
        box_call(box, "POST", box_text("/projects/%s/branches", id),
                 box_text("{\"branch\":{\"expires_at\":\"%s\"}}",
                          login_query(uri,
                                      "SELECT to_char((now() + interval '2 s') AT TIME ZONE 'UTC', "
                                      "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
                                      NULL)));
    assert_int_equal(short_lived.status, 201);
    box_until(has_expired, box, 20);
    return box_text("%s", box_string(branch.json, "branch.id"));
}

static void every_call_and_every_compute_has_its_line(void **state)
{
    (void)state;
    static const char *const ARGUMENTS[] = {"--operation-ms", "20", NULL};
    const char *secrets[4] = {NULL};
    Box box;
    box_start(&box, ARGUMENTS);
    const char *branch_id = live_a_day(&box, secrets);
    char *log = read_log(&box);
    assert_line(log, "POST /api/v2/projects 201 in [0-9.]+ ms by sandbox key 1, made project "
                     "[a-z0-9-]+");
    assert_line(log, box_text("POST /api/v2/projects/[^ ]+/branches 201 in [0-9.]+ ms by sandbox "
                              "key 1, made branch %s",
                              branch_id));
    assert_line(log, "POST /api/v2/api_keys 200 in [0-9.]+ ms by sandbox key 3, made key [0-9]+");
    /* A name doesn't begin a line. */
    assert_line(log, "GET /api/v2/users/me 200 in [0-9.]+ ms by ci\\?2026 robot");
    assert_line(log, box_text("%s copied from br-[a-z0-9-]+ in [0-9]+ ms: [0-9]+ kB shared, [0-9]+ "
                              "kB of its own",
                              branch_id));
    assert_line(log, "ep-[a-z0-9-]+ started");
    assert_line(log, "ep-[a-z0-9-]+ suspended");
    assert_line(log, "ep-[a-z0-9-]+ woken");
    assert_line(log, "br-[a-z0-9-]+ expired");
    for (int i = 0; i < 4; i++) {
        assert_null(strstr(log, secrets[i]));
    }
    free(log);
    box_stop(&box);
}

static void a_failed_call_is_found_by_its_id(void **state)
{
    (void)state;
    static const char *const ARGUMENTS[] = {"--no-compute", NULL};
    Box box;
    box_start(&box, ARGUMENTS);
    REPLY none = box_call(&box, "GET", "/projects/none", NULL);
    assert_int_equal(none.status, 404);
    REPLY named = box_call_as(&box, "wrong", "my-id-1", "GET", "/auth", NULL);
    assert_int_equal(named.status, 401);
    REPLY good = box_call(&box, "GET", "/auth", NULL);
    assert_int_equal(good.status, 200);
    char *log = read_log(&box);
    assert_line(log, box_text("GET /api/v2/projects/none 404 in [0-9.]+ ms by sandbox key 1, "
                              "request %s",
                              none.request_id));
    assert_line(log, "GET /api/v2/auth 401 in [0-9.]+ ms, request my-id-1");
    assert_line(log, "GET /api/v2/auth 200 in [0-9.]+ ms by sandbox key 1");
    free(log);
    box_stop(&box);
}

static void quiet_says_nothing_of_what_goes_well(void **state)
{
    (void)state;
    static const char *const ARGUMENTS[] = {"--quiet", "--no-compute", NULL};
    Box box;
    box_start(&box, ARGUMENTS);
    REPLY made = box_create_project(&box, "{\"project\":{}}");
    char *log = read_log(&box);
    assert_true(log == NULL || log[0] == '\0');
    free(log);
    box_stop(&box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_and_every_compute_has_its_line),
        cmocka_unit_test(a_failed_call_is_found_by_its_id),
        cmocka_unit_test(quiet_says_nothing_of_what_goes_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
