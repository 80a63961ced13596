// provisionctl roles, rotate, reveal and psql as people use them, against real branches.
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/ctl.h"
#include "support/expect.h"
#include "support/login.h"
#include "support/secrets.h"
#include "support/setup.h"
#include "support/world.h"

#define APPLICATION "shop"
#define TAB "|"

enum {
    EXIT_DRIFT = 1,
    EXIT_SQL = 1,    // of psql -c
    EXIT_SCRIPT = 3, // of psql -f with ON_ERROR_STOP
    EXIT_REJECTED = 10,
    EXIT_NOT_FOUND = 66,
    LINE_MAX_ARGUMENTS = 40,
    URI_BYTES = 1024,
};

static Environment live;
static Environment copy;
static const char *key_file;
static int runs;

static int begin(void **state)
{
    uint8_t public_key[PROVISION_KEY_BYTES];
    uint8_t private_key[PROVISION_KEY_BYTES];
    char public_hex[2 * PROVISION_KEY_BYTES + 1];
    char private_hex[2 * PROVISION_KEY_BYTES + 1];
    world_begin(state, NULL);
    World *world = *state;
    (void)crypto_box_keypair(public_key, private_key);
    (void)sodium_bin2hex(public_hex, sizeof(public_hex), public_key, sizeof(public_key));
    (void)sodium_bin2hex(private_hex, sizeof(private_hex), private_key, sizeof(private_key));
    world_add_secret(world, private_hex);
    setup_write(world, "listed.key", private_hex);
    key_file = box_text("%s/listed.key", world->dir);
    const char *const settings[] = {box_text("reveal.recipients=" APPLICATION "=%s", public_hex),
                                    NULL};
    (void)worker_start(world, "one", settings);
    command_connect_main(world, APPLICATION);
    live = login_environment(command_run(
        world, APPLICATION, "EnvironmentCreated",
        "'createEnvironment': {'environment': 'live', 'account': 'main', 'regionId': '" WORLD_REGION
        "', 'databases': ['main', 'logs'], 'services': [{'name': 'orders', 'databases': "
        "[{'database': 'main'}, {'database': 'logs', 'access': 'ACCESS_READ'}]}, {'name': 'cron', "
        "'databases': [{'database': 'logs', 'access': 'ACCESS_ADMIN'}]}]}"));
    return 0;
}

// The name of the log, which holds what was printed.
static const char *psql(World *world, int expected, const char *const *arguments)
{
    const char *line[LINE_MAX_ARGUMENTS] = {"psql", "live",   "-a",        APPLICATION,
                                            "-k",   key_file, "--ca-file", world->box.ca_file};
    size_t count = 8;
    for (; *arguments != NULL; arguments++) {
        assert_true(count < LINE_MAX_ARGUMENTS - 1);
        line[count++] = *arguments;
    }
    const char *name = box_text("psql-%d", ++runs);
    int code = ctl_run(world, name, line);
    if (code != expected) {
        char *output = ctl_output(world, name);
        fail_msg("exit code %d instead of %d: %s", code, expected, output);
    }
    return name;
}

#define PSQL(world, expected, ...) psql(world, expected, (const char *const[]){__VA_ARGS__, NULL})
#define WHO "SELECT session_user, current_database()"
// Options of psql stand behind --.
#define PLAIN "--", "-XqAt"

static void it_is_a_reader_unless_asked_otherwise(void **state)
{
    World *world = *state;
    (void)PSQL(world, 0, "-c", "CREATE TABLE t (n int)", "--as", "admin", "--database", "main",
               PLAIN);
    const char *log = PSQL(world, 0, "-c", WHO, PLAIN);
    ctl_expect(world, log, "encore_reader" TAB "main\n");
    log = PSQL(world, 0, "-c", "SELECT count(*) FROM t", PLAIN);
    ctl_expect(world, log, "0\n");
    log = PSQL(world, EXIT_SQL, "-c", "INSERT INTO t VALUES (1)", PLAIN);
    ctl_expect(world, log, "permission denied for table t");
    (void)PSQL(world, 0, "--as=writer", "-c", "INSERT INTO t VALUES (1)", PLAIN);
    log = PSQL(world, EXIT_SQL, "--as=writer", "-c", "CREATE TABLE u (n int)", PLAIN);
    ctl_expect(world, log, "permission denied for schema public");
    log = PSQL(world, 0, "-d", "logs", "--as=reader", "--pooled", "-c", WHO, PLAIN);
    ctl_expect(world, log, "encore_reader" TAB "logs\n");
}

static void it_is_a_service_where_one_is_named(void **state)
{
    World *world = *state;
    const char *log =
        PSQL(world, 0, "-s", "orders", "-c", WHO, "-c", "INSERT INTO t VALUES (2)", PLAIN);
    ctl_expect(world, log, "svc_orders" TAB "main\n");
    log =
        PSQL(world, EXIT_SQL, "-s", "orders", "-d", "logs", "-c", "CREATE TABLE t (n int)", PLAIN);
    ctl_expect(world, log, "permission denied for schema public");
    (void)PSQL(world, 0, "-s", "cron", "-c", "CREATE TABLE t (n int)", PLAIN);
    log = PSQL(world, EXIT_NOT_FOUND, "-s", "cron", "-d", "main", "-c", WHO);
    ctl_expect(world, log, "it may use: logs");
    log = PSQL(world, EXIT_REJECTED, "-s", "nobody", "-c", WHO);
    ctl_expect(world, log, "ROLE_UNKNOWN");
}

static void a_script_reconnects_without_the_password(void **state)
{
    World *world = *state;
    setup_write(world, "script.sql", WHO ";\n\\c logs\n" WHO ";\n\\c main\n" WHO ";\n\\conninfo\n");
    const char *script = box_text("%s/script.sql", world->dir);
    const char *log =
        PSQL(world, 0, "--as=admin", "--", "-XqAt", "-v", "ON_ERROR_STOP=1", "-f", script);
    ctl_expect(world, log,
               "encore_admin" TAB "main\nencore_admin" TAB "logs\nencore_admin" TAB "main\n");
    // not to another role
    setup_write(world, "foreign.sql", "\\c main encore_writer\n");
    const char *foreign = box_text("%s/foreign.sql", world->dir);
    (void)PSQL(world, EXIT_SCRIPT, "--", "-XqAt", "-w", "-v", "ON_ERROR_STOP=1", "-f", foreign);
}

// The database's name in the URI of a role, with what it takes to verify the server.
static const char *reveal(World *world, const char *environment, const char *option,
                          const char *database)
{
    const char *out = box_text("%s/uri-%d.uri", world->dir, ++runs);
    const char *const arguments[] = {"reveal", environment, "-a", APPLICATION, "-k", key_file,
                                     option,   "--out",     out,  "--json",    NULL};
    assert_int_equal(ctl_run(world, box_text("reveal-%d", runs), arguments), 0);
    json_t *json = json_load_file(out, 0, NULL);
    assert_non_null(json);
    const char *uri = NULL;
    for (size_t i = 0; i < json_array_size(json_object_get(json, "credentials")); i++) {
        const char *path = box_text("credentials.%zu.", i);
        if (strcmp(box_string(json, box_text("%sdatabase", path)), database) == 0) {
            uri = box_text("%s", box_string(json, box_text("%sdirectUri", path)));
        }
    }
    json_decref(json);
    assert_non_null(uri);
    world_add_secret(world, uri);
    return uri;
}

static const char *password_of(World *world, const char *uri)
{
    const char *begin_of = strchr(strstr(uri, "://") + 3, ':') + 1;
    const char *password = box_text("%.*s", (int)(strchr(begin_of, '@') - begin_of), begin_of);
    assert_true(strlen(password) >= 16);
    world_add_secret(world, password);
    return password;
}

// Of psql itself, but for what the test was given.
static const char SHOW_PROCESS[] =
    "\\! tr '\\0' '\\n' </proc/$PPID/cmdline; "
    "tr '\\0' '\\n' </proc/$PPID/environ | grep -v ^PROVISION_TEST_; ls -l /proc/$PPID/fd";

// What a psql shows of itself stands in the log, which the search for secrets reads.
static void neither_arguments_nor_environment_have_the_password(void **state)
{
    World *world = *state;
    const char *password =
        password_of(world, reveal(world, "live", "--role=encore_reader", "main"));
    const char *log = PSQL(world, 0, "-c", WHO, "-c", SHOW_PROCESS, PLAIN);
    ctl_expect(world, log, "PGPASSFILE=/proc/self/fd/");
    ctl_expect(world, log, "PGSSLMODE=verify-full");
    ctl_expect(world, log, "psql-password (deleted)");
    char *output = ctl_output(world, log);
    assert_null(strstr(output, password));
    free(output);
}

static int roles(World *world, const char *log, const char *verb, const char *environment)
{
    const char *const arguments[] = {"roles", verb, environment, "-a", APPLICATION, "--wait", NULL};
    return ctl_run(world, log, arguments);
}

static PGconn *owner_of(World *world, const Environment *environment)
{
    PGconn *connection = login_revealed(world, environment);
    assert_non_null(connection);
    return connection;
}

static void drift_is_found_by_plan_and_repaired_by_setup(void **state)
{
    World *world = *state;
    assert_int_equal(roles(world, "plan-1", "plan", "live"), 0);
    ctl_expect(world, "plan-1", "live: as wanted");
    PGconn *owner = owner_of(world, &live);
    (void)login_value(owner, "ALTER ROLE svc_orders NOLOGIN");
    PQfinish(owner);
    assert_int_equal(roles(world, "plan-2", "plan", "live"), EXIT_DRIFT);
    ctl_expect(world, "plan-2", "live: 1 change planned");
    ctl_expect(world, "plan-2", "svc_orders");
    assert_int_equal(roles(world, "plan-3", "plan", "live"), EXIT_DRIFT); // nothing was changed
    assert_int_equal(roles(world, "setup-1", "setup", "live"), 0);
    ctl_expect(world, "setup-1", "ALTER ROLE svc_orders LOGIN");
    assert_int_equal(roles(world, "plan-4", "plan", "live"), 0);
    (void)PSQL(world, 0, "-s", "orders", "-c", WHO, PLAIN);
}

#define HOSTILE "we\"ird'; DROP ROLE x;--%I$$ \xc3\xbc%20\\"
#define LONG "eine_datenbank_mit_einem_namen_der_genau_63_bytes_lang_ist_____"

static void names_that_need_quotes_or_are_long_log_in(void **state)
{
    World *world = *state;
    static const char *const DATABASES[] = {"main", "logs", HOSTILE, LONG};
    assert_int_equal(strlen(LONG), 63);
    const char *const setup[] = {"roles",
                                 "setup",
                                 "live",
                                 "-a",
                                 APPLICATION,
                                 "--wait",
                                 "--database=main",
                                 "--database=logs",
                                 "--database=" HOSTILE,
                                 "--database=" LONG,
                                 "--service=orders=main,logs:read",
                                 "--service=cron=logs:admin",
                                 "--service=" HOSTILE "=" HOSTILE "," LONG ":admin",
                                 NULL};
    assert_int_equal(ctl_run(world, "hostile", setup), 0);
    assert_int_equal(roles(world, "hostile-plan", "plan", "live"), 0);
    for (size_t i = 0; i < sizeof(DATABASES) / sizeof(DATABASES[0]); i++) {
        const char *log = PSQL(world, 0, "-d", DATABASES[i], "-c", WHO, PLAIN);
        ctl_expect(world, log, box_text("encore_reader" TAB "%s\n", DATABASES[i]));
    }
    const char *log = PSQL(world, 0, "-s", HOSTILE, "-d", LONG, "-c", WHO, "-c",
                           "CREATE TABLE mine (n int)", PLAIN);
    ctl_expect(world, log, "svc_" HOSTILE TAB LONG "\n");
    log = PSQL(world, EXIT_NOT_FOUND, "-s", HOSTILE, "-d", "main", "-c", WHO);
    ctl_expect(world, log, "it may use: " LONG ", " HOSTILE);
}

// `uri` with the role and password of another one.
static bool logs_in(World *world, const char *uri, const char *password)
{
    const char *colon = strchr(strstr(uri, "://") + 3, ':');
    PGconn *connection = PQconnectdb(
        box_text("%.*s:%s%s&sslmode=verify-full&sslrootcert=%s&hostaddr=127.0.0.1",
                 (int)(colon - uri), uri, password, strchr(uri, '@'), world->box.ca_file));
    bool worked = PQstatus(connection) == CONNECTION_OK;
    if (!worked && strstr(PQerrorMessage(connection), "password authentication failed") == NULL) {
        fail_msg("%s", PQerrorMessage(connection));
    }
    PQfinish(connection);
    return worked;
}

static void passwords_open_one_environment_alone(void **state)
{
    World *world = *state;
    copy = login_environment(
        command_run(world, APPLICATION, "EnvironmentBranched",
                    "'branchEnvironment': {'environment': 'copy', 'sourceEnvironment': 'live'}"));
    static const char *const ROLES[] = {"--service=orders", "--role=encore_reader",
                                        "--role=encore_admin"};
    for (size_t i = 0; i < sizeof(ROLES) / sizeof(ROLES[0]); i++) {
        const char *there = reveal(world, "live", ROLES[i], "main");
        const char *here = reveal(world, "copy", ROLES[i], "main");
        const char *password_there = password_of(world, there);
        const char *password_here = password_of(world, here);
        assert_true(logs_in(world, here, password_here));
        assert_true(logs_in(world, there, password_there));
        assert_false(logs_in(world, here, password_there));
        assert_false(logs_in(world, there, password_here));
    }
}

static void plan_all_finds_the_environment_that_drifted(void **state)
{
    World *world = *state;
    const char *const all[] = {"roles", "plan", "--all", "-a", APPLICATION, NULL};
    assert_int_equal(ctl_run(world, "all-1", all), 0);
    ctl_expect(world, "all-1", "live: as wanted");
    ctl_expect(world, "all-1", "copy: as wanted");
    PGconn *owner = owner_of(world, &copy);
    (void)login_value(owner, "ALTER ROLE svc_cron NOLOGIN");
    PQfinish(owner);
    assert_int_equal(ctl_run(world, "all-2", all), EXIT_DRIFT);
    ctl_expect(world, "all-2", "live: as wanted");
    ctl_expect(world, "all-2", "copy: 1 change planned");
    ctl_expect(world, "all-2", "svc_cron");
}

static void a_rotation_ends_what_the_old_password_opened(void **state)
{
    World *world = *state;
    const char *uri = reveal(world, "live", "--service=orders", "main");
    const char *other = reveal(world, "live", "--role=encore_reader", "main");
    const char *old = password_of(world, uri);
    const char *const arguments[] = {"rotate",           "live",   "-a", APPLICATION,
                                     "--service=orders", "--wait", NULL};
    assert_int_equal(ctl_run(world, "rotate", arguments), 0);
    ctl_expect(world, "rotate", "CredentialsRotated");
    ctl_expect(world, "rotate", "svc_orders");
    assert_false(logs_in(world, uri, old));
    const char *renewed = reveal(world, "live", "--service=orders", "main");
    assert_true(logs_in(world, renewed, password_of(world, renewed)));
    assert_true(logs_in(world, other, password_of(world, other)));
    assert_int_equal(roles(world, "plan-5", "plan", "live"), 0);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_a_reader_unless_asked_otherwise),
        cmocka_unit_test(it_is_a_service_where_one_is_named),
        cmocka_unit_test(a_script_reconnects_without_the_password),
        cmocka_unit_test(neither_arguments_nor_environment_have_the_password),
        cmocka_unit_test(drift_is_found_by_plan_and_repaired_by_setup),
        cmocka_unit_test(names_that_need_quotes_or_are_long_log_in),
        cmocka_unit_test(passwords_open_one_environment_alone),
        cmocka_unit_test(plan_all_finds_the_environment_that_drifted),
        cmocka_unit_test(a_rotation_ends_what_the_old_password_opened),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
