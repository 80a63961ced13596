#include <string.h>

#include "base/attr.h"
#include "base/crypto.h"
#include "base/text.h"
#include "contract/allocator.h"
#include "contract/outcome_parts.h"

enum { HASH_TEXT_BYTES = 2 * CRYPTO_SHA256_BYTES };

static void add_failure_headers(OutcomeRecord *letter, const Record *record, const Error *reason,
                                const char *worker)
{
    outcome_add_text_header(letter, "dlq-topic", record->topic);
    outcome_add_number_header(letter, "dlq-partition", record->partition);
    outcome_add_number_header(letter, "dlq-offset", record->offset);
    if (record->timestamp_ms > 0) {
        outcome_add_number_header(letter, "dlq-timestamp", record->timestamp_ms);
    }
    outcome_add_text_header(letter, "dlq-reason", reason->code);
    outcome_add_text_header(letter, "dlq-detail", reason->text);
    outcome_add_text_header(letter, "dlq-worker", worker);
}

// The value is left out, but can be told from others.
static void add_value_headers(OutcomeRecord *letter, Bytes value)
{
    uint8_t hash[CRYPTO_SHA256_BYTES];
    crypto_sha256(&value, 1, hash);
    Text hex CLEANUP(text_clear) = TEXT_INIT(HASH_TEXT_BYTES);
    crypto_hex_append(&hex, (Bytes){hash, sizeof hash});
    outcome_add_text_header(letter, "dlq-value-sha256", text_get(&hex));
    outcome_add_number_header(letter, "dlq-value-bytes", (int64_t)value.size);
}

void outcome_add_dead_letter(Outcome *outcome, const Record *record, const Error *reason,
                             const char *worker, size_t max_value_bytes)
{
    OutcomeRecord *letter = outcome_new_record(
        PROVISIONING__INTERNAL__V1__OUTCOME_TOPIC__OUTCOME_TOPIC_DEAD_LETTERS, record->key);
    for (size_t i = 0; i < record->header_count; i++) {
        outcome_add_header(letter, record->headers[i].name, record->headers[i].value);
    }
    add_failure_headers(letter, record, reason, worker);
    bool holds_key = strcmp(reason->code, "PLAINTEXT_REFUSED") == 0;
    if (record->value.data == NULL) {
        letter->tombstone = true;
    } else if (record->value.size > max_value_bytes || holds_key) {
        letter->tombstone = true;
        add_value_headers(letter, record->value);
    } else {
        outcome_set_value(letter, allocator_copy(record->value.data, record->value.size),
                          record->value.size);
    }
    outcome_append(outcome, &letter);
}
