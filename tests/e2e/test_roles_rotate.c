// RotateCredentials: a service, a role, all; and what RevealCredentials says after one that failed.
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/credentials.h"
#include "support/expect.h"
#include "support/login.h"
#include "support/secrets.h"
#include "support/world.h"

#define APPLICATION "shop"
#define CREATE                                                                                     \
    "'createEnvironment': {'environment': 'live', 'account': 'main', 'regionId': '" WORLD_REGION   \
    "', 'databases': ['main'], 'services': ["                                                      \
    "{'name': 'orders', 'databases': [{'database': 'main'}]}, "                                    \
    "{'name': 'reports', 'databases': [{'database': 'main', 'access': 'ACCESS_READ'}]}]}"
#define ROTATE(target) "'rotateCredentials': {'environment': 'live', " target "}"

static Recipient recipient;
static Environment live;

static int begin(void **state)
{
    world_begin(state, NULL);
    World *world = *state;
    recipient = credentials_recipient();
    world_add_secret(world, recipient.private_hex);
    const char *const settings[] = {
        box_text("reveal.recipients=" APPLICATION "=%s", recipient.public_hex),
        "commands.max_wait=2s", NULL};
    (void)worker_start(world, "one", settings);
    command_connect_main(world, APPLICATION);
    live = login_environment(command_run(world, APPLICATION, "EnvironmentCreated", CREATE));
    return 0;
}

static Credential of_service(World *world, const char *service)
{
    return credentials_of_service(world, APPLICATION, "live", &recipient, service, "main");
}

static bool has_blocked(const Seen *seen, const char *role)
{
    for (int i = 0; i < 100; i++) {
        const char *object = seen_text(seen, box_text("rolesConfigured.changes.%d.object", i));
        if (strcmp(object, role) == 0 &&
            seen_flag(seen, box_text("rolesConfigured.changes.%d.blocked", i))) {
            return true;
        }
    }
    return false;
}

static void a_service_gets_a_new_password_and_others_keep_theirs(void **state)
{
    World *world = *state;
    Credential orders = of_service(world, "orders");
    Credential reports = of_service(world, "reports");
    const Seen *seen =
        command_run(world, APPLICATION, "CredentialsRotated", ROTATE("'service': 'orders'"));
    assert_true(expect_holds(seen, "credentialsRotated.roles", "svc_orders"));
    assert_string_equal(seen_text(seen, "credentialsRotated.roles.1"), "");
    assert_false(credentials_work(world, orders.direct_uri));
    assert_true(credentials_work(world, reports.direct_uri));
    assert_true(credentials_work(world, of_service(world, "orders").direct_uri));
}

static void a_role_of_neons_is_rotated_by_its_api(void **state)
{
    World *world = *state;
    const char *before = sandbox_password(world, live.project_id, live.branch_id, live.role);
    const Seen *seen =
        command_run(world, APPLICATION, "CredentialsRotated", ROTATE("'role': '%s'"), live.role);
    assert_true(expect_holds(seen, "credentialsRotated.roles", live.role));
    assert_null(login_open(world, &live, before));
    PQfinish(login_revealed(world, &live));
}

static void all_are_rotated(void **state)
{
    World *world = *state;
    Credential orders = of_service(world, "orders");
    Credential admin =
        credentials_of_role(world, APPLICATION, "live", &recipient, "encore_admin", "main");
    const char *owner = sandbox_password(world, live.project_id, live.branch_id, live.role);
    const Seen *seen = command_run(world, APPLICATION, "CredentialsRotated", ROTATE("'all': true"));
    static const char *const ROLES[] = {"svc_orders",    "svc_reports",   "encore_platform",
                                        "encore_reader", "encore_writer", "encore_admin"};
    for (size_t i = 0; i < sizeof(ROLES) / sizeof(ROLES[0]); i++) {
        assert_true(expect_holds(seen, "credentialsRotated.roles", ROLES[i]));
    }
    assert_true(expect_holds(seen, "credentialsRotated.roles", live.role));
    assert_false(credentials_work(world, orders.direct_uri));
    assert_false(credentials_work(world, admin.direct_uri));
    assert_null(login_open(world, &live, owner));
    assert_true(credentials_work(world, of_service(world, "orders").direct_uri));
    assert_true(credentials_work(
        world, credentials_of_role(world, APPLICATION, "live", &recipient, "encore_admin", "main")
                   .direct_uri));
}

static void who_is_unknown_is_named(void **state)
{
    World *world = *state;
    (void)command_refused(world, APPLICATION, "CommandRejected", "ROLE_UNKNOWN",
                          ROTATE("'service': 'nobody'"));
    (void)command_refused(world, APPLICATION, "CommandRejected", "ENVIRONMENT_UNKNOWN",
                          "'rotateCredentials': {'environment': 'nowhere', 'all': true}");
}

#define SETUP                                                                                      \
    "'setupRoles': {'environment': 'live', 'services': [{'name': 'orders', 'databases': "          \
    "[{'database': 'main'}]}, {'name': 'reports', 'databases': [{'database': 'main', "             \
    "'access': 'ACCESS_READ'}]}]}"

// The new password is kept before it is set. Where it never was, the old one is revealed; and what
// is kept is set by who comes next.
static void a_rotation_that_failed_leaves_what_works(void **state)
{
    World *world = *state;
    Credential before = of_service(world, "orders");
    int64_t changes = sandbox_count_changes(world);
    // Neon refuses whatever changes a role, for longer than the worker has patience
    (void)sandbox_fault(world, "{'kind': 'commit_fails', 'count': 1000}");
    const Seen *seen = command_refused(world, APPLICATION, "CommandFailed", "ROLES_UNAVAILABLE",
                                       ROTATE("'service': 'orders'"));
    sandbox_clear_faults(world);
    assert_int_equal(sandbox_count_changes(world), changes);
    assert_string_not_equal(seen_text(seen, "commandFailed.left.0"), "");
    assert_string_equal(ledger_value(world, "SELECT sealed_next IS NOT NULL FROM "
                                            "provision.role_secret WHERE role = 'svc_orders'"),
                        "t");
    Credential after = of_service(world, "orders");
    assert_string_equal(after.direct_uri, before.direct_uri);
    assert_true(credentials_work(world, after.direct_uri));
    (void)command_run(world, APPLICATION, "RolesConfigured", SETUP);
    assert_false(credentials_work(world, before.direct_uri));
    assert_true(credentials_work(world, of_service(world, "orders").direct_uri));
    assert_string_equal(ledger_value(world, "SELECT count(*) FROM provision.role_secret WHERE "
                                            "sealed_next IS NOT NULL"),
                        "0");
}

// A service may change its own password; SetupRoles sets the one that is kept.
static void a_password_that_was_changed_by_hand_is_set_back(void **state)
{
    static const char PASSWORD[] = "Quite-long_and.R4ndom-7f3a91";
    World *world = *state;
    Credential orders = of_service(world, "orders");
    PGconn *connection = credentials_login(world, orders.direct_uri);
    world_add_secret(world, PASSWORD);
    (void)login_value(connection, box_text("ALTER ROLE svc_orders PASSWORD '%s'", PASSWORD));
    PQfinish(connection);
    assert_false(credentials_work(world, orders.direct_uri));
    (void)command_run(world, APPLICATION, "RolesConfigured", SETUP);
    assert_true(credentials_work(world, orders.direct_uri));
}

#define WITH_PAY                                                                                   \
    "'setupRoles': {'environment': 'live', 'services': [{'name': 'orders', 'databases': "          \
    "[{'database': 'main'}]}, {'name': 'pay', 'databases': [{'database': 'main'}]}]}"
#define REVEAL_PAY                                                                                 \
    "'revealCredentials': {'environment': 'live', 'replyPublicKey': '%s', 'service': 'pay'}"

// What somebody else made keeps its password: ours is never handed out as if it were set.
static void a_role_that_is_not_ours_is_told_of_and_the_others_are_rotated(void **state)
{
    static const char THEIRS[] = "Somebody-elses_0wn-pass7f21c0";
    World *world = *state;
    world_add_secret(world, THEIRS);
    PGconn *owner = login_revealed(world, &live);
    (void)login_value(owner, box_text("CREATE ROLE svc_pay LOGIN PASSWORD '%s'", THEIRS));
    PQfinish(owner);
    const Seen *seen = command_run(world, APPLICATION, "RolesConfigured", WITH_PAY);
    assert_true(has_blocked(seen, "svc_pay"));
    (void)command_refused(world, APPLICATION, "CommandRejected", "PASSWORD_NOT_SET", REVEAL_PAY,
                          recipient.public_base64);
    Credential orders = of_service(world, "orders");
    seen = command_refused(world, APPLICATION, "CommandFailed", "PASSWORD_NOT_SET",
                           ROTATE("'all': true"));
    assert_non_null(strstr(seen_text(seen, "commandFailed.message"), "svc_pay"));
    assert_true(expect_holds(seen, "commandFailed.left", "role svc_orders has its new password"));
    assert_true(expect_holds(seen, "commandFailed.left", "role svc_pay has no new password"));
    assert_false(credentials_work(world, orders.direct_uri));
    assert_true(credentials_work(world, of_service(world, "orders").direct_uri));
    (void)command_refused(world, APPLICATION, "CommandRejected", "PASSWORD_NOT_SET", REVEAL_PAY,
                          recipient.public_base64);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service_gets_a_new_password_and_others_keep_theirs),
        cmocka_unit_test(a_role_of_neons_is_rotated_by_its_api),
        cmocka_unit_test(all_are_rotated),
        cmocka_unit_test(who_is_unknown_is_named),
        cmocka_unit_test(a_rotation_that_failed_leaves_what_works),
        cmocka_unit_test(a_password_that_was_changed_by_hand_is_set_back),
        cmocka_unit_test(a_role_that_is_not_ours_is_told_of_and_the_others_are_rotated),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
