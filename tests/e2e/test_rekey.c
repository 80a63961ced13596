// Fleet key and key-encryption key are replaced while workers run commands: none of them fails, and
// in the end the old keys open nothing and are needed by nobody.
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "contract/account_key.h"
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/credentials.h"
#include "support/ctl.h"
#include "support/load.h"
#include "support/secrets.h"
#include "support/setup.h"
#include "support/world.h"

#define APPLICATION "shop"
#define CREATE                                                                                     \
    "'createEnvironment': {'environment': 'live', 'account': 'main', 'regionId': '" WORLD_REGION   \
    "', 'databases': ['main'], 'services': ["                                                      \
    "{'name': 'orders', 'databases': [{'database': 'main'}]}]}"
#define ROTATE "'rotateCredentials': {'environment': 'live', 'service': 'orders'}"

enum {
    MANY = 450, // accounts of a batch of 200 rows, and of another, and of one that isn't full
    WAVE = 8,
    HEX = 2 * CRYPTO_KEY_BYTES,
    EXIT_LEFT = 1,
};

typedef char Hex[HEX + 1];

static Hex old_kek;
static Hex new_kek;
static Hex old_fleet;
static Hex new_fleet;
static uint8_t old_fleet_public[CRYPTO_KEY_BYTES];
static Recipient recipient;
static Load load;
static const char *rotations[64];
static size_t rotation_count;

static void make_key(World *world, Hex ret_hex)
{
    uint8_t key[CRYPTO_KEY_BYTES];
    randombytes_buf(key, sizeof(key));
    (void)sodium_bin2hex(ret_hex, HEX + 1, key, sizeof(key));
    world_add_secret(world, ret_hex);
}

static const char *id_of(const char *hex)
{
    uint8_t key[CRYPTO_KEY_BYTES];
    char id[CRYPTO_KEY_ID_BYTES];
    assert_true(crypto_hex_decode(hex, key, sizeof(key)));
    crypto_key_id(key, id);
    return box_text("%s", id);
}

static void use_keys(World *world, const char *kek, const char *fleet)
{
    setup_write(world, "kek.key", kek);
    setup_write(world, "fleet.key", fleet);
}

static Process *start(World *world)
{
    const char *const settings[] = {
        box_text("reveal.recipients=" APPLICATION "=%s", recipient.public_hex), NULL};
    return worker_start(world, world_fresh("worker"), settings);
}

static Process *workers[2];

// Each in its turn gets what the files say now; the other one runs on.
static void roll(World *world)
{
    for (size_t i = 0; i < sizeof(workers) / sizeof(workers[0]); i++) {
        worker_stop(workers[i]);
        workers[i] = start(world);
        worker_await_members(world, 2, WORLD_SECONDS);
    }
}

static int begin(void **state)
{
    world_begin(state, NULL);
    World *world = *state;
    recipient = credentials_recipient();
    world_add_secret(world, recipient.private_hex);
    make_key(world, old_kek);
    make_key(world, new_kek);
    make_key(world, new_fleet);
    memcpy(old_fleet, world->fleet_private_hex, sizeof(old_fleet));
    memcpy(old_fleet_public, world->fleet_public_key, sizeof(old_fleet_public));
    use_keys(world, old_kek, old_fleet);
    workers[0] = start(world);
    workers[1] = start(world);
    load_init(&load);
    static const char *const APPLICATIONS[] = {APPLICATION, "blog", "desk"};
    for (size_t i = 0; i < sizeof(APPLICATIONS) / sizeof(APPLICATIONS[0]); i++) {
        command_connect_main(world, APPLICATIONS[i]);
    }
    (void)command_run(world, APPLICATION, "EnvironmentCreated", CREATE);
    return 0;
}

static int end(void **state)
{
    load_clear(&load);
    return world_end(state);
}

// Commands that open what is sealed, and seal it anew; nobody waits for them here.
static void send_wave(World *world)
{
    for (size_t i = 0; i < WAVE; i++) {
        load_connect(world, &load, i % 2 == 0 ? "blog" : "desk");
        load_create_nowhere(world, &load, i % 2 == 0 ? "desk" : "blog");
    }
    assert_true(rotation_count < sizeof(rotations) / sizeof(rotations[0]));
    rotations[rotation_count++] = command_send(world, APPLICATION, ROTATE);
}

static void expect_all(World *world)
{
    load_expect_ends(world, &load, 2 * WORLD_SECONDS);
    for (size_t i = 0; i < rotation_count; i++) {
        (void)command_await(world, rotations[i], "CredentialsRotated");
    }
}

// An account as a worker with this key has left it.
static void put_account(World *world, const char *account, const char *kek)
{
    uint8_t key[CRYPTO_KEY_BYTES];
    uint8_t nonce[CRYPTO_NONCE_BYTES];
    CLEANUP(text_clear) Text associated = TEXT_INIT(ACCOUNT_KEY_ASSOCIATED_BYTES);
    CLEANUP(text_clear) Text hex = TEXT_INIT(1024);
    CLEANUP(buffer_clear) Buffer sealed = {.data = NULL};
    assert_true(crypto_hex_decode(kek, key, sizeof(key)));
    randombytes_buf(nonce, sizeof(nonce));
    account_key_associate("crowd", account, &associated);
    crypto_aead_seal(key, nonce, text_bytes(&associated), bytes_of("napi_of_nobody"), &sealed);
    crypto_hex_append(&hex, buffer_view(&sealed));
    const char *sql =
        box_text("INSERT INTO provision.account (application_id, account, sealed_key) "
                 "VALUES ('crowd', '%s', '\\x%s')",
                 account, text_get(&hex));
    PGresult *result = PQexec(world->ledger, sql);
    assert_int_equal(PQresultStatus(result), PGRES_COMMAND_OK);
    PQclear(result);
}

static void put_crowd(World *world)
{
    for (int i = 0; i < MANY; i++) {
        put_account(world, box_text("a%d", i), old_kek);
    }
}

static const char *count_sealed(World *world, const char *kek)
{
    return ledger_value(
        world,
        "SELECT count(*) FROM (SELECT sealed_key FROM provision.account UNION ALL SELECT "
        "sealed_password FROM provision.role_secret UNION ALL SELECT sealed_next FROM "
        "provision.role_secret) v(sealed) WHERE substring(sealed from 2 for 8) = decode('%s', "
        "'hex')",
        id_of(kek));
}

static int rekey(World *world, const char *option)
{
    const char *const arguments[] = {"rekey", option, NULL};
    return worker_task(world, arguments);
}

static int examine(World *world, const char *name)
{
    char hex[HEX + 1];
    (void)sodium_bin2hex(hex, sizeof(hex), world->fleet_public_key, CRYPTO_KEY_BYTES);
    const char *const arguments[] = {"doctor",
                                     "--set",
                                     box_text("group.id=%s", world->name),
                                     "--set",
                                     box_text("topics.partitions=%d", WORLD_PARTITIONS),
                                     "--set",
                                     box_text("neon.api_url=%s", world->box.api_url),
                                     "--ledger-uri-file",
                                     box_text("%s/ledger.uri", world->dir),
                                     "--fleet-public-key",
                                     box_text("%s", hex),
                                     "--fleet-private-key-file",
                                     box_text("%s/fleet.key", world->dir),
                                     "--key-encryption-key-file",
                                     box_text("%s/kek.key", world->dir),
                                     NULL};
    return ctl_run(world, name, arguments);
}

static void keys_are_replaced_under_load(void **state)
{
    World *world = *state;
    put_crowd(world);
    // every worker has to open with the new key before one seals with it
    send_wave(world);
    use_keys(world, box_text("%s,%s", old_kek, new_kek), box_text("%s, %s", new_fleet, old_fleet));
    roll(world);
    send_wave(world);
    assert_int_equal(examine(world, "doctor-old-sender"), 0);
    ctl_expect(world, "doctor-old-sender", "give senders its FILE.pub");
    use_keys(world, box_text("%s,%s", new_kek, old_kek), box_text("%s, %s", new_fleet, old_fleet));
    roll(world);
    send_wave(world); // sealed for the old fleet key
    uint8_t seed[CRYPTO_KEY_BYTES];
    assert_true(crypto_hex_decode(new_fleet, seed, sizeof(seed)));
    crypto_public_key(seed, world->fleet_public_key);
    send_wave(world); // ... and for the new one
    assert_int_equal(examine(world, "doctor-before"), 0);
    ctl_expect(world, "doctor-before", "run provision-worker rekey");
    assert_int_equal(rekey(world, "--dry-run"), EXIT_LEFT);
    assert_true(strtoll(count_sealed(world, old_kek), NULL, 10) >= MANY);
    send_wave(world); // which runs beside it
    assert_int_equal(rekey(world, NULL), 0);
    send_wave(world);
    assert_string_equal(count_sealed(world, old_kek), "0");
    assert_int_equal(rekey(world, NULL), 0);
    assert_int_equal(examine(world, "doctor-after"), 0);
    ctl_expect(world, "doctor-after", "nothing is sealed with an older key");
    ctl_expect(world, "doctor-after", "are still accepted");
    expect_all(world);
}

static void the_old_keys_can_go(void **state)
{
    World *world = *state;
    use_keys(world, new_kek, new_fleet);
    roll(world);
    send_wave(world);
    expect_all(world);
    assert_string_equal(count_sealed(world, old_kek), "0");
    assert_int_equal(examine(world, "doctor-new"), 0);
    ctl_expect(world, "doctor-new", "opens all API keys of the ledger (453) and passwords (");
    Credential orders =
        credentials_of_service(world, APPLICATION, "live", &recipient, "orders", "main");
    assert_true(credentials_work(world, orders.direct_uri));
    uint8_t new_public[CRYPTO_KEY_BYTES];
    memcpy(new_public, world->fleet_public_key, sizeof(new_public));
    memcpy(world->fleet_public_key, old_fleet_public, sizeof(old_fleet_public));
    const char *id = command_connect(world, "blog", "main", world->api_key);
    const Seen *seen = command_await(world, id, "CommandRejected");
    assert_string_equal(seen_text(seen, "commandRejected.code"), "SECRET_NOT_OPENABLE");
    memcpy(world->fleet_public_key, new_public, sizeof(new_public));
}

// One whose key is lost is named, and everything else is done all the same.
static void what_no_key_opens_is_named_and_left(void **state)
{
    World *world = *state;
    Hex lost;
    make_key(world, lost);
    put_account(world, "lost", lost);
    put_account(world, "zzz", old_kek);
    use_keys(world, box_text("%s,%s", new_kek, old_kek), new_fleet);
    assert_int_equal(rekey(world, NULL), EXIT_LEFT);
    assert_string_equal(count_sealed(world, old_kek), "0");
    assert_string_equal(count_sealed(world, lost), "1");
    char *output = process_read_log(box_text("%s/tasks.log", world->dir));
    assert_non_null(strstr(output, "can't open API keys crowd/lost"));
    assert_non_null(strstr(output, id_of(lost)));
    assert_non_null(strstr(output, "NOT CONFIGURED"));
    free(output);
    assert_int_equal(examine(world, "doctor-lost"), 1);
    ctl_expect(world, "doctor-lost", "crowd/lost");
    use_keys(world, new_kek, new_fleet);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_replaced_under_load),
        cmocka_unit_test(the_old_keys_can_go),
        cmocka_unit_test(what_no_key_opens_is_named_and_left),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, end));
}
