// Passwords for listed recipients: who gets them, what they open, and that nobody else sees them.
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "provisioning/v1/event.pb-c.h"
#include "provisioning/v1/secret.pb-c.h"
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/ctl.h"
#include "support/expect.h"
#include "support/login.h"
#include "support/secrets.h"
#include "support/world.h"

#define APPLICATION "shop"
#define REJECTED "CommandRejected"
#define REVEAL "'revealCredentials': {'environment': '%s', 'replyPublicKey': '%s'}"
#define REVEAL_OF(target)                                                                          \
    "'revealCredentials': {'environment': '%s', 'replyPublicKey': '%s', '" target "': '%s'}"

enum { EXIT_REJECTED = 10, EXIT_FILE = 74, ROUTE_SLOW_MS = 3000 };

typedef struct KeyPair {
    uint8_t private_key[PROVISION_KEY_BYTES];
    uint8_t public_key[PROVISION_KEY_BYTES];
    const char *private_hex;
    const char *public_hex;
    const char *public_base64;
} KeyPair;

static KeyPair listed;
static KeyPair stranger;
static Environment live;

static const char *hex_of(const uint8_t key[PROVISION_KEY_BYTES])
{
    char hex[2 * PROVISION_KEY_BYTES + 1];
    return box_text("%s", sodium_bin2hex(hex, sizeof(hex), key, PROVISION_KEY_BYTES));
}

static void make_keys(World *world, KeyPair *ret_keys)
{
    char base64[64];
    (void)crypto_box_keypair(ret_keys->public_key, ret_keys->private_key);
    (void)sodium_bin2base64(base64, sizeof(base64), ret_keys->public_key, PROVISION_KEY_BYTES,
                            sodium_base64_VARIANT_ORIGINAL);
    ret_keys->private_hex = hex_of(ret_keys->private_key);
    ret_keys->public_hex = hex_of(ret_keys->public_key);
    ret_keys->public_base64 = box_text("%s", base64);
    world_add_secret(world, ret_keys->private_hex);
}

static void write_file(const World *world, const char *name, const char *text)
{
    FILE *file = fopen(box_text("%s/%s", world->dir, name), "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int begin(void **state)
{
    world_begin(state, NULL);
    World *world = *state;
    make_keys(world, &listed);
    make_keys(world, &stranger);
    // as keygen writes it
    write_file(world, "listed.key", box_text("%s\n", listed.private_hex));
    write_file(world, "stranger.key", box_text("%s\n", stranger.private_hex));
    write_file(world, "recipients",
               box_text("blog=%s\n" APPLICATION "=%s\n", stranger.public_hex, listed.public_hex));
    const char *const settings[] = {box_text("reveal.recipients_file=%s/recipients", world->dir),
                                    NULL};
    (void)worker_start(world, "one", settings);
    command_connect_main(world, APPLICATION);
    live = login_environment(
        command_run(world, APPLICATION, "EnvironmentCreated",
                    "'createEnvironment': {'environment': 'live', 'account': 'main', 'regionId': "
                    "'" WORLD_REGION "'}"));
    return 0;
}

typedef Provisioning__V1__Credentials Credentials;

static void free_credentials(Credentials **credentials)
{
    provisioning__v1__credentials__free_unpacked(*credentials, NULL);
}

// What stands in the event's box; NULL where the key doesn't open it.
static Credentials *open_box(const Seen *seen, const KeyPair *keys)
{
    Secret plain CLEANUP(secret_clear) = SECRET_INIT;
    Provisioning__V1__Event *event =
        provisioning__v1__event__unpack(NULL, seen->value.size, seen->value.data);
    assert_non_null(event);
    const Provisioning__V1__SealedBox *sealed = event->credentials_issued->sealed;
    bool opened = crypto_open_box((Bytes){sealed->box.data, sealed->box.len}, keys->private_key,
                                  &plain, NULL);
    provisioning__v1__event__free_unpacked(event, NULL);
    return opened
               ? provisioning__v1__credentials__unpack(NULL, plain.size, secret_bytes(&plain).data)
               : NULL;
}

static const Seen *reveal_owner(World *world)
{
    return command_run(world, APPLICATION, "CredentialsIssued", REVEAL, "live",
                       listed.public_base64);
}

// Everything in the box; its URIs count as secrets from here on.
static Credentials *learn(World *world, const Seen *seen)
{
    Credentials *credentials = open_box(seen, &listed);
    assert_non_null(credentials);
    for (size_t i = 0; i < credentials->n_credentials; i++) {
        world_add_secret(world, credentials->credentials[i]->direct_uri);
        world_add_secret(world, credentials->credentials[i]->pooled_uri);
    }
    return credentials;
}

static void expect_login(World *world, const char *uri, const char *host, const char *database)
{
    // what is said last counts
    PGconn *connection =
        PQconnectdb(box_text("%s&sslmode=verify-full&sslrootcert=%s", uri, world->box.ca_file));
    if (PQstatus(connection) != CONNECTION_OK) {
        fail_msg("%s", PQerrorMessage(connection));
    }
    assert_string_equal(PQhost(connection), host);
    assert_string_equal(login_value(connection, "SELECT current_database()"), database);
    assert_string_equal(login_value(connection, "SELECT session_user"), live.role);
    PQfinish(connection);
}

static void both_uris_log_in(void **state)
{
    World *world = *state;
    const Seen *seen = reveal_owner(world);
    Credentials *credentials CLEANUP(free_credentials) = learn(world, seen);
    assert_int_equal(credentials->n_credentials, 1);
    const Provisioning__V1__Credential *one = credentials->credentials[0];
    assert_string_equal(one->role, live.role);
    assert_string_equal(one->database, live.database);
    expect_login(world, one->direct_uri, live.host, live.database);
    expect_login(world, one->pooled_uri, live.pooled_host, live.database);
    // nothing has changed
    expect_event(seen, APPLICATION, "environments/live", 0);
    expect_ready(world, APPLICATION, &live, 1);
}

static void every_database_has_its_uris(void **state)
{
    World *world = *state;
    REPLY reply = box_call_as(
        &world->box, world->api_key, NULL, "POST",
        box_text("/projects/%s/branches/%s/databases", live.project_id, live.branch_id),
        box_text("{\"database\": {\"name\": \"my jobs\", \"owner_name\": \"%s\"}}", live.role));
    assert_int_equal(reply.status, 201);
    box_wait(&world->box, live.project_id);
    Credentials *credentials CLEANUP(free_credentials) = learn(world, reveal_owner(world));
    assert_int_equal(credentials->n_credentials, 2);
    for (size_t i = 0; i < credentials->n_credentials; i++) {
        const Provisioning__V1__Credential *one = credentials->credentials[i];
        expect_login(world, one->direct_uri, live.host, one->database);
        expect_login(world, one->pooled_uri, live.pooled_host, one->database);
    }
    assert_string_not_equal(credentials->credentials[0]->database,
                            credentials->credentials[1]->database);
}

static void another_key_opens_nothing(void **state)
{
    World *world = *state;
    const Seen *seen = command_run(world, APPLICATION, "CredentialsIssued", REVEAL_OF("role"),
                                   "live", listed.public_base64, live.role);
    assert_string_equal(seen_text(seen, "credentialsIssued.environment"), "live");
    assert_null(open_box(seen, &stranger));
    Credentials *credentials CLEANUP(free_credentials) = learn(world, seen);
    assert_string_equal(credentials->credentials[0]->role, live.role);
}

static int64_t last_call(World *world)
{
    REPLY reply = box_call(&world->box, "GET", "/sandbox/calls?since=1000000000", NULL);
    return box_integer(reply.json, "last");
}

static void who_is_not_listed_gets_nothing_and_neon_is_not_asked(void **state)
{
    World *world = *state;
    int64_t before = last_call(world);
    const Seen *seen = command_refused(world, APPLICATION, REJECTED, "RECIPIENT_NOT_LISTED", REVEAL,
                                       "live", stranger.public_base64);
    assert_string_equal(seen_text(seen, "commandRejected.field"),
                        "reveal_credentials.reply_public_key");
    // listed, but for another application
    (void)command_refused(world, "blog", REJECTED, "RECIPIENT_NOT_LISTED", REVEAL, "live",
                          listed.public_base64);
    (void)command_refused(world, "blog", REJECTED, "ENVIRONMENT_UNKNOWN", REVEAL, "live",
                          stranger.public_base64);
    assert_int_equal(last_call(world), before);
}

static void what_can_not_be_revealed_is_named(void **state)
{
    World *world = *state;
    (void)command_refused(world, APPLICATION, REJECTED, "ENVIRONMENT_UNKNOWN", REVEAL, "nowhere",
                          listed.public_base64);
    const Seen *seen = command_refused(world, APPLICATION, REJECTED, "ROLE_UNKNOWN",
                                       REVEAL_OF("role"), "live", listed.public_base64, "nobody");
    assert_non_null(strstr(seen_text(seen, "commandRejected.message"), live.role));
    (void)command_refused(world, APPLICATION, REJECTED, "ROLE_UNKNOWN", REVEAL_OF("service"),
                          "live", listed.public_base64, "api");
    static const char PASSWORD[] = "Quite-long_and.R4ndom-7f3a91";
    world_add_secret(world, PASSWORD);
    PGconn *owner = login_revealed(world, &live);
    (void)login_value(owner, box_text("CREATE ROLE svc_sql LOGIN PASSWORD '%s'", PASSWORD));
    PQfinish(owner);
    (void)command_refused(world, APPLICATION, REJECTED, "PASSWORD_NOT_STORED", REVEAL_OF("service"),
                          "live", listed.public_base64, "sql");
}

static void a_key_of_another_length_is_invalid(void **state)
{
    World *world = *state;
    const char *id = command_new_id();
    Buffer packed = command_pack("'commandId': '%s', 'applicationId': '" APPLICATION
                                 "', 'revealCredentials': {'environment': 'live', "
                                 "'replyPublicKey': 'AAECAwQFBgcICQ=='}",
                                 id);
    (void)command_send_bytes(world, APPLICATION, -1, (Bytes){packed.data, packed.size});
    buffer_clear(&packed);
    const Seen *seen = command_await(world, id, REJECTED);
    assert_string_equal(seen_text(seen, "commandRejected.code"), "INVALID_VALUE");
    assert_string_equal(seen_text(seen, "commandRejected.field"),
                        "reveal_credentials.reply_public_key");
}

static void two_reveals_of_one_environment_run_at_once(void **state)
{
    World *world = *state;
    (void)sandbox_fault(world, box_text("{'kind': 'slow', 'ms': %d, 'count': 1, 'route': 'GET "
                                        "/projects/{project_id}/branches/{branch_id}/databases'}",
                                        ROUTE_SLOW_MS));
    const char *first = command_send(world, APPLICATION, REVEAL, "live", listed.public_base64);
    const char *second = command_send(world, APPLICATION, REVEAL, "live", listed.public_base64);
    // whichever meets the slow call, the other doesn't wait for it
    int64_t first_ms = command_await(world, first, "CredentialsIssued")->timestamp_ms;
    int64_t second_ms = command_await(world, second, "CredentialsIssued")->timestamp_ms;
    assert_true(llabs(first_ms - second_ms) > ROUTE_SLOW_MS / 2);
    sandbox_clear_faults(world);
}

// The second of one id waits for the first, or each would rob the other of its row.
static void the_same_reveal_twice_at_once_is_answered_once(void **state)
{
    World *world = *state;
    const char *id = command_new_id();
    (void)sandbox_fault(world, box_text("{'kind': 'slow', 'ms': %d, 'count': 2, 'route': 'GET "
                                        "/projects/{project_id}/branches/{branch_id}/databases'}",
                                        ROUTE_SLOW_MS));
    for (int i = 0; i < 2; i++) {
        (void)command_send(world, APPLICATION, "'commandId': '%s', " REVEAL, id, "live",
                           listed.public_base64);
    }
    size_t before = reader_count(world->reader);
    (void)command_await(world, id, "CredentialsIssued");
    (void)reader_await_replay(world->reader, id, before, WORLD_SECONDS);
    assert_string_equal(
        ledger_value(world, "SELECT takeovers FROM provision.command WHERE command_id = '%s'", id),
        "0");
    reader_read_to_end(world->reader);
    assert_int_equal(reader_count_outcomes(world->reader, id), 1);
    sandbox_clear_faults(world);
}

static void provisionctl_makes_keys_and_prints_the_uris(void **state)
{
    World *world = *state;
    const char *const keygen[] = {PROVISIONCTL, "keygen", "--out",
                                  box_text("%s/desk.key", world->dir), NULL};
    assert_int_equal(process_run(keygen, box_text("%s/keygen.log", world->dir), CTL_SECONDS), 0);
    const char *out = box_text("%s/out.uri", world->dir); // a name that may hold secrets
    const char *const arguments[] = {"reveal",        "live",
                                     "--application", APPLICATION,
                                     "--key-file",    box_text("%s/listed.key", world->dir),
                                     "--out",         out,
                                     "--json",        NULL};
    assert_int_equal(ctl_run(world, "reveal", arguments), 0);
    json_t *json = json_load_file(out, 0, NULL);
    const char *uri = box_string(json, "credentials.0.directUri");
    world_add_secret(world, uri);
    expect_login(world, uri, live.host, box_string(json, "credentials.0.database"));
    json_decref(json);
    assert_int_equal(ctl_run(world, "again", arguments), EXIT_FILE); // no file is replaced
    const char *const unlisted[] = {"reveal",    "live",       "--application",
                                    APPLICATION, "--key-file", box_text("%s/desk.key", world->dir),
                                    NULL};
    assert_int_equal(ctl_run(world, "unlisted", unlisted), EXIT_REJECTED);
    ctl_expect(world, "unlisted", "RECIPIENT_NOT_LISTED");
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_uris_log_in),
        cmocka_unit_test(every_database_has_its_uris),
        cmocka_unit_test(another_key_opens_nothing),
        cmocka_unit_test(who_is_not_listed_gets_nothing_and_neon_is_not_asked),
        cmocka_unit_test(what_can_not_be_revealed_is_named),
        cmocka_unit_test(a_key_of_another_length_is_invalid),
        cmocka_unit_test(two_reveals_of_one_environment_run_at_once),
        cmocka_unit_test(the_same_reveal_twice_at_once_is_answered_once),
        cmocka_unit_test(provisionctl_makes_keys_and_prints_the_uris),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
