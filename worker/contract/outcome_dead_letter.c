#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/crypto.h"
#include "base/text.h"
#include "contract/allocator.h"
#include "contract/outcome_parts.h"

enum {
    HASH_TEXT_BYTES = 2 * CRYPTO_SHA256_BYTES,
    NAME_BYTES = 32,
    // A letter that no broker takes would hold up everything behind it.
    KEY_MAX_BYTES = 1024,
    HEADERS_MAX_BYTES = 16 * 1024, // names and values
    HEADER_COUNT_MAX = 64,
};

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

// What is left out can be told from others by its hash.
static void add_hash_headers(OutcomeRecord *letter, const char *part, const Bytes *pieces,
                             size_t count)
{
    uint8_t hash[CRYPTO_SHA256_BYTES];
    crypto_sha256(pieces, count, hash);
    Text hex CLEANUP(text_clear) = TEXT_INIT(HASH_TEXT_BYTES);
    crypto_hex_append(&hex, (Bytes){hash, sizeof hash});
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size += pieces[i].size;
    }
    char name[NAME_BYTES];
    (void)snprintf(name, sizeof name, "dlq-%s-sha256", part);
    outcome_add_text_header(letter, name, text_get(&hex));
    (void)snprintf(name, sizeof name, "dlq-%s-bytes", part);
    outcome_add_number_header(letter, name, (int64_t)size);
}

static bool headers_fit(const Record *record)
{
    size_t size = 0;
    for (size_t i = 0; i < record->header_count; i++) {
        size += strlen(record->headers[i].name) + record->headers[i].value.size;
    }
    return record->header_count <= HEADER_COUNT_MAX && size <= HEADERS_MAX_BYTES;
}

static void copy_headers(OutcomeRecord *letter, const Record *record)
{
    for (size_t i = 0; i < record->header_count; i++) {
        outcome_add_header(letter, record->headers[i].name, record->headers[i].value);
    }
}

static void hash_headers(OutcomeRecord *letter, const Record *record)
{
    size_t count = 2 * record->header_count;
    Bytes *pieces = alloc_zeroed(count, sizeof *pieces);
    for (size_t i = 0; i < record->header_count; i++) {
        pieces[2 * i] = bytes_of(record->headers[i].name);
        pieces[2 * i + 1] = record->headers[i].value;
    }
    add_hash_headers(letter, "headers", pieces, count);
    free(pieces);
}

static void add_value(OutcomeRecord *letter, Bytes value, size_t max_value_bytes)
{
    if (value.data == NULL) {
        letter->tombstone = true;
    } else if (value.size > max_value_bytes || command_holds_plaintext(value)) {
        letter->tombstone = true;
        add_hash_headers(letter, "value", &value, 1);
    } else {
        outcome_set_value(letter, allocator_copy(value.data, value.size), value.size);
    }
}

void outcome_add_dead_letter(Outcome *outcome, const Record *record, const Error *reason,
                             const char *worker, size_t max_value_bytes)
{
    bool key_fits = record->key.size <= KEY_MAX_BYTES;
    bool headers_are_copied = headers_fit(record);
    OutcomeRecord *letter =
        outcome_new_record(PROVISIONING__INTERNAL__V1__OUTCOME_TOPIC__OUTCOME_TOPIC_DEAD_LETTERS,
                           key_fits ? record->key : (Bytes){NULL, 0});
    if (headers_are_copied) {
        copy_headers(letter, record);
    }
    add_failure_headers(letter, record, reason, worker);
    if (!key_fits) {
        add_hash_headers(letter, "key", &record->key, 1);
    }
    if (!headers_are_copied) {
        hash_headers(letter, record);
    }
    add_value(letter, record->value, max_value_bytes);
    outcome_append(outcome, &letter);
}
