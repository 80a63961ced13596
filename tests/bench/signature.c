/*
 * What a signature costs a worker's loop: signature_check of a command of this size, by a key of
 * many that are listed. Processor time, so that other work beside it counts for nothing.
 */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "contract/signature.h"

enum { ROUNDS = 2000, SIGNERS = 10000 };

static double elapsed_us(const struct timespec *since)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    int64_t ns = (now.tv_sec - since->tv_sec) * INT64_C(1000000000) + now.tv_nsec - since->tv_nsec;
    return (double)ns / 1000.0;
}

static void measure(const CryptoSigner *signer, const Signers *signers, size_t value_bytes)
{
    char text[SIGNATURE_TEXT_BYTES];
    uint8_t *value = alloc_zeroed(1, value_bytes);
    randombytes_buf(value, value_bytes);
    const RecordHeader header = {SIGNATURE_HEADER, {(const uint8_t *)text, sizeof(text) - 1}};
    const Record record = {.key = bytes_of("shop"),
                           .value = {value, value_bytes},
                           .headers = &header,
                           .header_count = 1};
    struct timespec begin;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    for (int i = 0; i < ROUNDS; i++) {
        signature_make(signer, record.key, record.value, text);
    }
    double sign_us = elapsed_us(&begin) / ROUNDS;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    for (int i = 0; i < ROUNDS; i++) {
        if (!signature_check(&record, signers, NULL)) {
            abort();
        }
    }
    (void)printf("%8zu bytes: signed in %.1f us, checked in %.1f us (%d keys listed)\n",
                 value_bytes, sign_us, elapsed_us(&begin) / ROUNDS, SIGNERS);
    free(value);
}

int main(void)
{
    static const size_t SIZES[] = {200, 2000, 20000, 200000};
    uint8_t seed[CRYPTO_KEY_BYTES];
    CLEANUP(crypto_signer_clear) CryptoSigner signer = {.private_key = SECRET_INIT};
    CLEANUP(signers_free_at) Signers *signers = signers_new("");
    if (sodium_init() < 0) {
        abort();
    }
    for (int i = 0; i < SIGNERS; i++) {
        randombytes_buf(seed, sizeof(seed));
        crypto_signer_set(&signer, seed);
        signers_add(signers, signer.public_key);
    }
    for (size_t i = 0; i < sizeof(SIZES) / sizeof(SIZES[0]); i++) {
        measure(&signer, signers, SIZES[i]);
    }
    return EXIT_SUCCESS;
}
