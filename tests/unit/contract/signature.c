// Signatures of records, and what a command has to say for its own to be believed.
#include "contract/signature.h"

#include <string.h>

#include "kit.h"

#define ONE "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c"
#define TWO "8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394"
#define ONE_ID "34750f98bd59fcfc"
// Of the value "the value" under the application "shop" with the seed 01…, by Python's
// cryptography.
#define SIGNATURE                                                                                  \
    "uZDhwGhWzVCBU0GvtL_RWC6HltD17RfKCLTPaIxQQgxYeLGga2w1n-aFFUXEcFfurNyLMFg-nFFYXPqH9A9bCg"
#define HEADER ONE_ID ":" SIGNATURE
#define VALUE "the value"

#define DELETE_AT(requested)                                                                       \
    "{'commandId':'" KIT_ID "','applicationId':'shop'," requested                                  \
    "'deleteEnvironment':{'environment':'live'}}"
#define REQUESTED "'requestedAt':'2026-11-22T10:00:00Z',"

enum { REQUESTED_S = 1795341600 };

static void set_signer(int number, CryptoSigner *ret_signer)
{
    uint8_t seed[CRYPTO_KEY_BYTES];
    memset(seed, number, sizeof seed);
    *ret_signer = (CryptoSigner){.private_key = SECRET_INIT};
    crypto_signer_set(ret_signer, seed);
}

static void a_signature_is_what_others_make_of_the_same(void **state)
{
    (void)state;
    char text[SIGNATURE_TEXT_BYTES];
    CLEANUP(crypto_signer_clear) CryptoSigner signer;
    set_signer(1, &signer);
    signature_make(&signer, bytes_of("shop"), bytes_of(VALUE), text);
    assert_string_equal(text, HEADER);
}

typedef struct Case {
    const char *signers;
    const char *key;
    const char *value;
    const char *headers[2]; // of the name SIGNATURE_HEADER
    const char *code;       // NULL: believed
} Case;

#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define ZEROS43 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const Case CASES[] = {
    {"shop=" ONE, "shop", VALUE, {HEADER}, NULL},
    {"*=" ONE, "shop", VALUE, {HEADER}, NULL},
    {"shop=" TWO " shop=" ONE, "shop", VALUE, {HEADER}, NULL},
    {"shop=" ONE, "shop", VALUE, {NULL}, "SIGNATURE_MISSING"},
    {"", "shop", VALUE, {HEADER}, "SIGNATURE_KEY_UNKNOWN"},
    {"shop=" TWO, "shop", VALUE, {HEADER}, "SIGNATURE_KEY_UNKNOWN"},
    {"blog=" ONE, "shop", VALUE, {HEADER}, "SIGNATURE_KEY_UNKNOWN"},
    {"shop=" ONE, "blog", VALUE, {HEADER}, "SIGNATURE_KEY_UNKNOWN"},
    {"*=" ONE, "blog", VALUE, {HEADER}, "SIGNATURE_INVALID"},
    {"*=" ONE, "", VALUE, {HEADER}, "SIGNATURE_KEY_UNKNOWN"},
    {"*=" ONE, "*", VALUE, {HEADER}, "SIGNATURE_KEY_UNKNOWN"},
    {"*=" ONE, "No/Name", VALUE, {HEADER}, "SIGNATURE_KEY_UNKNOWN"},
    {"*=" ONE, X64, VALUE, {HEADER}, "SIGNATURE_KEY_UNKNOWN"},
    {"shop=" ONE, "shop", "the Value", {HEADER}, "SIGNATURE_INVALID"},
    {"shop=" ONE, "shop", "the valu", {HEADER}, "SIGNATURE_INVALID"},
    {"shop=" ONE, "shop", "", {HEADER}, "SIGNATURE_INVALID"},
    {"shop=" ONE, "shop", VALUE, {HEADER, HEADER}, "SIGNATURE_INVALID"},
    {"shop=" ONE, "shop", VALUE, {"", HEADER}, "SIGNATURE_INVALID"},
    {"shop=" ONE, "shop", VALUE, {""}, "SIGNATURE_INVALID"},
    {"shop=" ONE, "shop", VALUE, {ONE_ID}, "SIGNATURE_INVALID"},
    {"shop=" ONE, "shop", VALUE, {HEADER "A"}, "SIGNATURE_INVALID"},
    {"shop=" ONE, "shop", VALUE, {ONE_ID ":" ZEROS43 ZEROS43}, "SIGNATURE_INVALID"},
    {"shop=" ONE, "shop", VALUE, {ONE_ID ";" SIGNATURE}, "SIGNATURE_INVALID"},
    {"shop=" ONE, "shop", VALUE, {"34750F98BD59FCFC:" SIGNATURE}, "SIGNATURE_INVALID"},
    {"shop=" ONE, "shop", VALUE, {ONE_ID ":+" ZEROS43 ZEROS43 + 1}, "SIGNATURE_INVALID"},
};

static void check_case(const Case *one)
{
    RecordHeader headers[4] = {{"content-type", bytes_of("application/protobuf")}};
    size_t count = 1;
    for (size_t i = 0; i < KIT_COUNT(one->headers); i++) {
        if (one->headers[i] != NULL) {
            headers[count++] = (RecordHeader){SIGNATURE_HEADER, bytes_of(one->headers[i])};
        }
    }
    const Record record = {.topic = "provisioning.commands",
                           .key = bytes_of(one->key),
                           .value = bytes_of(one->value),
                           .headers = headers,
                           .header_count = count};
    Error err = ERROR_INIT;
    CLEANUP(signers_free_at) Signers *signers = signers_new(one->signers);
    bool believed = signature_check(&record, signers, &err);
    assert_string_equal(err.code, one->code != NULL ? one->code : "");
    assert_int_equal(believed, one->code == NULL);
}

static void what_the_key_has_not_signed_is_not_believed(void **state)
{
    (void)state;
    for (size_t i = 0; i < KIT_COUNT(CASES); i++) {
        check_case(&CASES[i]);
    }
}

// A cut or changed header, byte by byte: never believed, never read beyond its end.
static void no_other_header_is_believed(void **state)
{
    (void)state;
    CLEANUP(signers_free_at) Signers *signers = signers_new("shop=" ONE);
    for (size_t i = 0; i < 2 * strlen(HEADER); i++) {
        Buffer text CLEANUP(buffer_clear) = {.data = NULL};
        buffer_set(&text, bytes_of(HEADER));
        size_t place = i / 2;
        text.data[place] = i % 2 == 0 ? '\0' : (uint8_t)(text.data[place] ^ 3);
        const RecordHeader whole = {SIGNATURE_HEADER, buffer_view(&text)};
        const RecordHeader cut = {SIGNATURE_HEADER, {text.data, place}};
        Record record = {.key = bytes_of("shop"),
                         .value = bytes_of(VALUE),
                         .headers = &whole,
                         .header_count = 1};
        assert_false(signature_check(&record, signers, NULL));
        record.headers = &cut;
        assert_false(signature_check(&record, signers, NULL));
    }
}

// Decodes a command with the signature of signer `number`; 0: none.
static Command *decode(const char *text, int number, const Signers *signers,
                       Rejection *ret_rejection)
{
    Buffer value CLEANUP(buffer_clear) = kit_pack_command(text);
    char signature[SIGNATURE_TEXT_BYTES];
    Record record = kit_record(&value);
    const RecordHeader header = {SIGNATURE_HEADER,
                                 {(const uint8_t *)signature, sizeof signature - 1}};
    if (number != 0) {
        CLEANUP(crypto_signer_clear) CryptoSigner signer;
        set_signer(number, &signer);
        signature_make(&signer, record.key, record.value, signature);
        record.headers = &header;
        record.header_count = 1;
    }
    CommandRules rules = kit_rules();
    rules.signers = signers;
    return command_decode(&record, &rules, ret_rejection);
}

static void where_signatures_are_required_only_signed_commands_are_taken(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        int signer;
        const char *code; // NULL: taken
    } COMMANDS[] = {
        {DELETE_AT(REQUESTED), 1, NULL},
        {DELETE_AT(REQUESTED), 2, "SIGNATURE_KEY_UNKNOWN"},
        {DELETE_AT(REQUESTED), 0, "SIGNATURE_MISSING"},
        {DELETE_AT(""), 1, "FIELD_REQUIRED"},
    };
    CLEANUP(signers_free_at) Signers *signers = signers_new("shop=" ONE);
    for (size_t i = 0; i < KIT_COUNT(COMMANDS); i++) {
        Rejection rejection;
        CLEANUP(command_free_at)
        Command *command = decode(COMMANDS[i].command, COMMANDS[i].signer, signers, &rejection);
        if (COMMANDS[i].code == NULL) {
            assert_non_null(command);
            assert_int_equal(command->signed_ms, REQUESTED_S * INT64_C(1000));
            continue;
        }
        assert_null(command);
        assert_string_equal(rejection.error.code, COMMANDS[i].code);
        assert_string_equal(rejection.application_id, "shop");
        assert_string_equal(rejection.command_id, KIT_ID);
    }
}

static void elsewhere_nobody_looks(void **state)
{
    (void)state;
    for (int signer = 0; signer < 3; signer++) {
        Rejection rejection;
        CLEANUP(command_free_at)
        Command *command = decode(DELETE_AT(REQUESTED), signer, NULL, &rejection);
        assert_non_null(command);
        assert_int_equal(command->signed_ms, 0);
    }
}

static void a_signed_commands_age_is_its_own(void **state)
{
    (void)state;
    enum { HOUR_MS = 3600000, APART_MS = 600000 };
    static const struct {
        int64_t signed_ms;
        int64_t now_ms;
        CommandAge age;
    } AGES[] = {
        {0, INT64_C(1) << 50, COMMAND_AGE_FINE},
        {5000000, 5000000, COMMAND_AGE_FINE},
        {5000000, 5000000 + HOUR_MS - APART_MS, COMMAND_AGE_FINE},
        {5000000, 5000000 + HOUR_MS - APART_MS + 1, COMMAND_AGE_FORGOTTEN},
        {5000000, 5000000 - APART_MS, COMMAND_AGE_FINE},
        {5000000, 5000000 - APART_MS - 1, COMMAND_AGE_FUTURE},
    };
    for (size_t i = 0; i < KIT_COUNT(AGES); i++) {
        const Command command = {.signed_ms = AGES[i].signed_ms};
        assert_int_equal(command_age(&command, AGES[i].now_ms, HOUR_MS), AGES[i].age);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_is_what_others_make_of_the_same),
        cmocka_unit_test(what_the_key_has_not_signed_is_not_believed),
        cmocka_unit_test(no_other_header_is_believed),
        cmocka_unit_test(where_signatures_are_required_only_signed_commands_are_taken),
        cmocka_unit_test(elsewhere_nobody_looks),
        cmocka_unit_test(a_signed_commands_age_is_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
