// What people see of what there is, and of what becomes of it: environments, accounts, the
// application, previews. The test plays the worker.
#include <signal.h>
#include <string.h>

#include "ctl.h"

#define SHOP "applications/shop"

static const char ID[] = "919108f7-52d1-4320-9bac-f847db4148a8";

static void expect(const Process *process, const char *text)
{
    if (strstr(process->out, text) == NULL) {
        fail_msg("no %s in\n%s%s", text, process->out, process->err);
    }
}

static int set_up(void **state)
{
    int failed = stage_set_up(state);
    if (failed != 0) {
        return failed;
    }
    Stage *stage = *state;
    stage_begin(stage);
    stage_state_form(stage, "shop", SHOP, "'application': {'previewBase': 'live'}");
    stage_state_form(stage, "shop", SHOP "/accounts/main",
                     "'account': {'account': 'main', 'keyKind': 'KEY_KIND_ORGANIZATION', 'orgId': "
                     "'org-1'}");
    stage_state_form(stage, "shop", SHOP "/environments/live",
                     "'environment': {'environment': 'live', 'host': 'ep-live', 'endpoint': "
                     "{'autoscalingLimitMaxCu': 1}}");
    stage_state_form(stage, "shop", SHOP "/environments/pr:42",
                     "'environment': {'environment': 'pr:42', 'host': 'ep-42', 'expiresAt': "
                     "'2026-11-29T19:07:53Z'}");
    stage_state_form(stage, "blog", "applications/blog/accounts/other",
                     "'account': {'account': 'other', 'keyKind': 'KEY_KIND_PERSONAL'}");
    stage_commit(stage);
    // Kafka says that a transaction is committed before all partitions show it; the next one waits
    // for them.
    stage_begin(stage);
    stage_gone(stage, "applications/none");
    stage_commit(stage);
    return 0;
}

static void accounts_and_previews_are_listed(void **state)
{
    Stage *stage = *state;
    Process accounts CLEANUP(process_clear);
    ctl_run(stage, &accounts, ARGUMENTS("accounts"));
    ctl_assert_exit(&accounts, EXIT_CODE_OK);
    expect(&accounts, "shop         main     organization  org-1");
    expect(&accounts, "blog         other    personal");
    Process json CLEANUP(process_clear);
    ctl_run(stage, &json, ARGUMENTS("accounts", "-a", "blog", "--json"));
    expect(&json, "\"account\":\"other\"");
    assert_null(strstr(json.out, "org-1"));
    Process previews CLEANUP(process_clear);
    ctl_run(stage, &previews, ARGUMENTS("preview", "list", "--application=shop"));
    ctl_assert_exit(&previews, EXIT_CODE_OK);
    expect(&previews, "pr:42");
    assert_null(strstr(previews.out, "live"));
    Process environments CLEANUP(process_clear);
    ctl_run(stage, &environments, ARGUMENTS("environments"));
    expect(&environments, "base      -                 ep-live");
    expect(&environments, "-         2026-11-29 19:07  ep-42");
}

static void an_application_shows_its_base(void **state)
{
    Stage *stage = *state;
    const char *const *const WAYS[] = {ARGUMENTS("show", "--application=shop"),
                                       ARGUMENTS("show", SHOP)};
    for (size_t i = 0; i < 2; i++) {
        Process show CLEANUP(process_clear);
        ctl_run(stage, &show, WAYS[i]);
        ctl_assert_exit(&show, EXIT_CODE_OK);
        expect(&show, "previewBase                       live");
    }
    Process none CLEANUP(process_clear);
    ctl_run(stage, &none, ARGUMENTS("show", "--application=blog"));
    ctl_assert_exit(&none, EXIT_CODE_NOT_FOUND);
    assert_non_null(strstr(none.err, "no preview base"));
}

// All are there before the first change is printed, and what others do is passed over.
static void changes_are_followed_as_they_come(void **state)
{
    Stage *stage = *state;
    Process follow CLEANUP(process_clear);
    ctl_start(stage, &follow,
              ARGUMENTS("environments", "--application=shop", "--watch", "--count=3"));
    process_await_output(&follow, "ep-live");
    stage_begin(stage);
    stage_state_form(stage, "blog", "applications/blog/environments/live",
                     "'environment': {'environment': 'live', 'host': 'ep-blog'}");
    stage_gone(stage, "applications/blog/environments/old");
    stage_state_form(stage, "shop", SHOP "/accounts/second", "'account': {'account': 'second'}");
    stage_state_form(stage, "shop", SHOP "/environments/live",
                     "'environment': {'environment': 'live', 'host': 'ep-live', 'endpoint': "
                     "{'autoscalingLimitMaxCu': 4}}");
    stage_commit(stage);
    process_await_output(&follow, "autoscalingLimitMaxCu 1 → 4");
    stage_begin(stage);
    stage_state_form(stage, "shop", SHOP "/environments/pr:7",
                     "'environment': {'environment': 'pr:7', 'host': 'ep-7'}");
    stage_commit(stage);
    process_await_output(&follow, "new: ep-7");
    stage_begin(stage);
    stage_gone(stage, SHOP "/environments/pr:42");
    stage_commit(stage);
    process_finish(&follow);
    ctl_assert_exit(&follow, EXIT_CODE_OK);
    expect(&follow, "shop/environments/pr:42           gone\n");
    assert_null(strstr(follow.out, "blog"));
    assert_null(strstr(follow.out, "second"));
}

static void one_subject_is_followed_until_it_is_interrupted(void **state)
{
    Stage *stage = *state;
    Process follow CLEANUP(process_clear);
    ctl_start(stage, &follow, ARGUMENTS("show", "later", "-a", "shop", "--watch", "--json"));
    Process idle CLEANUP(process_clear);
    ctl_run(stage, &idle, ARGUMENTS("show", "later", "-a", "shop", "--watch", "--until-idle=1s"));
    ctl_assert_exit(&idle, EXIT_CODE_OK);
    assert_string_equal(idle.out, "");
    stage_begin(stage);
    stage_state_form(stage, "shop", SHOP "/environments/later",
                     "'environment': {'environment': 'later', 'host': 'ep-l'}");
    stage_state_form(stage, "shop", SHOP "/environments/other",
                     "'environment': {'environment': 'other', 'host': 'ep-o'}");
    stage_commit(stage);
    process_await_output(&follow, "ep-l");
    stage_begin(stage);
    stage_gone(stage, SHOP "/environments/later");
    stage_commit(stage);
    process_await_output(&follow, "\"gone\":true");
    assert_int_equal(kill(follow.pid, SIGINT), 0);
    process_finish(&follow);
    assert_int_equal(follow.exit_code, -1);
    assert_null(strstr(follow.out, "ep-o"));
    Process wrong CLEANUP(process_clear);
    ctl_run(stage, &wrong, ARGUMENTS("accounts", "--count=2"));
    ctl_assert_exit(&wrong, EXIT_CODE_USAGE);
}

static bool note(void *context, const ProvisionState *state)
{
    Text *seen = context;
    text_printf(seen, "%s%s %s %s %d\n", state->gone ? "gone " : "", state->subject,
                state->application_id, state->name, (int)state->kind);
    return true;
}

static void programs_follow_states_too(void **state)
{
    Stage *stage = *state;
    Text seen CLEANUP(text_clear) = TEXT_INIT(10000);
    ProvisionError error;
    bool changed = true;
    ProvisionStateWatch *watch = provision_state_watch_begin(
        stage->client, "follower", SUPPORT_TIMEOUT_MS, note, &seen, &error);
    assert_non_null(watch);
    assert_true(provision_state_watch_next(watch, 200, note, &seen, &changed, &error));
    assert_false(changed);
    assert_string_equal(text_get(&seen), "");
    stage_begin(stage);
    stage_gone(stage, "applications/follower/environments/e");
    stage_gone(stage, "applications/follower/accounts/a");
    stage_gone(stage, "applications/follower");
    stage_garbage(stage, stage->state, "applications/follower/environments/bad");
    stage_commit(stage);
    int failed = 0;
    for (int i = 0; i < 4; i++) { // their order is that of partitions
        bool fine =
            provision_state_watch_next(watch, SUPPORT_TIMEOUT_MS, note, &seen, &changed, &error);
        assert_true(fine ? changed : strcmp(error.code, "STATE_UNREADABLE") == 0);
        failed += fine ? 0 : 1;
    }
    assert_int_equal(failed, 1);
    provision_state_watch_end(watch);
    const char *text = text_get(&seen);
    assert_non_null(strstr(text, "gone applications/follower/environments/e follower e 0\n"));
    assert_non_null(strstr(text, "gone applications/follower/accounts/a follower a 1\n"));
    assert_non_null(strstr(text, "gone applications/follower follower  2\n"));
}

// An answer in several events, none of which ends it but the last.
static void all_pages_of_an_inventory_are_shown(void **state)
{
    Stage *stage = *state;
    Process wait CLEANUP(process_clear);
    stage_begin(stage);
    stage_event_form(stage, "shop", ID,
                     "'accountInventory': {'account': 'main', 'page': 1, 'pages': 2, 'projects': "
                     "[{'projectId': 'p-1', 'name': 'first'}]}");
    stage_commit(stage);
    ctl_start(stage, &wait, ARGUMENTS("wait", ID, "-a", "shop", "--timeout=30s"));
    process_await_output(&wait, "  first  p-1");
    stage_begin(stage);
    stage_event_form(stage, "shop", ID,
                     "'accountInventory': {'account': 'main', 'page': 2, 'pages': 2, 'projects': "
                     "[{'projectId': 'p-2', 'name': 'second'}]}");
    stage_commit(stage);
    process_finish(&wait);
    ctl_assert_exit(&wait, EXIT_CODE_OK);
    expect(&wait, "  second  p-2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accounts_and_previews_are_listed),
        cmocka_unit_test(an_application_shows_its_base),
        cmocka_unit_test(changes_are_followed_as_they_come),
        cmocka_unit_test(one_subject_is_followed_until_it_is_interrupted),
        cmocka_unit_test(all_pages_of_an_inventory_are_shown),
        cmocka_unit_test(programs_follow_states_too), // leaves what is no state
    };
    return support_servers() == NULL ? support_skip()
                                     : cmocka_run_group_tests(tests, set_up, stage_tear_down);
}
