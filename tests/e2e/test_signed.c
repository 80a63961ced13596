// With commands.require_signature write access to the command topic is not enough: only what a
// listed key has signed for its application, or a worker has sent, is executed.
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "base/attr.h"
#include "contract/signature.h"
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/ctl.h"
#include "support/secrets.h"
#include "support/setup.h"
#include "support/signing.h"
#include "support/sweep.h"
#include "support/wait.h"
#include "support/world.h"

#define APPLICATION "shop"
#define NEIGHBOUR "blog"
#define CREATE                                                                                     \
    "'createEnvironment': {'environment': '%s', 'account': 'main', 'regionId': '" WORLD_REGION "'" \
    "}"

enum { FLOOD = 2000, WEEK = 604800, STATE_SECONDS = 30 };

static SigningKey present;   // of the application, made by provisionctl
static SigningKey next;      // of the application, too
static SigningKey neighbour; // of the neighbour
static SigningKey workers;
static SigningKey stranger; // listed nowhere

static Process *start(World *world, const char *name)
{
    const char *const settings[] = {
        "environments.check_login=off", "commands.require_signature=on",
        box_text("commands.signers_file=%s/signers", world->dir),
        box_text("commands.signing_key_file=%s/workers.key", world->dir), NULL};
    return worker_start(world, name, settings);
}

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "20", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    World *world = *state;
    signing_make_key_by_ctl(world, &present);
    signing_make_key(world, &next);
    signing_make_key(world, &neighbour);
    signing_make_key(world, &workers);
    signing_make_key(world, &stranger);
    char hex[2 * CRYPTO_KEY_BYTES + 1];
    setup_write(world, "workers.key",
                sodium_bin2hex(hex, sizeof(hex), workers.seed, CRYPTO_KEY_BYTES));
    setup_write(world, "signers",
                box_text(APPLICATION "=%s\n" APPLICATION "=%s\n" NEIGHBOUR "=%s\n",
                         present.public_hex, next.public_hex, neighbour.public_hex));
    (void)start(world, "one");
    setup_client(world, neighbour.seed);
    command_connect_main(world, NEIGHBOUR);
    setup_client(world, present.seed);
    command_connect_main(world, APPLICATION);
    return 0;
}

static int end(void **state)
{
    SigningKey *const KEYS[] = {&present, &next, &neighbour, &workers, &stranger};
    for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++) {
        crypto_signer_clear(&KEYS[i]->signer);
    }
    World *world = *state;
    reader_read_to_end(world->reader);
    reader_assert_sequences(world->reader);
    return world_end(state);
}

static Buffer pack_create(const char *id, const char *requested, const char *environment)
{
    return command_pack("'commandId': '%s', 'applicationId': '" APPLICATION "'%s, " CREATE, id,
                        requested, environment);
}

static const char *now(void)
{
    char text[32];
    struct tm parts;
    time_t seconds = time(NULL);
    assert_non_null(gmtime_r(&seconds, &parts));
    assert_true(strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts) > 0);
    return box_text(", \"requestedAt\": \"%s\"", text);
}

static void each_key_of_the_application_signs(void **state)
{
    World *world = *state;
    (void)command_run(world, APPLICATION, "EnvironmentCreated", CREATE, world_fresh("by-first"));
    setup_client(world, next.seed);
    (void)command_run(world, APPLICATION, "EnvironmentCreated", CREATE, world_fresh("by-second"));
    setup_client(world, present.seed);
}

// A record that must not be executed: its dead letter, its event, and nothing else.
static void expect_refused(World *world, const char *key, const char *id, Bytes value,
                           rd_kafka_headers_t *headers, const char *code)
{
    Place place = command_send_headers(world, key, -1, value, headers);
    const Seen *letter =
        reader_await_dead_letter(world->reader, place.partition, place.offset, WORLD_SECONDS);
    assert_string_equal(seen_header(letter, "dlq-reason"), code);
    const Seen *event = command_await(world, id, "CommandRejected");
    assert_string_equal(seen_text(event, "commandRejected.code"), code);
    assert_string_equal(seen_text(event, "applicationId"), key);
    assert_string_equal(
        ledger_value(world, "SELECT count(*) FROM provision.command WHERE command_id = '%s'", id),
        "0");
}

typedef enum Form {
    UNSIGNED,
    STRANGERS,  // a right signature of a key that nobody listed
    NEIGHBOURS, // ... that is listed for another application
    ELSEWHERE,  // signed for another application by the application's own key
    OF_ANOTHER, // of another record
    TRUNCATED,
    NOT_BASE64,
    TWICE,
    FORM_COUNT_OF,
} Form;

static rd_kafka_headers_t *headers_in(Form form, Bytes value)
{
    const char *right = signing_text(&present, APPLICATION, value);
    switch (form) {
    case STRANGERS:
        return signing_headers(signing_text(&stranger, APPLICATION, value), NULL);
    case NEIGHBOURS:
        return signing_headers(signing_text(&neighbour, APPLICATION, value), NULL);
    case ELSEWHERE:
        return signing_headers(signing_text(&present, NEIGHBOUR, value), NULL);
    case OF_ANOTHER:
        return signing_headers(signing_text(&present, APPLICATION, bytes_of("another")), NULL);
    case TRUNCATED:
        return signing_headers(box_text("%.*s", SIGNATURE_TEXT_BYTES - 2, right), NULL);
    case NOT_BASE64:
        return signing_headers(box_text("%.*s!", SIGNATURE_TEXT_BYTES - 2, right), NULL);
    case TWICE:
        return signing_headers(right, right);
    case UNSIGNED:
    case FORM_COUNT_OF:
        break;
    }
    return signing_headers(NULL, NULL);
}

static void what_is_not_signed_right_is_a_dead_letter(void **state)
{
    World *world = *state;
    static const char *const CODES[FORM_COUNT_OF] = {
        [UNSIGNED] = "SIGNATURE_MISSING",       [STRANGERS] = "SIGNATURE_KEY_UNKNOWN",
        [NEIGHBOURS] = "SIGNATURE_KEY_UNKNOWN", [ELSEWHERE] = "SIGNATURE_INVALID",
        [OF_ANOTHER] = "SIGNATURE_INVALID",     [TRUNCATED] = "SIGNATURE_INVALID",
        [NOT_BASE64] = "SIGNATURE_INVALID",     [TWICE] = "SIGNATURE_INVALID"};
    int64_t before = sandbox_count_calls(world, "POST /projects");
    for (Form form = 0; form < FORM_COUNT_OF; form++) {
        const char *id = command_new_id();
        CLEANUP(buffer_clear) Buffer value = pack_create(id, now(), world_fresh("never"));
        expect_refused(world, APPLICATION, id, buffer_view(&value),
                       headers_in(form, buffer_view(&value)), CODES[form]);
    }
    assert_int_equal(sandbox_count_calls(world, "POST /projects"), before);
}

// A record that was read from the topic, under another key.
static void a_signature_is_of_no_use_to_another_application(void **state)
{
    World *world = *state;
    const char *id = command_new_id();
    CLEANUP(buffer_clear) Buffer value = pack_create(id, now(), world_fresh("moved"));
    expect_refused(world, NEIGHBOUR, id, buffer_view(&value),
                   signing_headers(signing_text(&present, APPLICATION, buffer_view(&value)), NULL),
                   "SIGNATURE_KEY_UNKNOWN");
}

static const Seen *send_signed(World *world, const char *id, const char *requested,
                               const char *environment)
{
    CLEANUP(buffer_clear) Buffer value = pack_create(id, requested, environment);
    (void)command_send_headers(
        world, APPLICATION, -1, buffer_view(&value),
        signing_headers(signing_text(&present, APPLICATION, buffer_view(&value)), NULL));
    return reader_await_outcome(world->reader, id, WORLD_SECONDS);
}

// The record's own time is of whoever sent it last.
static void an_old_record_is_not_executed_once_it_may_be_forgotten(void **state)
{
    World *world = *state;
    static const struct {
        const char *requested;
        const char *code;
        const char *field;
    } TIMES[] = {
        {", 'requestedAt': '2020-01-01T00:00:00Z'", "EXPIRED", "requested_at"},
        {", 'requestedAt': '2999-01-01T00:00:00Z'", "REQUESTED_IN_FUTURE", "requested_at"},
        {"", "FIELD_REQUIRED", "requested_at"},
    };
    for (size_t i = 0; i < sizeof(TIMES) / sizeof(TIMES[0]); i++) {
        const Seen *seen = send_signed(world, command_new_id(), command_quote(TIMES[i].requested),
                                       world_fresh("old"));
        assert_string_equal(seen_text(seen, "commandRejected.code"), TIMES[i].code);
        assert_string_equal(seen_text(seen, "commandRejected.field"), TIMES[i].field);
    }
}

typedef struct Wanted {
    World *world;
    const char *subject;
} Wanted;

static bool is_told(void *context)
{
    const Wanted *wanted = context;
    reader_poll(wanted->world->reader, 100);
    const Seen *state = reader_last_state(wanted->world->reader, wanted->subject);
    return state != NULL && seen_number(state, "environment.historyRetentionSeconds") == WEEK;
}

// An edit that concerns another application tells it by a command of the worker's own.
static void what_workers_send_themselves_is_executed(void **state)
{
    World *world = *state;
    const Seen *created = command_run(world, APPLICATION, "EnvironmentCreated", CREATE, "edited");
    setup_client(world, neighbour.seed);
    (void)command_run(world, NEIGHBOUR, "EnvironmentBranched",
                      "'branchEnvironment': {'environment': 'theirs', 'sourceBranch': {'account': "
                      "'main', 'projectId': '%s', 'branch': 'main'}}",
                      seen_text(created, "environmentCreated.environment.projectId"));
    setup_client(world, present.seed);
    (void)command_run(world, APPLICATION, "ProjectEdited",
                      "'editProject': {'environment': 'edited', 'historyRetentionSeconds': '%d'}",
                      WEEK);
    Wanted wanted = {world, "applications/" NEIGHBOUR "/environments/theirs"};
    wait_until(is_told, &wanted, STATE_SECONDS, "the neighbour's retention");
}

// Whose configuration knows nothing of signatures, where the workers' does.
static void a_sweep_that_nobody_signed_is_told_where_to_look(void **state)
{
    World *world = *state;
    Sweep sweep =
        sweep_run(world, (const char *const[]){"--account", "shop/main", "--timeout", "3s", NULL});
    assert_int_equal(sweep.code, EX_TEMPFAIL);
    assert_non_null(strstr(sweep.complaint, "SWEEP_TIMEOUT"));
    assert_non_null(strstr(sweep.complaint, "has not begun"));
    assert_non_null(strstr(sweep.complaint, "dead-letters list"));
    const char *const list[] = {"dead-letters", "list", NULL};
    assert_int_equal(ctl_run(world, "letters", list), 0);
    ctl_expect(world, "letters", "SIGNATURE_MISSING");
}

static void a_letter_is_replayed_with_the_replayers_key(void **state)
{
    World *world = *state;
    const char *id = command_new_id();
    const char *environment = world_fresh("replayed");
    CLEANUP(buffer_clear) Buffer value = pack_create(id, now(), environment);
    Place place = command_send_bytes(world, APPLICATION, -1, buffer_view(&value));
    const Seen *letter =
        reader_await_dead_letter(world->reader, place.partition, place.offset, WORLD_SECONDS);
    const char *where = box_text("%d:%lld", (int)letter->partition, (long long)letter->offset);
    const char *const unsigned_replay[] = {"dead-letters", "replay", where, "--wait", NULL};
    assert_int_not_equal(ctl_run(world, "unsigned", unsigned_replay), 0);
    ctl_expect(world, "unsigned", "SIGNATURE_MISSING");
    const char *const replay[] = {"--signing-key-file",
                                  box_text("%s/present.key", world->dir),
                                  "dead-letters",
                                  "replay",
                                  where,
                                  "--wait",
                                  NULL};
    assert_int_equal(ctl_run(world, "signed", replay), 0);
    assert_int_equal(sandbox_count_projects(world, box_text(APPLICATION "-%s", environment)), 1);
}

static rd_kafka_t *open_flooder(const World *world)
{
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    assert_int_equal(
        rd_kafka_conf_set(conf, "bootstrap.servers", world->bootstrap, reason, sizeof(reason)), 0);
    assert_int_equal(
        rd_kafka_conf_set(conf, "partitioner", "murmur2_random", reason, sizeof(reason)), 0);
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
    assert_non_null(producer);
    return producer;
}

// Forged ones, which cost the most: each is verified.
static void post_forged(World *world, rd_kafka_t *producer, size_t count)
{
    CLEANUP(buffer_clear) Buffer value = pack_create(command_new_id(), now(), "flooded");
    const char *forged = signing_text(&present, APPLICATION, bytes_of("another"));
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(world->topics[0]),
                                           RD_KAFKA_V_KEY(APPLICATION, strlen(APPLICATION)),
                                           RD_KAFKA_V_VALUE(value.data, value.size),
                                           RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                           RD_KAFKA_V_HEADERS(signing_headers(forged, NULL)),
                                           RD_KAFKA_V_END),
                         RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    assert_int_equal(rd_kafka_flush(producer, WORLD_SECONDS * 1000), RD_KAFKA_RESP_ERR_NO_ERROR);
}

static size_t count_letters(World *world)
{
    size_t count = 0;
    for (size_t i = 0; i < reader_count(world->reader); i++) {
        count += reader_at(world->reader, i)->topic == SEEN_DEAD_LETTERS;
    }
    return count;
}

static void a_flood_of_forged_records_stops_no_command(void **state)
{
    World *world = *state;
    reader_read_to_end(world->reader);
    size_t before = count_letters(world);
    rd_kafka_t *flooder = open_flooder(world);
    post_forged(world, flooder, FLOOD / 2);
    const char *first = command_send(world, APPLICATION, CREATE, world_fresh("flooded"));
    const char *other = command_send(world, APPLICATION, CREATE, world_fresh("flooded"));
    post_forged(world, flooder, FLOOD / 2);
    rd_kafka_destroy(flooder);
    (void)command_await(world, first, "EnvironmentCreated");
    (void)command_await(world, other, "EnvironmentCreated");
    (void)command_run(world, APPLICATION, "EnvironmentCreated", CREATE, world_fresh("flooded"));
    reader_read_to_end(world->reader);
    assert_int_equal(count_letters(world) - before, FLOOD);
}

// It was finished without a row, as a worker that starts finds out.
static void a_refused_record_is_no_sign_of_a_lost_ledger(void **state)
{
    World *world = *state;
    const char *id = command_new_id();
    CLEANUP(buffer_clear) Buffer value = pack_create(id, now(), world_fresh("never"));
    expect_refused(world, APPLICATION, id, buffer_view(&value), signing_headers(NULL, NULL),
                   "SIGNATURE_MISSING");
    worker_stop(&world->workers[0]);
    Process *next_worker = start(world, "two");
    process_await_log(next_worker, "the ledger knows what was finished last", WORLD_SECONDS);
    assert_false(process_has_logged(next_worker, "LEDGER_BEHIND"));
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_of_the_application_signs),
        cmocka_unit_test(what_is_not_signed_right_is_a_dead_letter),
        cmocka_unit_test(a_signature_is_of_no_use_to_another_application),
        cmocka_unit_test(an_old_record_is_not_executed_once_it_may_be_forgotten),
        cmocka_unit_test(what_workers_send_themselves_is_executed),
        cmocka_unit_test(a_sweep_that_nobody_signed_is_told_where_to_look),
        cmocka_unit_test(a_letter_is_replayed_with_the_replayers_key),
        cmocka_unit_test(a_flood_of_forged_records_stops_no_command),
        cmocka_unit_test(a_refused_record_is_no_sign_of_a_lost_ledger),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, end));
}
