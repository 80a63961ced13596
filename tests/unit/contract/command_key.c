#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "contract/command_parts.h"
#include "kit.h"
#include "provisioning/v1/secret.pb-c.h"

#define KEY "napi_0123456789abcdefghijklmnopqrstuvwxyz"
#define SEALED(application, account, key)                                                          \
    "{'applicationId':'" application "','account':'" account "','apiKey':'" key "'}"
#define OURS SEALED("shop", "main", KEY)
#define X128                                                                                       \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

enum { FLEET = 3 };

// Key pairs from fixed bytes: 1, 2, 3.
static void make_private_key(unsigned number, uint8_t ret_key[CRYPTO_KEY_BYTES])
{
    memset(ret_key, (int)number, CRYPTO_KEY_BYTES);
}

static void fill_fleet(CryptoKeyPair fleet[FLEET], unsigned first)
{
    for (unsigned i = 0; i < FLEET; i++) {
        uint8_t key[CRYPTO_KEY_BYTES];
        make_private_key(first + i, key);
        crypto_key_pair_set(&fleet[i], key);
    }
}

static void clear_fleet(CryptoKeyPair fleet[FLEET])
{
    for (unsigned i = 0; i < FLEET; i++) {
        crypto_key_pair_clear(&fleet[i]);
    }
}

static void seal(Bytes plain, unsigned number, Buffer *ret_box, char ret_id[CRYPTO_KEY_ID_BYTES])
{
    uint8_t private_key[CRYPTO_KEY_BYTES];
    uint8_t public_key[CRYPTO_KEY_BYTES];
    make_private_key(number, private_key);
    crypto_public_key(private_key, public_key);
    crypto_key_id(public_key, ret_id);
    ret_box->size = plain.size + crypto_box_SEALBYTES;
    ret_box->data = alloc_bytes(ret_box->size);
    assert_int_equal(crypto_box_seal(ret_box->data, plain.data, plain.size, public_key), 0);
}

// ConnectAccount of account "main" in application "shop" with a box; packed.
static Buffer pack_connect(Bytes box, const char *key_id)
{
    Provisioning__V1__SealedBox sealed;
    provisioning__v1__sealed_box__init(&sealed);
    Provisioning__V1__ConnectAccount connect;
    provisioning__v1__connect_account__init(&connect);
    Provisioning__V1__Command command;
    provisioning__v1__command__init(&command);
    char account[] = "main";
    char application[] = "shop";
    char command_id[] = KIT_ID;
    char id[64];
    (void)snprintf(id, sizeof id, "%s", key_id);
    Buffer copy = {NULL, 0};
    buffer_set(&copy, box);
    sealed.box = (ProtobufCBinaryData){copy.size, copy.data};
    sealed.fleet_key_id = id;
    connect.account = account;
    connect.api_key_case = PROVISIONING__V1__CONNECT_ACCOUNT__API_KEY_SEALED;
    connect.sealed = &sealed;
    command.command_id = command_id;
    command.application_id = application;
    command.action_case = PROVISIONING__V1__COMMAND__ACTION_CONNECT_ACCOUNT;
    command.connect_account = &connect;
    Buffer packed = {NULL, provisioning__v1__command__get_packed_size(&command)};
    packed.data = alloc_bytes(packed.size);
    provisioning__v1__command__pack(&command, packed.data);
    buffer_clear(&copy);
    return packed;
}

typedef struct Case {
    const char *plain;  // JSON of SealedApiKey; NULL: bytes that are none
    unsigned sealed_to; // number of the fleet key
    const char *key_id; // NULL: the right one
    const char *code;   // NULL: opened
} Case;

static const Case CASES[] = {
    {OURS, 1, NULL, NULL},
    {OURS, 2, NULL, NULL},
    {OURS, 3, NULL, NULL},
    {OURS, 3, "", NULL},
    {OURS, 4, NULL, "SECRET_NOT_OPENABLE"},
    {OURS, 4, "", "SECRET_NOT_OPENABLE"},
    {OURS, 1, "0123456789abcdef", "SECRET_NOT_OPENABLE"},
    {NULL, 1, NULL, "SECRET_NOT_OPENABLE"},
    {"{}", 1, NULL, "SECRET_NOT_OPENABLE"},
    {SEALED("other", "main", KEY), 1, NULL, "SEALED_FOR_OTHER"},
    {SEALED("shop", "other", KEY), 1, NULL, "SEALED_FOR_OTHER"},
    {SEALED("a", "main", KEY), 1, NULL, "SEALED_FOR_OTHER"},
    {SEALED("shop", "a", KEY), 1, NULL, "SEALED_FOR_OTHER"},
    {SEALED("shop", "main", ""), 1, NULL, "INVALID_VALUE"},
    {SEALED("shop", "main", "two words"), 1, NULL, "INVALID_VALUE"},
    {SEALED("shop", "main", "line\\n"), 1, NULL, "INVALID_VALUE"},
    {SEALED("shop", "main", "schl\xc3\xbcssel"), 1, NULL, "INVALID_VALUE"},
    {SEALED("shop", "main", "\x7f"), 1, NULL, "INVALID_VALUE"},
    {SEALED("shop", "main", "!~"), 1, NULL, NULL},
    {SEALED("shop", "main", X128 X128 X128 X128), 1, NULL, NULL},
    {SEALED("shop", "main", X128 X128 X128 X128 "x"), 1, NULL, "INVALID_VALUE"},
};

static Buffer pack_case(const Case *one)
{
    Buffer plain CLEANUP(buffer_clear) = {NULL, 0};
    if (one->plain == NULL) {
        buffer_set(&plain, bytes_of("\xff\xff"));
    } else {
        plain = kit_pack(&provisioning__v1__sealed_api_key__descriptor, one->plain);
    }
    Buffer box CLEANUP(buffer_clear) = {NULL, 0};
    char id[CRYPTO_KEY_ID_BYTES];
    seal(buffer_view(&plain), one->sealed_to, &box, id);
    return pack_connect(buffer_view(&box), one->key_id == NULL ? id : one->key_id);
}

static void a_key_is_opened_only_where_it_was_sealed_for(void **state)
{
    (void)state;
    CryptoKeyPair fleet[FLEET] = {{.private_key = SECRET_INIT}};
    fill_fleet(fleet, 1);
    for (size_t i = 0; i < KIT_COUNT(CASES); i++) {
        Buffer packed CLEANUP(buffer_clear) = pack_case(&CASES[i]);
        Record record = kit_record(&packed);
        CommandRules rules = kit_rules();
        rules.fleet_keys = fleet;
        rules.fleet_key_count = FLEET;
        Rejection rejection;
        Command *command CLEANUP(command_free_at) = command_decode(&record, &rules, &rejection);
        const char *code = CASES[i].code == NULL ? "" : CASES[i].code;
        if (strcmp(rejection.error.code, code) != 0) {
            fail_msg("case %zu: %s %s", i, rejection.error.code, rejection.error.text);
        }
        assert_int_equal(command == NULL, CASES[i].code != NULL);
        assert_null(strstr(rejection.error.text, "napi"));
    }
    clear_fleet(fleet);
}

static void without_a_fleet_key_nothing_is_opened(void **state)
{
    (void)state;
    Buffer packed CLEANUP(buffer_clear) = pack_case(&CASES[0]);
    Record record = kit_record(&packed);
    CommandRules rules = kit_rules();
    Rejection rejection;
    assert_null(command_decode(&record, &rules, &rejection));
    assert_string_equal(rejection.error.code, "SECRET_NOT_OPENABLE");
    assert_string_equal(rejection.error.field, "connect_account.sealed");
    assert_string_equal(rejection.action_name, "ConnectAccount");
}

static Command *decode_sealed(const char *plain, unsigned sealed_to)
{
    CryptoKeyPair fleet[FLEET] = {{.private_key = SECRET_INIT}};
    fill_fleet(fleet, 1);
    Buffer packed CLEANUP(buffer_clear) =
        pack_case(&(Case){.plain = plain, .sealed_to = sealed_to});
    Record record = kit_record(&packed);
    CommandRules rules = kit_rules();
    rules.fleet_keys = fleet;
    rules.fleet_key_count = FLEET;
    Rejection rejection;
    Command *command = command_decode(&record, &rules, &rejection);
    assert_non_null(command);
    clear_fleet(fleet);
    return command;
}

static void a_rebuilt_command_has_the_same_digest(void **state)
{
    (void)state;
    Command *first CLEANUP(command_free_at) = decode_sealed(OURS, 1);
    Command *again CLEANUP(command_free_at) = decode_sealed(OURS, 2);
    Command *plain CLEANUP(command_free_at) =
        kit_decode(KIT_COMMAND("'connectAccount':{'account':'main','plaintext':'" KEY "'}"));
    Command *other CLEANUP(command_free_at) = decode_sealed(SEALED("shop", "main", "other"), 1);
    assert_string_equal(secret_reveal(&first->api_key), KEY);
    assert_memory_equal(first->digest, again->digest, sizeof first->digest);
    assert_memory_equal(first->digest, plain->digest, sizeof first->digest);
    assert_memory_not_equal(first->digest, other->digest, sizeof first->digest);
}

static void a_key_in_clear_leaves_the_message(void **state)
{
    (void)state;
    Command *command CLEANUP(command_free_at) =
        kit_decode(KIT_COMMAND("'connectAccount':{'account':'main','plaintext':'" KEY "'}"));
    assert_string_equal(secret_reveal(&command->api_key), KEY);
    assert_string_equal(command->message->connect_account->plaintext, "");
}

static void a_key_in_clear_is_refused_unless_allowed(void **state)
{
    (void)state;
    Buffer packed CLEANUP(buffer_clear) =
        kit_pack_command(KIT_COMMAND("'connectAccount':{'account':'main','plaintext':'" KEY "'}"));
    Record record = kit_record(&packed);
    CommandRules rules = kit_rules();
    Rejection rejection;
    assert_null(command_decode(&record, &rules, &rejection));
    assert_string_equal(rejection.error.code, "PLAINTEXT_REFUSED");
    assert_null(strstr(rejection.error.text, KEY));
}

static void a_reference_stays_in_the_message(void **state)
{
    (void)state;
    Command *command CLEANUP(command_free_at) =
        kit_decode(KIT_COMMAND("'connectAccount':{'account':'main','reference':'env:A'}"));
    Command *other CLEANUP(command_free_at) =
        kit_decode(KIT_COMMAND("'connectAccount':{'account':'main','reference':'env:B'}"));
    assert_true(secret_is_empty(&command->api_key));
    assert_string_equal(command->message->connect_account->reference, "env:A");
    assert_memory_not_equal(command->digest, other->digest, sizeof other->digest);
}

static void a_key_fits_into_a_header_wherever_it_comes_from(void **state)
{
    (void)state;
    static const char *const REFUSED[] = {"", "a b", "napi_x\r\nX-Injected: 1", "napi_\xc3\xa9",
                                          X128 X128 X128 X128 "x"};
    Secret key CLEANUP(secret_clear) = SECRET_INIT;
    for (size_t i = 0; i < KIT_COUNT(REFUSED); i++) {
        Error err = ERROR_INIT;
        secret_set_text(&key, REFUSED[i]);
        assert_false(command_check_key(&key, &err));
        assert_string_equal(err.code, "INVALID_VALUE");
    }
    secret_set_text(&key, X128 X128 X128 X128);
    assert_true(command_check_key(&key, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_opened_only_where_it_was_sealed_for),
        cmocka_unit_test(without_a_fleet_key_nothing_is_opened),
        cmocka_unit_test(a_rebuilt_command_has_the_same_digest),
        cmocka_unit_test(a_key_in_clear_leaves_the_message),
        cmocka_unit_test(a_key_in_clear_is_refused_unless_allowed),
        cmocka_unit_test(a_reference_stays_in_the_message),
        cmocka_unit_test(a_key_fits_into_a_header_wherever_it_comes_from),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
