/*
 * Any headers of a record: only the one signature of the key that is listed is believed, however
 * many headers stand around it; a trace is taken over whole or not at all. Each header of the input
 * is a byte for its name, one for its length, and its value.
 */
#include <string.h>

#include "check.h"
#include "contract/signature.h"
#include "contract/traceparent.h"

enum { HEADERS_MAX = 64 };

static const char *const NAMES[] = {SIGNATURE_HEADER, "traceparent", "content-type", ""};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t read_headers(const uint8_t *data, size_t size, RecordHeader *ret_headers)
{
    size_t count = 0;
    while (size >= 2 && count < HEADERS_MAX) {
        const char *name = NAMES[data[0] % (sizeof NAMES / sizeof NAMES[0])];
        size_t length = data[1] < size - 2 ? data[1] : size - 2;
        ret_headers[count++] = (RecordHeader){name, {data + 2, length}};
        data += 2 + length;
        size -= 2 + length;
    }
    return count;
}

// Whether the one signature among them is the right one.
static bool is_signed(const RecordHeader *headers, size_t count, const char *wanted)
{
    size_t found = 0;
    bool right = false;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(headers[i].name, SIGNATURE_HEADER) == 0) {
            found++;
            right = bytes_equal(headers[i].value, bytes_of(wanted));
        }
    }
    return found == 1 && right;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t SEED[CRYPTO_KEY_BYTES] = {1, 2, 3};
    RecordHeader headers[HEADERS_MAX];
    CryptoSigner signer = {.private_key = SECRET_INIT};
    char wanted[SIGNATURE_TEXT_BYTES];
    char trace[TRACEPARENT_BYTES];
    crypto_signer_set(&signer, SEED);
    Signers *signers = signers_new("");
    signers_add(signers, signer.public_key);
    const Record record = {.key = bytes_of("shop"),
                           .value = bytes_of("the value"),
                           .headers = headers,
                           .header_count = read_headers(data, size, headers)};
    signature_make(&signer, record.key, record.value, wanted);
    Error err = ERROR_INIT;
    bool believed = signature_check(&record, signers, &err);
    CHECK(believed == is_signed(headers, record.header_count, wanted));
    CHECK(believed == (err.kind == ERROR_NONE));
    CHECK(believed || strncmp(err.code, "SIGNATURE_", strlen("SIGNATURE_")) == 0);
    traceparent_find(headers, record.header_count, trace);
    CHECK(strlen(trace) == 0 || strlen(trace) == TRACEPARENT_BYTES - 1);
    signers_free(signers);
    crypto_signer_clear(&signer);
    return 0;
}
