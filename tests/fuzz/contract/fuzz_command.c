/*
 * Any record: a command that is bounded and means the same when it is packed again, or a rejection
 * that can be told.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "check.h"
#include "contract/command.h"
#include "contract/outcome.h"

enum { MAX_BYTES = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void tell(const Record *record, const Rejection *rejection)
{
    CHECK(rejection->error.kind == ERROR_INVALID);
    CHECK(rejection->error.code[0] != '\0' && rejection->error.text[0] != '\0');
    const OutcomeContext context = {.source = "fuzz", .max_record_bytes = 16384};
    Outcome *outcome = outcome_new(&context);
    Error err = ERROR_INIT;
    CHECK(outcome_add_rejected(outcome, rejection, record, &err));
    outcome_add_dead_letter(outcome, record, &rejection->error, "fuzz", MAX_BYTES);
    Buffer packed = {NULL, 0};
    outcome_pack(outcome, &packed);
    outcome_free(outcome);
    OutcomeMessage *message = outcome_unpack(buffer_view(&packed));
    CHECK(message != NULL && message->n_records == (rejection->application_id[0] == 0 ? 1 : 2));
    outcome_message_free(message);
    buffer_clear(&packed);
}

// The same command from the bytes that it packs to.
static void decode_again(const Command *command, const Record *record, const CommandRules *rules)
{
    const Provisioning__V1__Command *message = command->message;
    Buffer packed = {NULL, provisioning__v1__command__get_packed_size(message)};
    packed.data = alloc_bytes(packed.size);
    provisioning__v1__command__pack(message, packed.data);
    Record again = *record;
    again.value = buffer_view(&packed);
    Rejection rejection;
    Command *same = command_decode(&again, rules, &rejection);
    CHECK(same != NULL);
    CHECK(strcmp(same->command_id, command->command_id) == 0);
    CHECK(memcmp(same->digest, command->digest, sizeof same->digest) == 0);
    command_free(same);
    buffer_clear(&packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char FLEET_KEY[CRYPTO_KEY_BYTES + 1] = "0123456789abcdef0123456789abcdef";
    CryptoKeyPair fleet_key = {.private_key = SECRET_INIT};
    crypto_key_pair_set(&fleet_key, (const uint8_t *)FLEET_KEY);
    const CommandRules rules = {.max_bytes = MAX_BYTES,
                                .allow_plaintext_key = true,
                                .fleet_keys = &fleet_key,
                                .fleet_key_count = 1};
    const Record record = {
        .topic = "commands", .offset = 1, .key = bytes_of("shop"), .value = {data, size}};
    Rejection rejection;
    Command *command = command_decode(&record, &rules, &rejection);
    if (command == NULL) {
        tell(&record, &rejection);
    } else {
        CHECK(size <= MAX_BYTES && command_subject(command).kind != SUBJECT_NONE);
        CHECK((command->writes.kind == SUBJECT_NONE) == (command->stops[0] != '\0'));
        if (secret_is_empty(&command->api_key)) {
            decode_again(command, &record, &rules);
        }
    }
    command_free(command);
    crypto_key_pair_clear(&fleet_key);
    return 0;
}
