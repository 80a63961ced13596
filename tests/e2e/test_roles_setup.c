// SetupRoles, the roles' part of CreateEnvironment, and what RevealCredentials tells of them: with
// real logins.
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/credentials.h"
#include "support/expect.h"
#include "support/login.h"
#include "support/secrets.h"
#include "support/wait.h"
#include "support/world.h"

#define APPLICATION "shop"
#define FORBIDDEN "42501"
#define CREATE                                                                                     \
    "'createEnvironment': {'environment': '%s', 'account': 'main', 'regionId': '" WORLD_REGION     \
    "', 'databases': ['main', 'audit'], 'services': ["                                             \
    "{'name': 'orders', 'databases': [{'database': 'main'}]}, "                                    \
    "{'name': 'reports', 'databases': [{'database': 'main', 'access': 'ACCESS_READ'}, "            \
    "{'database': 'audit', 'access': 'ACCESS_READ'}]}, "                                           \
    "{'name': 'migrator', 'databases': [{'database': 'audit', 'access': 'ACCESS_ADMIN'}]}]}"
#define SAME_SERVICES                                                                              \
    "'services': ["                                                                                \
    "{'name': 'orders', 'databases': [{'database': 'main'}]}, "                                    \
    "{'name': 'reports', 'databases': [{'database': 'main', 'access': 'ACCESS_READ'}, "            \
    "{'database': 'audit', 'access': 'ACCESS_READ'}]}, "                                           \
    "{'name': 'migrator', 'databases': [{'database': 'audit', 'access': 'ACCESS_ADMIN'}]}]"

static Recipient recipient;
static Environment live;

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
    live = login_environment(command_run(world, APPLICATION, "EnvironmentCreated", CREATE, "live"));
    return 0;
}

static PGconn *login_service(World *world, const char *service, const char *database)
{
    Credential credential =
        credentials_of_service(world, APPLICATION, "live", &recipient, service, database);
    PGconn *connection = credentials_login(world, credential.direct_uri);
    assert_non_null(connection);
    return connection;
}

static void an_environment_is_created_with_its_databases_and_services(void **state)
{
    World *world = *state;
    const Seen *seen = reader_await_state(world->reader, "applications/shop/environments/live",
                                          false, WORLD_SECONDS);
    assert_true(expect_holds(seen, "environment.databases", "main"));
    assert_true(expect_holds(seen, "environment.databases", "audit"));
    assert_true(expect_holds(seen, "environment.roles", "svc_orders"));
    assert_true(expect_holds(seen, "environment.roles", "encore_platform"));
    assert_string_equal(seen_text(seen, "environment.services.2.databases.0.access"),
                        "ACCESS_ADMIN");
    assert_string_equal(seen_text(seen, "environment.rolesPolicy"), "ROLES_POLICY_AUTHORITATIVE");
}

static void services_may_do_what_was_declared_and_nothing_else(void **state)
{
    World *world = *state;
    PGconn *migrator = login_service(world, "migrator", "audit");
    assert_string_equal(credentials_try(migrator, "CREATE TABLE entry (id int)"), "");
    PQfinish(migrator);
    PGconn *reports = login_service(world, "reports", "audit");
    assert_string_equal(credentials_try(reports, "SELECT * FROM entry"), "");
    assert_string_equal(credentials_try(reports, "INSERT INTO entry VALUES (1)"), FORBIDDEN);
    PQfinish(reports);
    PGconn *owner = login_revealed(world, &live);
    (void)login_value(owner, "SET ROLE db_main_admin; CREATE TABLE item (id int)");
    PQfinish(owner);
    PGconn *orders = login_service(world, "orders", "main");
    assert_string_equal(credentials_try(orders, "INSERT INTO item VALUES (1)"), "");
    assert_string_equal(credentials_try(orders, "CREATE TABLE mine (id int)"), FORBIDDEN);
    PQfinish(orders);
    // a service has URIs of its own databases only
    CredentialList all = credentials_open(
        world, &recipient,
        command_run(world, APPLICATION, "CredentialsIssued",
                    "'revealCredentials': {'environment': 'live', 'replyPublicKey': '%s', "
                    "'service': 'orders'}",
                    recipient.public_base64));
    assert_int_equal(all.count, 1);
    assert_true(credentials_work(world, all.list[0].pooled_uri));
    assert_string_equal(all.list[0].role, "svc_orders");
}

static void global_roles_are_revealed_too(void **state)
{
    World *world = *state;
    Credential reader =
        credentials_of_role(world, APPLICATION, "live", &recipient, "encore_reader", "audit");
    PGconn *connection = credentials_login(world, reader.direct_uri);
    assert_non_null(connection);
    assert_string_equal(credentials_try(connection, "SELECT * FROM entry"), "");
    assert_string_equal(credentials_try(connection, "DELETE FROM entry"), FORBIDDEN);
    PQfinish(connection);
    // left out: the role that the environment was made with, which is still let in
    CredentialList all = credentials_open(
        world, &recipient,
        command_run(world, APPLICATION, "CredentialsIssued",
                    "'revealCredentials': {'environment': 'live', 'replyPublicKey': '%s'}",
                    recipient.public_base64));
    assert_int_equal(all.count, 2);
    assert_true(credentials_work(world, all.list[0].direct_uri));
    assert_string_equal(all.list[0].role, live.role);
}

static void the_same_again_changes_nothing_and_opens_no_intent(void **state)
{
    World *world = *state;
    const Seen *seen = command_run(world, APPLICATION, "RolesConfigured",
                                   "'setupRoles': {'environment': 'live', " SAME_SERVICES "}");
    assert_string_equal(seen_text(seen, "rolesConfigured.changes.0.change"), "");
    assert_string_equal(ledger_value(world,
                                     "SELECT intent_number FROM provision.command WHERE action = "
                                     "'SetupRoles' ORDER BY created_at DESC LIMIT 1"),
                        "0");
}

static void a_plan_changes_nothing_and_tells_what_it_would(void **state)
{
    World *world = *state;
    const Seen *seen = command_run(world, APPLICATION, "RolesConfigured",
                                   "'setupRoles': {'environment': 'live', 'mode': "
                                   "'ROLES_MODE_PLAN', 'databases': ['main', 'audit', 'late'], "
                                   "'services': [{'name': 'fresh', 'databases': [{'database': "
                                   "'late'}]}]}");
    assert_true(seen_flag(seen, "rolesConfigured.plannedOnly"));
    assert_string_not_equal(seen_text(seen, "rolesConfigured.changes.0.change"), "");
    expect_event(seen, APPLICATION, "environments/live", 0);
    PGconn *owner = login_revealed(world, &live);
    assert_string_equal(login_value(owner, "SELECT count(*) FROM pg_roles WHERE rolname = "
                                           "'svc_fresh'"),
                        "0");
    assert_string_equal(
        login_value(owner, "SELECT count(*) FROM pg_database WHERE datname = 'late'"), "0");
    PQfinish(owner);
    assert_string_equal(ledger_value(world, "SELECT count(*) FROM provision.role_secret WHERE "
                                            "role = 'svc_fresh'"),
                        "0");
}

static void a_database_and_a_service_are_added_and_another_loses_its_login(void **state)
{
    World *world = *state;
    Credential orders =
        credentials_of_service(world, APPLICATION, "live", &recipient, "orders", "main");
    const Seen *seen =
        command_run(world, APPLICATION, "RolesConfigured",
                    "'setupRoles': {'environment': 'live', 'databases': ['main', 'audit', 'late'], "
                    "'services': [{'name': 'reports', 'databases': [{'database': 'main', 'access': "
                    "'ACCESS_READ'}]}, {'name': 'fresh', 'databases': [{'database': 'late'}]}]}");
    assert_string_not_equal(seen_text(seen, "rolesConfigured.changes.0.reason"), "");
    Credential fresh =
        credentials_of_service(world, APPLICATION, "live", &recipient, "fresh", "late");
    assert_true(credentials_work(world, fresh.direct_uri));
    assert_true(credentials_work(world, fresh.pooled_uri));
    PGconn *owner = login_revealed(world, &live);
    assert_string_equal(
        login_value(owner, "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'svc_orders'"), "f");
    PQfinish(owner);
    assert_non_null(orders.direct_uri);
    (void)command_refused(world, APPLICATION, "CommandRejected", "PASSWORD_NOT_STORED",
                          "'revealCredentials': {'environment': 'live', 'replyPublicKey': '%s', "
                          "'service': 'orders'}",
                          recipient.public_base64);
}

static void drift_is_repaired(void **state)
{
    World *world = *state;
    PGconn *owner = login_revealed(world, &live);
    (void)login_value(owner, "SET ROLE db_main_admin; GRANT DELETE ON item TO db_main_reader");
    PQfinish(owner);
    const Seen *seen =
        command_run(world, APPLICATION, "RolesConfigured",
                    "'setupRoles': {'environment': 'live', 'databases': ['main', 'audit', 'late'], "
                    "'services': [{'name': 'reports', 'databases': [{'database': 'main', 'access': "
                    "'ACCESS_READ'}]}, {'name': 'fresh', 'databases': [{'database': 'late'}]}]}");
    assert_string_not_equal(seen_text(seen, "rolesConfigured.changes.0.change"), "");
    PGconn *reports = login_service(world, "reports", "main");
    assert_string_equal(credentials_try(reports, "DELETE FROM item"), FORBIDDEN);
    PQfinish(reports);
}

static void what_an_imported_environment_has_is_left_alone(void **state)
{
    World *world = *state;
    (void)ledger_value(world, "UPDATE provision.environment SET origin = 'imported' WHERE "
                              "environment = 'live' RETURNING 1");
    const Seen *seen = command_refused(world, APPLICATION, "CommandRejected", "IMPORTED_READ_ONLY",
                                       "'setupRoles': {'environment': 'live'}");
    assert_string_equal(seen_text(seen, "commandRejected.field"), "setup_roles.adopt");
    (void)command_run(world, APPLICATION, "RolesConfigured",
                      "'setupRoles': {'environment': 'live', 'mode': 'ROLES_MODE_PLAN'}");
    (void)ledger_value(world, "UPDATE provision.environment SET origin = 'created' WHERE "
                              "environment = 'live' RETURNING 1");
}

static void what_does_not_fit_is_refused(void **state)
{
    World *world = *state;
    (void)command_refused(world, APPLICATION, "CommandRejected", "ENVIRONMENT_UNKNOWN",
                          "'setupRoles': {'environment': 'nowhere'}");
    (void)command_refused(world, APPLICATION, "CommandRejected", "INVALID_FIELD",
                          "'setupRoles': {'environment': 'live', 'services': [{'name': 'x', "
                          "'databases': [{'database': 'nowhere'}]}]}");
}

static void secrets_go_with_the_environment(void **state)
{
    World *world = *state;
    (void)command_run(world, APPLICATION, "EnvironmentDeleted",
                      "'deleteEnvironment': {'environment': 'live', 'deleteData': true}");
    assert_string_equal(ledger_value(world, "SELECT count(*) FROM provision.role_secret"), "0");
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_environment_is_created_with_its_databases_and_services),
        cmocka_unit_test(services_may_do_what_was_declared_and_nothing_else),
        cmocka_unit_test(global_roles_are_revealed_too),
        cmocka_unit_test(the_same_again_changes_nothing_and_opens_no_intent),
        cmocka_unit_test(a_plan_changes_nothing_and_tells_what_it_would),
        cmocka_unit_test(a_database_and_a_service_are_added_and_another_loses_its_login),
        cmocka_unit_test(drift_is_repaired),
        cmocka_unit_test(what_an_imported_environment_has_is_left_alone),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(secrets_go_with_the_environment),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
