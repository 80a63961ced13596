// Editing, previews and resets from the command line, and what people see of them: at once, later,
// and as it happens.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/ctl.h"
#include "support/expect.h"
#include "support/world.h"

#define APPLICATION "desk"
#define ARGUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define SEND(...) ARGUMENTS("send", __VA_ARGS__, "--application", APPLICATION, "--wait")

enum { EXIT_OK = 0, EXIT_REJECTED = 10, EXIT_NOT_FOUND = 66 };

static Process follower; // environments --watch, from the beginning

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "20", NULL};
    static const char *const SETTINGS[] = {"environments.check_login=off", "neon.listing_lag=1s",
                                           NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    World *world = *state;
    (void)worker_start(world, "one", SETTINGS);
    command_connect_main(world, APPLICATION);
    ctl_start(world, "follower", ARGUMENTS("environments", "--application=" APPLICATION, "--watch"),
              &follower);
    process_await_log(&follower, "APPLICATION  ENVIRONMENT", CTL_SECONDS);
    return 0;
}

static int end(void **state)
{
    process_kill(&follower);
    return world_end(state);
}

static void await_change(const char *text)
{
    process_await_log(&follower, text, CTL_SECONDS);
}

static void edits_are_told_before_and_after(void **state)
{
    World *world = *state;
    assert_int_equal(ctl_run(world, "create",
                             SEND("create-environment", "-e", "live", "--account=main", "--region",
                                  WORLD_REGION, "--max-cu=1")),
                     EXIT_OK);
    await_change(APPLICATION "/environments/live #1");
    assert_int_equal(ctl_run(world, "branch",
                             SEND("branch-environment", "-e", "try", "--source-environment=live",
                                  "--expires-in=2d")),
                     EXIT_OK);
    ctl_expect(world, "branch", "expires 20");
    assert_int_equal(
        ctl_run(world, "project", SEND("edit-project", "-e", "live", "--history-retention=7d")),
        EXIT_OK);
    ctl_expect(world, "project", "history 1d → 7d  of try, too");
    await_change("historyRetentionSeconds 86400 → 604800");
    assert_int_equal(
        ctl_run(world, "endpoint",
                SEND("edit-endpoint", "-e", "live", "--max-cu=2", "--suspend-timeout=never")),
        EXIT_OK);
    ctl_expect(world, "endpoint", "max 1 CU → 2 CU");
    ctl_expect(world, "endpoint", "→ never");
    await_change("autoscalingLimitMaxCu 1 → 2");
    assert_int_equal(ctl_run(world, "same", SEND("edit-endpoint", "-e", "live", "--max-cu=2")),
                     EXIT_OK);
    ctl_expect(world, "same", "as wanted already");
    assert_int_equal(ctl_run(world, "show", ARGUMENTS("show", APPLICATION "/environments/live")),
                     EXIT_OK);
    ctl_expect(world, "show", "endpoint.autoscalingLimitMaxCu    2\n");
    ctl_expect(world, "show", "endpoint.suspendTimeoutSeconds    -1\n");
    ctl_expect(world, "show", "historyRetentionSeconds           604800\n");
}

static void previews_come_and_go(void **state)
{
    World *world = *state;
    const char *const open[] = {"preview", "open", "42", "-a", APPLICATION, "--wait", NULL};
    assert_int_equal(ctl_run(world, "early", open), EXIT_REJECTED);
    ctl_expect(world, "early", "PREVIEW_BASE_UNSET");
    assert_int_equal(ctl_run(world, "base", SEND("set-preview-base", "-e", "live")), EXIT_OK);
    ctl_expect(world, "base", "PreviewBaseSet");
    Process application; // its outcome may be seen before its state
    ctl_start(world, "application", ARGUMENTS("show", "-a", APPLICATION, "--watch"), &application);
    process_await_log(&application, "live", CTL_SECONDS);
    process_kill(&application);
    assert_int_equal(ctl_run(world, "open", open), EXIT_OK);
    char *output = ctl_output(world, "open");
    const char *host = strstr(output, "ep-"); // all of the last line
    assert_non_null(host);
    assert_true(host[-1] == '\n' && strchr(host, '\n') == host + strlen(host) - 1);
    await_change(APPLICATION "/environments/pr:42 #1");
    assert_int_equal(ctl_run(world, "list", ARGUMENTS("preview", "list")), EXIT_OK);
    ctl_expect(world, "list", host);
    free(output);
    assert_int_equal(ctl_run(world, "environments", ARGUMENTS("environments")), EXIT_OK);
    ctl_expect(world, "environments", "PREVIEWS");
    ctl_expect(world, "environments", "  base  ");
    assert_int_equal(
        ctl_run(world, "close", ARGUMENTS("preview", "close", "42", "-a", APPLICATION, "--wait")),
        EXIT_OK);
    await_change("pr:42           gone");
    assert_int_equal(ctl_run(world, "closed", ARGUMENTS("show", APPLICATION "/environments/pr:42")),
                     EXIT_NOT_FOUND);
}

static void a_branch_is_reset_and_what_cannot_be_is_refused(void **state)
{
    World *world = *state;
    assert_int_equal(ctl_run(world, "reset", SEND("reset-environment", "-e", "try")), EXIT_OK);
    ctl_expect(world, "reset", "EnvironmentReset");
    ctl_expect(world, "reset", "to live");
    assert_int_equal(ctl_run(world, "root", SEND("reset-environment", "-e", "live")),
                     EXIT_REJECTED);
}

static void accounts_are_listed_until_they_are_forgotten(void **state)
{
    World *world = *state;
    assert_int_equal(ctl_run(world, "accounts", ARGUMENTS("accounts")), EXIT_OK);
    ctl_expect(world, "accounts", "main");
    ctl_expect(world, "accounts", WORLD_ORG);
    assert_int_equal(ctl_run(world, "used", SEND("disconnect-account", "--account=main")),
                     EXIT_REJECTED);
    ctl_expect(world, "used", "ACCOUNT_IN_USE");
    (void)command_connect(world, "other", "spare", world->api_key);
    Process gone;
    ctl_start(world, "gone", ARGUMENTS("show", "other/accounts/spare", "--watch"), &gone);
    process_await_log(&gone, "spare", CTL_SECONDS);
    assert_int_equal(ctl_run(world, "forget",
                             ARGUMENTS("send", "disconnect-account", "-a", "other",
                                       "--account=spare", "--wait")),
                     EXIT_OK);
    ctl_expect(world, "forget", "AccountDisconnected");
    process_await_log(&gone, "gone", CTL_SECONDS);
    process_kill(&gone);
}

// A view that was there from the start has told of everything, once.
static void who_follows_has_seen_it_all(void **state)
{
    (void)state;
    static const char *const NEW[] = {APPLICATION "/environments/live #1",
                                      APPLICATION "/environments/try #1",
                                      APPLICATION "/environments/pr:42 #1"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(process_count_logged(&follower, NEW[i]), 1);
    }
    process_signal(&follower, SIGINT);
    assert_int_equal(process_wait(&follower, CTL_SECONDS), 128 + SIGINT);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edits_are_told_before_and_after),
        cmocka_unit_test(previews_come_and_go),
        cmocka_unit_test(a_branch_is_reset_and_what_cannot_be_is_refused),
        cmocka_unit_test(accounts_are_listed_until_they_are_forgotten),
        cmocka_unit_test(who_follows_has_seen_it_all),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, end));
}
