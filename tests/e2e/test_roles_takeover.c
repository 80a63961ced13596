// A worker that stood still in mid-apply finds that another has gone on: what it still does changes
// nothing, least of all a password back.
#include "base/text.h"
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/credentials.h"
#include "support/login.h"
#include "support/pair.h"
#include "support/secrets.h"
#include "support/wait.h"
#include "support/world.h"

#define CREATE                                                                                     \
    "'createEnvironment': {'environment': 'live', 'account': 'main', 'regionId': '" WORLD_REGION   \
    "', 'databases': ['main']}"
#define SETUP(more)                                                                                \
    "'setupRoles': {'environment': 'live'" more ", 'services': [{'name': 'orders', 'databases': "  \
    "[{'database': 'main'}]}]}"
#define ROTATE "'rotateCredentials': {'environment': 'live', 'service': 'orders'}"
#define APPLY_POINT "call.before/SetupRoles/apply_roles"
#define SET_POINT "call.before/RotateCredentials/set_passwords"

static Recipient recipient;

enum { RECIPIENTS = 40 };

// Applications get their names only when it is known whose partitions they belong to.
static const char *list_recipients(void)
{
    Text list CLEANUP(text_clear) = TEXT_INIT(4000);
    text_append(&list, "reveal.recipients=");
    for (int i = 1; i <= RECIPIENTS; i++) {
        text_printf(&list, " app-%d=%s", i, recipient.public_hex);
    }
    return box_text("%s", text_get(&list));
}

static int begin(void **state)
{
    static const char *settings[2];
    recipient = credentials_recipient();
    settings[0] = list_recipients();
    pair_open_with_computes(state, settings);
    world_add_secret(*state, recipient.private_hex);
    return 0;
}

static Credential of_orders(Pair *pair)
{
    return credentials_of_service(pair->world, pair->application, "live", &recipient, "orders",
                                  "main");
}

static void another_applies_and_the_frozen_one_changes_nothing(void **state)
{
    World *world = *state;
    Pair pair = pair_begin(world, APPLY_POINT "=stop", NULL);
    (void)command_run(world, pair.application, "EnvironmentCreated", CREATE);
    const char *id = command_send(world, pair.application, SETUP(""));
    pair_await_point(&pair, APPLY_POINT);
    pair_await_exclusion(&pair);
    (void)pair_await_once(world, id, "RolesConfigured");
    Credential before = of_orders(&pair);
    (void)command_run(world, pair.application, "CredentialsRotated", ROTATE);
    Credential after = of_orders(&pair);
    assert_false(credentials_work(world, before.direct_uri));
    pair_thaw(&pair);
    assert_true(credentials_work(world, after.direct_uri));
    assert_string_equal(of_orders(&pair).direct_uri, after.direct_uri);
    const Seen *seen = command_run(world, pair.application, "RolesConfigured",
                                   SETUP(", 'mode': 'ROLES_MODE_PLAN'"));
    assert_string_equal(seen_text(seen, "rolesConfigured.changes.0.object"), "");
    assert_true(pair_row_number(world, id, "takeovers") >= 1);
}

static void another_rotates_and_the_frozen_one_sets_nothing(void **state)
{
    World *world = *state;
    Pair pair = pair_begin(world, SET_POINT "=stop", NULL);
    (void)command_run(world, pair.application, "EnvironmentCreated", CREATE);
    (void)command_run(world, pair.application, "RolesConfigured", SETUP(""));
    Credential before = of_orders(&pair);
    const char *id = command_send(world, pair.application, ROTATE);
    pair_await_point(&pair, SET_POINT);
    // asked by the other, while nobody has set the new one
    pair_await_exclusion(&pair);
    (void)pair_await_once(world, id, "CredentialsRotated");
    assert_false(credentials_work(world, before.direct_uri));
    (void)command_run(world, pair.application, "CredentialsRotated", ROTATE);
    Credential latest = of_orders(&pair);
    pair_thaw(&pair);
    assert_true(credentials_work(world, latest.direct_uri));
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(another_applies_and_the_frozen_one_changes_nothing, pair_end),
        cmocka_unit_test_teardown(another_rotates_and_the_frozen_one_sets_nothing, pair_end),
        cmocka_unit_test(pair_sequences_are_whole),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
