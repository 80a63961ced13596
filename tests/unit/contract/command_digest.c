#include <string.h>

#include "base/text.h"
#include "contract/command.h"
#include "kit.h"

#define CREATE "'createEnvironment':{'environment':'a','account':'main','regionId':'r'"
#define DELETE "'deleteEnvironment':{'environment':'staging'}"

typedef struct Case {
    const char *a;
    const char *b;
    bool equal;
} Case;

// What is beside the action isn't in the digest, what is in it is.
static const Case CASES[] = {
    {KIT_COMMAND(DELETE), KIT_COMMAND("'requestedBy':'me','labels':[{'key':'k'}]," DELETE), true},
    {KIT_COMMAND(DELETE), KIT_COMMAND("'deadline':'2026-11-22T08:07:00Z'," DELETE), true},
    {KIT_COMMAND(CREATE "}"), KIT_COMMAND(CREATE ",'pgVersion':0}"), true},
    {KIT_COMMAND(CREATE "}"), KIT_COMMAND(CREATE ",'pgVersion':17}"), false},
    {KIT_COMMAND(CREATE "}"), KIT_COMMAND(CREATE ",'endpoint':{}}"), false},
    {KIT_COMMAND(CREATE "}"), KIT_COMMAND(CREATE ",'historyRetentionSeconds':0}"), false},
    {KIT_COMMAND("'branchEnvironment':{'environment':'staging','sourceEnvironment':'a'}"),
     KIT_COMMAND("'branchEnvironment':{'environment':'staging','sourceEnvironment':'b'}"), false},
};

static void the_digest_covers_the_action(void **state)
{
    (void)state;
    for (size_t i = 0; i < KIT_COUNT(CASES); i++) {
        Command *a CLEANUP(command_free_at) = kit_decode(CASES[i].a);
        Command *b CLEANUP(command_free_at) = kit_decode(CASES[i].b);
        uint8_t specs[2][CRYPTO_SHA256_BYTES];
        command_spec_digest(a->message, specs[0]);
        command_spec_digest(b->message, specs[1]);
        assert_int_equal(memcmp(a->digest, b->digest, sizeof a->digest) == 0, CASES[i].equal);
        assert_int_equal(memcmp(specs[0], specs[1], sizeof specs[0]) == 0, CASES[i].equal);
    }
}

static void the_digest_covers_the_application_and_the_spec_does_not(void **state)
{
    (void)state;
    Command *command CLEANUP(command_free_at) = kit_decode(KIT_COMMAND(DELETE));
    const Secret none = SECRET_INIT;
    uint8_t other[CRYPTO_SHA256_BYTES];
    command_digest("other", command->message, &none, other);
    assert_memory_not_equal(other, command->digest, sizeof other);
    uint8_t spec[CRYPTO_SHA256_BYTES];
    command_spec_digest(command->message, spec);
    assert_memory_not_equal(spec, command->digest, sizeof spec);
}

// Two actions whose messages have the same bytes are two commands.
static void the_digest_tells_actions_apart(void **state)
{
    (void)state;
    Buffer reset CLEANUP(buffer_clear) =
        kit_pack_command("{'resetEnvironment':{'environment':'staging'}}");
    Buffer base CLEANUP(buffer_clear) =
        kit_pack_command("{'setPreviewBase':{'environment':'staging'}}");
    const Buffer *packed[] = {&reset, &base};
    uint8_t digests[2][CRYPTO_SHA256_BYTES];
    for (size_t i = 0; i < 2; i++) {
        Provisioning__V1__Command *message =
            provisioning__v1__command__unpack(NULL, packed[i]->size, packed[i]->data);
        command_spec_digest(message, digests[i]);
        provisioning__v1__command__free_unpacked(message, NULL);
    }
    assert_memory_not_equal(digests[0], digests[1], sizeof digests[0]);
}

// The ledger keeps digests: they must be the same in every version. By sha256sum of "shop", NUL and
// the bytes.
static void the_digest_never_changes(void **state)
{
    (void)state;
    Command *command CLEANUP(command_free_at) = kit_decode(KIT_COMMAND(DELETE));
    Text hex CLEANUP(text_clear) = TEXT_INIT(KIT_HASH_TEXT_BYTES);
    crypto_hex_append(&hex, (Bytes){command->digest, sizeof command->digest});
    assert_string_equal(text_get(&hex),
                        "0af59a73cd3d0fa05358f3a0651dc0945a00635f807510bf67b0a847f76e04f6");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_digest_covers_the_action),
        cmocka_unit_test(the_digest_covers_the_application_and_the_spec_does_not),
        cmocka_unit_test(the_digest_tells_actions_apart),
        cmocka_unit_test(the_digest_never_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
