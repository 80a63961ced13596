// What stands in a branch, as services see it that log in there: the data of a moment, none at all,
// or after a reset what its parent has by then.
#include <string.h>
#include <time.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/credentials.h"
#include "support/expect.h"
#include "support/login.h"
#include "support/secrets.h"
#include "support/world.h"

#define APPLICATION "shop"
#define FORBIDDEN "42501"
#define SERVICE(name, access)                                                                      \
    "{'name': '" name "', 'databases': [{'database': 'main', 'access': 'ACCESS_" access "'}]}"
#define CREATE                                                                                     \
    "'createEnvironment': {'environment': 'live', 'account': 'main', 'regionId': '" WORLD_REGION   \
    "', 'databases': ['main'], 'services': [" SERVICE("orders", "WRITE") ", " SERVICE("reports",   \
                                                                                      "READ") "]}"
#define SETUP                                                                                      \
    "'setupRoles': {'environment': 'live', 'services': [" SERVICE("orders", "WRITE") ", " SERVICE( \
        "late", "READ") "]}"
#define BRANCH "'branchEnvironment': {'environment': '%s', 'sourceEnvironment': 'live'%s}"
#define OWN_SERVICES ", 'services': [" SERVICE("orders", "WRITE") ", " SERVICE("api", "READ") "]"
#define RESET "'resetEnvironment': {'environment': 'try'}"
#define OPEN "'openPreview': {'pullRequest': 7%s}"

static const char ROWS[] = "SELECT coalesce(string_agg(name, ' ' ORDER BY name), '') FROM item";

static Recipient recipient;
static Environment live;
static Credential live_orders;
static Credential live_late;
// A moment between the rows "then" and "thereafter", after which the services became others.
static const char *then_time;
static const char *then_lsn;
static Credential then_reports;

static Credential of_service(World *world, const char *environment, const char *service)
{
    return credentials_of_service(world, APPLICATION, environment, &recipient, service, "main");
}

// As a service that has to be let in.
static const char *ask(World *world, const Credential *credential, const char *sql)
{
    PGconn *connection = credentials_login(world, credential->direct_uri);
    if (connection == NULL) {
        fail_msg("%s is refused its password", credential->role);
    }
    const char *value = login_value(connection, sql);
    PQfinish(connection);
    return value;
}

static void expect_state(World *world, const Credential *credential, const char *sql,
                         const char *sqlstate)
{
    PGconn *connection = credentials_login(world, credential->direct_uri);
    assert_non_null(connection);
    assert_string_equal(credentials_try(connection, sql), sqlstate);
    PQfinish(connection);
}

static void add_row(World *world, const Credential *orders, const char *name)
{
    (void)ask(world, orders, box_text("INSERT INTO item VALUES ('%s')", name));
}

// A password of one branch is none of the other's.
static void expect_no_way_in(World *world, const Credential *from, const Credential *to)
{
    assert_false(credentials_work(world, credentials_swap_host(from->direct_uri, to->direct_uri)));
}

static void make_past(World *world)
{
    add_row(world, &live_orders, "then");
    // what is committed has an earlier millisecond, what comes has a later one
    then_time = ask(world, &live_orders,
                    "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', "
                    "'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), pg_sleep(0.002) FROM pg_sleep(0.002)");
    then_lsn = ask(world, &live_orders, "SELECT pg_current_wal_insert_lsn()");
    add_row(world, &live_orders, "thereafter");
    then_reports = of_service(world, "live", "reports");
    (void)command_run(world, APPLICATION, "RolesConfigured", SETUP);
    live_late = of_service(world, "live", "late");
}

static int begin(void **state)
{
    world_begin(state, NULL);
    World *world = *state;
    recipient = credentials_recipient();
    world_add_secret(world, recipient.private_hex);
    const char *const settings[] = {
        box_text("reveal.recipients=" APPLICATION "=%s", recipient.public_hex), NULL};
    (void)worker_start(world, "one", settings);
    command_connect_main(world, APPLICATION);
    live = login_environment(command_run(world, APPLICATION, "EnvironmentCreated", CREATE));
    live_orders = of_service(world, "live", "orders");
    PGconn *owner = login_revealed(world, &live);
    (void)login_value(owner, "SET ROLE db_main_admin; CREATE TABLE item (name text)");
    PQfinish(owner);
    make_past(world);
    return 0;
}

static int end(void **state)
{
    World *world = *state;
    reader_read_to_end(world->reader);
    reader_assert_sequences(world->reader);
    return world_end(state);
}

// The services are those of now, and who no longer is one has no way in with what it had then.
static void expect_then(World *world, const char *name, const Seen *seen)
{
    Environment branch = login_environment(seen);
    expect_ready(world, APPLICATION, &branch, 1);
    Credential orders = of_service(world, name, "orders");
    Credential late = of_service(world, name, "late");
    assert_string_equal(ask(world, &orders, ROWS), "then");
    assert_string_equal(ask(world, &late, ROWS), "then");
    expect_state(world, &late, "DELETE FROM item", FORBIDDEN);
    expect_no_way_in(world, &live_orders, &orders);
    expect_no_way_in(world, &then_reports, &orders);
    PGconn *owner = login_revealed(world, &branch);
    assert_string_equal(login_value(owner, ROWS), "then");
    PQfinish(owner);
}

static void a_branch_has_the_data_of_its_time_or_position(void **state)
{
    World *world = *state;
    const char *at_time = command_send(world, APPLICATION, BRANCH, "at-time",
                                       box_text(", \"pointInTime\": \"%s\"", then_time));
    const char *at_lsn =
        command_send(world, APPLICATION, BRANCH, "at-lsn", box_text(", \"lsn\": \"%s\"", then_lsn));
    expect_then(world, "at-time", command_await(world, at_time, "EnvironmentBranched"));
    expect_then(world, "at-lsn", command_await(world, at_lsn, "EnvironmentBranched"));
    assert_string_equal(ask(world, &live_orders, ROWS), "then thereafter");
}

static void a_branch_without_data_has_the_tables_and_no_row(void **state)
{
    World *world = *state;
    (void)command_run(world, APPLICATION, "EnvironmentBranched", BRANCH, "empty",
                      ", \"schemaOnly\": true");
    Credential orders = of_service(world, "empty", "orders");
    assert_string_equal(ask(world, &orders, "SELECT count(*) FROM item"), "0");
    add_row(world, &orders, "first");
    assert_string_equal(ask(world, &orders, ROWS), "first");
    expect_no_way_in(world, &live_orders, &orders);
    assert_string_equal(ask(world, &live_orders, ROWS), "then thereafter");
}

static const char *in_an_hour(void)
{
    enum { HOUR_SECONDS = 3600 };
    char text[32];
    struct tm parts;
    time_t then = time(NULL) + HOUR_SECONDS;
    assert_non_null(gmtime_r(&then, &parts));
    assert_true(strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts) > 0);
    return box_text("%s", text);
}

// Neon's, to the second; `told` by an event.
static void expect_expiry(World *world, const Environment *branch, const char *told)
{
    REPLY reply = box_call_as(
        &world->box, world->api_key, NULL, "GET",
        box_text("/projects/%s/branches/%s", branch->project_id, branch->branch_id), NULL);
    assert_int_equal(reply.status, 200);
    assert_string_equal(box_text("%.19s", box_string(reply.json, "branch.expires_at")),
                        box_text("%.19s", told));
}

// The branch has a service that its parent hasn't, and lacks one that its parent has.
static void expect_own_services(World *world, const Credential *orders, const Credential *api)
{
    expect_state(world, orders, "INSERT INTO item VALUES ('mine')", "");
    expect_state(world, orders, "CREATE TABLE mine (n int)", FORBIDDEN);
    expect_state(world, api, "SELECT FROM item", "");
    expect_state(world, api, "DELETE FROM item", FORBIDDEN);
    expect_no_way_in(world, &live_late, orders);
    expect_no_way_in(world, &live_orders, orders);
}

static void a_branch_is_reset_to_what_its_parent_is_by_then(void **state)
{
    World *world = *state;
    const char *asked = in_an_hour();
    const Seen *made =
        command_run(world, APPLICATION, "EnvironmentBranched", BRANCH, "try",
                    command_quote(box_text(", 'expiresAt': '%sZ'" OWN_SERVICES, asked)));
    Environment branch = login_environment(made);
    const char *told = seen_text(made, "environmentBranched.environment.expiresAt");
    assert_string_equal(box_text("%.19s", told), asked);
    expect_expiry(world, &branch, told);
    Credential orders = of_service(world, "try", "orders");
    Credential api = of_service(world, "try", "api");
    expect_own_services(world, &orders, &api);
    assert_string_equal(ask(world, &api, ROWS), "mine then thereafter");
    add_row(world, &live_orders, "meanwhile");

    const Seen *reset = command_run(world, APPLICATION, "EnvironmentReset", RESET);
    expect_ready(world, APPLICATION, &branch, 2);
    const char *anew = seen_text(reset, "environmentReset.environment.expiresAt");
    assert_true(strcmp(told, anew) <= 0); // Neon lets it begin anew
    expect_expiry(world, &branch, anew);
    assert_true(expect_holds(reset, "environmentReset.rotatedRoles", branch.role));
    assert_true(expect_holds(reset, "environmentReset.rotatedRoles", "svc_orders"));
    assert_false(credentials_work(world, orders.direct_uri));
    assert_false(credentials_work(world, api.direct_uri));
    orders = of_service(world, "try", "orders");
    api = of_service(world, "try", "api");
    assert_string_equal(ask(world, &api, ROWS), "meanwhile then thereafter");
    expect_own_services(world, &orders, &api);
    assert_string_equal(ask(world, &live_orders, ROWS), "meanwhile then thereafter");
}

static void a_preview_that_is_reset_has_its_bases_data(void **state)
{
    World *world = *state;
    (void)command_run(world, APPLICATION, "PreviewBaseSet",
                      "'setPreviewBase': {'environment': 'live'}");
    Environment preview =
        login_environment(command_run(world, APPLICATION, "EnvironmentBranched", OPEN, ""));
    Credential orders = of_service(world, "pr:7", "orders");
    Credential late = of_service(world, "pr:7", "late");
    add_row(world, &orders, "preview");
    add_row(world, &live_orders, "since");
    const char *rows = ask(world, &late, ROWS);
    assert_non_null(strstr(rows, "preview"));
    assert_null(strstr(rows, "since"));

    const Seen *reset =
        command_run(world, APPLICATION, "EnvironmentBranched", OPEN, ", \"reset\": true");
    assert_false(seen_flag(reset, "environmentBranched.created"));
    assert_string_equal(login_environment(reset).branch_id, preview.branch_id);
    assert_true(expect_holds(reset, "environmentBranched.rotatedRoles", "svc_late"));
    assert_false(credentials_work(world, orders.direct_uri));
    assert_false(credentials_work(world, late.direct_uri));
    orders = of_service(world, "pr:7", "orders");
    late = of_service(world, "pr:7", "late");
    rows = ask(world, &late, ROWS);
    assert_string_equal(rows, ask(world, &live_orders, ROWS));
    assert_null(strstr(rows, "preview"));
    assert_non_null(strstr(rows, "since"));
    expect_state(world, &late, "DELETE FROM item", FORBIDDEN);
    expect_no_way_in(world, &live_orders, &orders);
    expect_no_way_in(world, &live_late, &late);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_branch_has_the_data_of_its_time_or_position),
        cmocka_unit_test(a_branch_without_data_has_the_tables_and_no_row),
        cmocka_unit_test(a_branch_is_reset_to_what_its_parent_is_by_then),
        cmocka_unit_test(a_preview_that_is_reset_has_its_bases_data),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, end));
}
