#include "run/roles_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "login.h"
#include "support.h"
#include "sys/clock.h"

// clang-format off
#include <cmocka.h>
// clang-format on

enum { LOGINS = 6, CANCELS = 24, CANCEL_STEP_MS = 40 };

static const char SPEC[] =
    "{\"prefix\": \"encore\", \"policy\": \"authoritative\", \"adopt\": true,"
    " \"databases\": [\"neondb\", \"audit\", \"billing\"],"
    " \"services\": [{\"name\": \"orders\", \"access\": {\"neondb\": \"write\"}},"
    "                {\"name\": \"reports\", \"access\": {\"audit\": \"read\"}}]}";

typedef struct Fixture {
    Box box;
    Loop *loop;
    Resolver *resolver;
    json_t *spec;
    json_t *logins;
    Secret password; // of neondb_owner
    Secret passwords[LOGINS];
    RolesSecret secrets[LOGINS];
    char host[256];
    int port;
    bool done;
    Error err;
    bool remains; // of the report, as the following ones
    size_t changes;
    size_t passwords_set;
    size_t managed_logins;
} Fixture;

static Fixture fixture;

static void parse_uri(const char *uri)
{
    const char *secret = strchr(uri + strlen("postgresql://"), ':') + 1;
    const char *at = strchr(secret, '@');
    const char *port = strchr(at, ':') + 1;
    secret_set(&fixture.password, (Bytes){(const uint8_t *)secret, (size_t)(at - secret)});
    (void)snprintf(fixture.host, sizeof fixture.host, "%.*s", (int)(port - 1 - (at + 1)), at + 1);
    fixture.port = (int)strtol(port, NULL, 10);
}

static int begin(void **state)
{
    (void)state;
    const LoginVersions versions = login_list_versions("--operation-ms", "20");
    const char *uri = NULL;
    box_start(&fixture.box, versions.arguments);
    REPLY made = login_create_project(&fixture.box, versions.majors[versions.count - 1], &uri);
    parse_uri(uri);
    fixture.loop = loop_new();
    fixture.resolver = resolver_new(fixture.loop);
    fixture.spec = json_loads(SPEC, 0, NULL);
    fixture.logins = roles_spec_logins(fixture.spec);
    assert_int_equal(json_array_size(fixture.logins), LOGINS);
    for (size_t i = 0; i < LOGINS; i++) {
        secret_set_text(&fixture.passwords[i], box_text("Wq7kdL0sVbn29QwPm4xTr8Yc%08zu", i));
        fixture.secrets[i] = (RolesSecret){
            .role = json_string_value(json_array_get(fixture.logins, i)),
            .password = &fixture.passwords[i],
        };
    }
    return 0;
}

static int end(void **state)
{
    (void)state;
    bool was_quick = test_loop_was_quick(fixture.loop);
    resolver_free(fixture.resolver);
    loop_free(fixture.loop);
    for (size_t i = 0; i < LOGINS; i++) {
        secret_clear(&fixture.passwords[i]);
    }
    secret_clear(&fixture.password);
    json_decref(fixture.logins);
    json_decref(fixture.spec);
    box_stop(&fixture.box);
    return was_quick ? 0 : 1;
}

static void on_done(void *context, const RolesReport *report, const Error *err)
{
    Fixture *f = context;
    f->done = true;
    f->err = *err;
    f->remains = report->remains;
    f->changes = report->count;
    f->passwords_set = json_array_size(report->passwords_set);
    f->managed_logins = json_array_size(report->managed_logins);
}

static RolesRun *start(RolesMode mode, int64_t send_limit_boot_ms)
{
    const RolesRunOptions options = {.loop = fixture.loop,
                                     .resolver = fixture.resolver,
                                     .host = fixture.host,
                                     .port = fixture.port,
                                     .user = "neondb_owner",
                                     .password = &fixture.password,
                                     .ca_file = fixture.box.ca_file,
                                     .connect_timeout_ms = 15000,
                                     .fallback = "neondb",
                                     .send_limit_boot_ms = send_limit_boot_ms,
                                     .task = {.mode = mode,
                                              .spec = fixture.spec,
                                              .secrets = fixture.secrets,
                                              .secret_count = LOGINS,
                                              .fence = {.branch_id = "br-run", .number = 1}}};
    fixture.done = false;
    return roles_run_start(&options, on_done, &fixture);
}

static void run(RolesMode mode)
{
    (void)start(mode, 0);
    test_await_flag(fixture.loop, &fixture.done);
}

static void assert_converged(void)
{
    run(ROLES_MODE_PLAN);
    assert_int_equal(fixture.err.kind, ERROR_NONE);
    assert_false(fixture.remains);
}

static void what_is_too_late_changes_nothing(void **state)
{
    (void)state;
    (void)start(ROLES_MODE_APPLY, clock_boot_ms());
    test_await_flag(fixture.loop, &fixture.done);
    assert_int_equal(fixture.err.kind, ERROR_UNAVAILABLE);
    assert_string_equal(fixture.err.code, "SEND_LIMIT");
    run(ROLES_MODE_PLAN);
    assert_int_equal(fixture.managed_logins, 0);
}

// At moments of connecting, looking, comparing, applying and creating.
static void a_run_may_be_cancelled_at_any_moment(void **state)
{
    (void)state;
    for (int i = 0; i < CANCELS; i++) {
        RolesRun *cancelled = start(ROLES_MODE_APPLY, 0);
        test_pass(fixture.loop, (uint32_t)(i * CANCEL_STEP_MS));
        if (!fixture.done) {
            roles_run_cancel(cancelled);
            test_pass(fixture.loop, CANCEL_STEP_MS);
            assert_false(fixture.done);
        }
    }
}

static void what_a_cancelled_run_left_is_completed(void **state)
{
    (void)state;
    run(ROLES_MODE_APPLY);
    assert_int_equal(fixture.err.kind, ERROR_NONE);
    assert_false(fixture.remains);
    assert_int_equal(fixture.passwords_set, LOGINS);
    assert_converged();
}

static const char *uri_of(size_t login, const char *database)
{
    return box_text("postgresql://%s:%s@%s:%d/%s?hostaddr=127.0.0.1&sslmode=verify-full"
                    "&sslrootcert=%s",
                    fixture.secrets[login].role, secret_reveal(&fixture.passwords[login]),
                    fixture.host, fixture.port, database, fixture.box.ca_file);
}

static void services_log_in(void **state)
{
    (void)state;
    size_t orders = 0;
    while (strcmp(fixture.secrets[orders].role, "svc_orders") != 0) {
        orders++;
    }
    assert_string_equal(login_query(uri_of(orders, "neondb"), "SELECT session_user", NULL),
                        "svc_orders");
    const char *error = NULL;
    assert_null(login_query(uri_of(orders, "audit"), "SELECT 1", &error));
    assert_non_null(strstr(error, "permission denied for database"));
}

static void a_changed_password_is_set_again_by_a_rotation_alone(void **state)
{
    (void)state;
    secret_set_text(&fixture.passwords[0], "Nw7kdL0sVbn29QwPm4xTr8Yc99999999");
    run(ROLES_MODE_PLAN);
    assert_true(fixture.remains);
    assert_int_equal(fixture.changes, 1);
    run(ROLES_MODE_PASSWORDS);
    assert_int_equal(fixture.err.kind, ERROR_NONE);
    assert_converged();
}

static void a_branch_that_is_not_there_is_told(void **state)
{
    (void)state;
    int port = fixture.port;
    fixture.port = 1;
    run(ROLES_MODE_PLAN);
    fixture.port = port;
    assert_int_equal(fixture.err.kind, ERROR_UNAVAILABLE);
    assert_string_equal(fixture.err.code, "CONNECT_FAILED");
}

static void a_wrong_password_is_told(void **state)
{
    (void)state;
    Secret right = SECRET_INIT;
    secret_move(&right, &fixture.password);
    secret_set_text(&fixture.password, "wrong");
    run(ROLES_MODE_PLAN);
    secret_move(&fixture.password, &right);
    assert_int_equal(fixture.err.kind, ERROR_DENIED);
    assert_string_equal(fixture.err.code, "28P01");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_too_late_changes_nothing),
        cmocka_unit_test(a_run_may_be_cancelled_at_any_moment),
        cmocka_unit_test(what_a_cancelled_run_left_is_completed),
        cmocka_unit_test(services_log_in),
        cmocka_unit_test(a_changed_password_is_set_again_by_a_rotation_alone),
        cmocka_unit_test(a_branch_that_is_not_there_is_told),
        cmocka_unit_test(a_wrong_password_is_told),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
