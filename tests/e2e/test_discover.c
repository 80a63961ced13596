// What an account's key sees: all projects and branches, in pages of a bounded size.
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/expect.h"
#include "support/probe.h"
#include "support/world.h"

#define APPLICATION "shop"
#define DISCOVER "'discoverAccount': {'account': 'main'}"
#define FILTERED "'discoverAccount': {'account': 'main', 'projectFilter': '%s'}"

enum {
    PROJECTS = 1000,
    PAGE_BYTES_MAX = 256 * 1024,
    SECONDS = 120,
    AT_ONCE = 4, // run/memory_bound.h
    ABOVE = 3,
    HELD_MS = 4000,
};

static const char *const SETTINGS[] = {"environments.check_login=off", "neon.requests_per_second=0",
                                       NULL};

static Process *worker;

// Names as long as they come, so that there is more than one page.
static void make_project(World *world, int number)
{
    static const char LONG[] = "a-project-whose-name-somebody-made-up-from-a-department-a-team-a-"
                               "product-a-stage-and-a-region-so-that-nobody-has-to-ask-what-it-is-"
                               "good-for-or-who-pays-for-it";
    const char *body = box_text(
        "{\"project\": {\"name\": \"%s-%d\", \"branch\": {\"name\": \"main\"}}}", LONG, number);
    assert_int_equal(box_status(&world->box, "POST", "/projects", body), 201);
}

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "20", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    World *world = *state;
    for (int i = 0; i < PROJECTS; i++) {
        make_project(world, i);
    }
    worker = worker_start(world, "one", SETTINGS);
    command_connect_main(world, APPLICATION);
    return 0;
}

static size_t count_projects(const Seen *page)
{
    const json_t *inventory = json_object_get(page->json, "accountInventory");
    return json_array_size(json_object_get(inventory, "projects"));
}

static size_t count_branches(const Seen *page)
{
    size_t count = 0;
    for (size_t i = 0; i < count_projects(page); i++) {
        const char *name =
            seen_text(page, box_text("accountInventory.projects.%zu.branches.0.name", i));
        count += strcmp(name, "main") == 0;
    }
    return count;
}

static void all_projects_are_told_on_several_pages(void **state)
{
    World *world = *state;
    const char *id = command_send(world, APPLICATION, DISCOVER);
    const Seen *last = reader_await_outcome(world->reader, id, SECONDS);
    assert_non_null(last);
    assert_string_equal(seen_type(last), "AccountInventory");
    int64_t pages = seen_number(last, "accountInventory.pages");
    assert_true(pages > 1);
    size_t branches = 0;
    int64_t next = 1;
    for (size_t i = 0; i < reader_count(world->reader); i++) {
        const Seen *page = reader_at(world->reader, i);
        const char *command = seen_header(page, "ce_correlationid");
        if (page->topic != SEEN_EVENTS || command == NULL || strcmp(command, id) != 0) {
            continue;
        }
        assert_int_equal(seen_number(page, "accountInventory.page"), next++);
        assert_true(page->value.size <= PAGE_BYTES_MAX);
        branches += count_branches(page);
    }
    assert_int_equal(next, pages + 1);
    assert_int_equal(branches, PROJECTS);
}

static void a_filter_narrows_it_down(void **state)
{
    World *world = *state;
    const Seen *seen =
        command_run(world, APPLICATION, "AccountInventory", FILTERED, "pays-for-it-77");
    assert_int_equal(seen_number(seen, "accountInventory.pages"), 1);
    assert_int_equal(count_projects(seen), 11); // 77, 770 to 779
    assert_string_equal(seen_text(seen, "accountInventory.regions.0.regionId"), "aws-us-east-1");
    expect_event(seen, APPLICATION, "accounts/main", 0);
}

// Each holds what it has listed.
static void only_a_few_are_listed_at_once(void **state)
{
    World *world = *state;
    const char *ids[ABOVE + AT_ONCE];
    for (int i = 0; i < ABOVE + AT_ONCE; i++) {
        command_connect_main(world, box_text("team-%d", i));
    }
    (void)sandbox_fault(world, box_text("{'kind': 'slow', 'route': 'GET /regions', 'count': %d, "
                                        "'ms': %d}",
                                        AT_ONCE, HELD_MS));
    for (int i = 0; i < ABOVE + AT_ONCE; i++) {
        ids[i] = command_send(world, box_text("team-%d", i), FILTERED, "pays-for-it-77");
    }
    probe_await_metric(worker, "provision_commands_waiting", ABOVE, SECONDS);
    assert_string_equal(ledger_value(world, "SELECT count(*) FROM provision.command WHERE action = "
                                            "'DiscoverAccount' AND status = 'running'"),
                        box_text("%d", AT_ONCE));
    for (int i = 0; i < ABOVE + AT_ONCE; i++) {
        (void)command_await(world, ids[i], "AccountInventory");
    }
}

static void an_unknown_account_is_refused(void **state)
{
    World *world = *state;
    (void)command_refused(world, "nobody", "CommandRejected", "ACCOUNT_UNKNOWN", DISCOVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_projects_are_told_on_several_pages),
        cmocka_unit_test(a_filter_narrows_it_down),
        cmocka_unit_test(only_a_few_are_listed_at_once),
        cmocka_unit_test(an_unknown_account_is_refused),
    };
    return cmocka_run_group_tests(tests, begin, world_end);
}
