// provisionctl doctor beside a fleet that is well, and beside one thing at a time that isn't.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/ctl.h"
#include "support/secrets.h"
#include "support/setup.h"
#include "support/wait.h"
#include "support/world.h"

#define APPLICATION "shop"
#define OTHER_KEY "aa000000000000000000000000000000000000000000000000000000000000bb"

enum { EXIT_FINDINGS = 1, EXIT_DATA = 65, EXTRA_MAX = 8, ARGUMENTS_MAX = 32 };

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", NULL};
    static const char *const SETTINGS[] = {"environments.check_login=off", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    World *world = *state;
    (void)worker_start(world, "one", SETTINGS);
    command_connect_main(world, APPLICATION);
    setup_write(world, "api.key", world->api_key);
    setup_write(world, "other.key", OTHER_KEY);
    setup_write(world, "away.uri", "postgresql://nobody:s3cret-nobody@127.0.0.1:1/none");
    world_add_secret(world, "s3cret-nobody");
    return 0;
}

static const char *in_dir(const World *world, const char *name)
{
    return box_text("%s/%s", world->dir, name);
}

static const char *public_key(const World *world)
{
    static char hex[2 * PROVISION_KEY_BYTES + 1];
    for (size_t i = 0; i < PROVISION_KEY_BYTES; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", world->fleet_public_key[i]);
    }
    return hex;
}

// What a fleet that is well is asked with; `extra` (ends with NULL) comes last and counts.
static int examine(World *world, const char *name, const char *const *extra)
{
    const char *arguments[ARGUMENTS_MAX] = {
        "doctor",
        "--set",
        box_text("group.id=%s", world->name),
        "--set",
        box_text("topics.partitions=%d", WORLD_PARTITIONS),
        "--set",
        box_text("neon.api_url=%s", world->box.api_url),
        "--ledger-uri-file",
        in_dir(world, "ledger.uri"),
        "--api-key-file",
        in_dir(world, "api.key"),
        "--fleet-public-key",
        public_key(world),
        "--fleet-private-key-file",
        in_dir(world, "fleet.key"),
        "--key-encryption-key-file",
        in_dir(world, "kek.key"),
    };
    size_t count = 17;
    for (size_t i = 0; extra[i] != NULL; i++) {
        assert_true(count < ARGUMENTS_MAX - 1);
        arguments[count++] = extra[i];
    }
    return ctl_run(world, name, arguments);
}

static void expect_failure(World *world, const char *name, const char *const *extra,
                           const char *line)
{
    assert_int_equal(examine(world, name, extra), EXIT_FINDINGS);
    ctl_expect(world, name, "FAILED");
    ctl_expect(world, name, line);
    ctl_expect(world, name, "1 failed");
}

static void a_fleet_that_is_well_has_no_failure(void **state)
{
    World *world = *state;
    worker_await_members(world, 1, WORLD_SECONDS);
    const char *const none[] = {NULL};
    int code = examine(world, "well", none);
    if (code != 0) {
        fail_msg("%s", ctl_output(world, "well"));
    }
    static const char *const LINES[] = {
        "members: 1; all 4 partitions have an owner",
        "agrees with ours",
        "synchronous_commit is on",
        "programs need to know",
        "refuses who has no key (401)",
        "Neon takes it",
        "opens all API keys of the ledger (1)",
        "belong together",
        "records of",
        "0 failed",
    };
    for (size_t i = 0; i < sizeof(LINES) / sizeof(LINES[0]); i++) {
        ctl_expect(world, "well", LINES[i]);
    }
    ctl_expect(world, "well", ledger_value(world, "SELECT id FROM provision.installation"));
}

static void each_line_is_an_object_for_programs(void **state)
{
    World *world = *state;
    const char *const json[] = {"--json", NULL};
    assert_int_equal(examine(world, "json", json), 0);
    char *output = ctl_output(world, "json");
    char *rest = output;
    size_t lines = 0;
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        if (line[0] == '\0') {
            continue;
        }
        json_t *object = json_loads(line, 0, NULL);
        assert_non_null(json_string_value(json_object_get(object, "check")));
        assert_non_null(json_string_value(json_object_get(object, "result")));
        assert_string_not_equal(json_string_value(json_object_get(object, "text")), "");
        json_decref(object);
        lines++;
    }
    assert_true(lines > 12);
    free(output);
}

static void what_is_wrong_is_found_with_its_remedy(void **state)
{
    World *world = *state;
    const char *const ledger[] = {"--ledger-uri-file", in_dir(world, "away.uri"), NULL};
    expect_failure(world, "no_ledger", ledger, "check ledger.uri and that PostgreSQL runs");
    const char *const kek[] = {"--key-encryption-key-file", in_dir(world, "other.key"), NULL};
    expect_failure(world, "wrong_kek", kek,
                   "doesn't open 1 of 1 API keys of the ledger (shop/main)");
    const char *const fleet[] = {"--fleet-public-key", OTHER_KEY, NULL};
    expect_failure(world, "wrong_fleet", fleet, "can't open API keys that are sealed for it");
    const char *const group[] = {"--set", "group.id=nobody-here", NULL};
    expect_failure(world, "no_group", group, "no provision-worker runs");
    const char *const key[] = {"--api-key-file", in_dir(world, "other.key"), NULL};
    expect_failure(world, "wrong_key", key, "Neon answers 401");
    const char *const neon[] = {"--set", "neon.api_url=http://127.0.0.1:1/api/v2", NULL};
    assert_int_equal(examine(world, "no_neon", neon), EXIT_FINDINGS);
    ctl_expect(world, "no_neon", "check neon.api_url");
    const char *const retention[] = {"--set", "ledger.retention=1d", NULL};
    expect_failure(world, "forgets", retention, "raise ledger.retention");
}

static void set_cleanup(World *world, const char *policy)
{
    char reason[256];
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, world->topics[2]);
    assert_int_equal(rd_kafka_ConfigResource_set_config(resource, "cleanup.policy", policy), 0);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(world->producer, RD_KAFKA_ADMIN_OP_ALTERCONFIGS);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, 10000, reason, sizeof reason);
    rd_kafka_queue_t *answers = rd_kafka_queue_new(world->producer);
    rd_kafka_AlterConfigs(world->producer, &resource, 1, options, answers);
    rd_kafka_event_t *event = rd_kafka_queue_poll(answers, 20000);
    assert_non_null(event);
    assert_int_equal(rd_kafka_event_error(event), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(answers);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_ConfigResource_destroy(resource);
}

static const char *fault_of(int status)
{
    return box_text("{'kind': 'status', 'status': %d, 'route': 'GET /auth', 'count': -1}", status);
}

// What Neon answers says whether it is about the key.
static void what_neon_answers_to_a_key_is_read(void **state)
{
    World *world = *state;
    const char *const none[] = {NULL};
    (void)sandbox_fault(world, fault_of(404));
    assert_int_equal(examine(world, "not_found", none), EXIT_FINDINGS);
    ctl_expect(world, "not_found", "look at neon.api_url");
    sandbox_clear_faults(world);
    (void)sandbox_fault(world, fault_of(503));
    assert_int_equal(examine(world, "overloaded", none), 0);
    ctl_expect(world, "overloaded", "can't be told: Neon answers 503");
    sandbox_clear_faults(world);
}

// Nothing else says where anything is.
static void the_workers_file_tells_all(void **state)
{
    World *world = *state;
    const char *const arguments[] = {"doctor", "--worker-config", in_dir(world, "worker.ini"),
                                     NULL};
    int code = ctl_run(world, "ini", arguments);
    if (code != 0) {
        fail_msg("%s", ctl_output(world, "ini"));
    }
    static const char *const LINES[] = {
        "members: 1; all 4 partitions have an owner",
        "programs need to know",
        "refuses who has no key (401)",
        "opens all API keys of the ledger (1)",
    };
    for (size_t i = 0; i < sizeof(LINES) / sizeof(LINES[0]); i++) {
        ctl_expect(world, "ini", LINES[i]);
    }
    // the command line counts over it, and what the worker would refuse is refused
    const char *const over[] = {"doctor", "--worker-config",      in_dir(world, "worker.ini"),
                                "--set",  "group.id=nobody-here", NULL};
    assert_int_equal(ctl_run(world, "over", over), EXIT_FINDINGS);
    ctl_expect(world, "over", "no provision-worker runs");
    setup_write(world, "wrong.ini", "[neon]\n# a comment\n  api_ulr = https://x\n");
    const char *const wrong[] = {"doctor", "--worker-config", in_dir(world, "wrong.ini"), NULL};
    assert_int_equal(ctl_run(world, "wrong", wrong), EXIT_DATA);
    ctl_expect(world, "wrong", "wrong.ini:3: there is no setting neon.api_ulr");
    setup_write(world, "away.ini", "[kafka]\nsasl.password_file = /nonexistent/password\n");
    const char *const away[] = {"doctor", "--worker-config", in_dir(world, "away.ini"), NULL};
    assert_int_equal(ctl_run(world, "away", away), EXIT_FINDINGS);
    ctl_expect(world, "away", "/nonexistent/password");
}

typedef struct Look {
    World *world;
    int count;
} Look;

// The broker tells a changed setting a moment later.
static bool says_uncompacted(void *context)
{
    Look *look = context;
    const char *name = box_text("uncompacted-%d", look->count++);
    const char *const none[] = {NULL};
    if (examine(look->world, name, none) != EXIT_FINDINGS) {
        return false;
    }
    char *output = ctl_output(look->world, name);
    bool found = strstr(output, "states would be lost; set it to compact") != NULL;
    free(output);
    return found;
}

static bool says_all_is_well(void *context)
{
    Look *look = context;
    const char *const none[] = {NULL};
    return examine(look->world, box_text("compacted-%d", look->count++), none) == 0;
}

static void a_state_topic_that_is_not_compacted_fails(void **state)
{
    World *world = *state;
    set_cleanup(world, "delete");
    Look look = {world, 0};
    wait_until(says_uncompacted, &look, WORLD_SECONDS, "doctor sees the policy");
    set_cleanup(world, "compact");
    wait_until(says_all_is_well, &look, WORLD_SECONDS, "doctor sees the policy again");
}

static void a_ledger_that_may_lose_commits_fails(void **state)
{
    World *world = *state;
    PQclear(PQexec(world->ledger,
                   box_text("ALTER DATABASE \"%s\" SET synchronous_commit = off", world->name)));
    const char *const none[] = {NULL};
    expect_failure(world, "not_durable", none, "an intent could be lost");
    PQclear(PQexec(world->ledger,
                   box_text("ALTER DATABASE \"%s\" RESET synchronous_commit", world->name)));
}

static void a_role_that_may_only_read_is_enough(void **state)
{
    World *world = *state;
    const char *role = box_text("%s-reader", world->name);
    PQclear(PQexec(world->ledger,
                   box_text("CREATE ROLE \"%s\" LOGIN PASSWORD 's3cret-reader'; GRANT USAGE ON "
                            "SCHEMA provision TO \"%s\"; GRANT SELECT ON ALL TABLES IN SCHEMA "
                            "provision TO \"%s\"",
                            role, role, role)));
    world_add_secret(world, "s3cret-reader");
    const char *host = strchr(world->ledger_uri, '@');
    assert_non_null(host);
    setup_write(world, "reader.uri", box_text("postgresql://%s:s3cret-reader%s", role, host));
    const char *const reader[] = {"--ledger-uri-file", in_dir(world, "reader.uri"), NULL};
    int code = examine(world, "reader", reader);
    PQclear(PQexec(world->ledger, box_text("DROP OWNED BY \"%s\"; DROP ROLE \"%s\"", role, role)));
    assert_int_equal(code, 0);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fleet_that_is_well_has_no_failure),
        cmocka_unit_test(each_line_is_an_object_for_programs),
        cmocka_unit_test(what_is_wrong_is_found_with_its_remedy),
        cmocka_unit_test(what_neon_answers_to_a_key_is_read),
        cmocka_unit_test(the_workers_file_tells_all),
        cmocka_unit_test(a_state_topic_that_is_not_compacted_fails),
        cmocka_unit_test(a_ledger_that_may_lose_commits_fails),
        cmocka_unit_test(a_role_that_may_only_read_is_enough),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
