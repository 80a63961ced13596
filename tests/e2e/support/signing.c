#include "support/signing.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "contract/signature.h"
#include "support/cmocka.h"
#include "support/ctl.h"

enum { KEY_HEX = 2 * CRYPTO_KEY_BYTES };

static void take_seed(World *world, SigningKey *ret_key)
{
    char hex[KEY_HEX + 1];
    ret_key->signer = (CryptoSigner){.private_key = SECRET_INIT};
    crypto_signer_set(&ret_key->signer, ret_key->seed);
    (void)sodium_bin2hex(hex, sizeof(hex), ret_key->signer.public_key, CRYPTO_KEY_BYTES);
    ret_key->public_hex = box_text("%s", hex);
    (void)sodium_bin2hex(hex, sizeof(hex), ret_key->seed, CRYPTO_KEY_BYTES);
    world_add_secret(world, hex);
}

void signing_make_key(World *world, SigningKey *ret_key)
{
    randombytes_buf(ret_key->seed, sizeof(ret_key->seed));
    take_seed(world, ret_key);
}

void signing_make_key_by_ctl(World *world, SigningKey *ret_key)
{
    const char *path = box_text("%s/present.key", world->dir);
    const char *const keygen[] = {PROVISIONCTL, "keygen", "--signing", "--out", path, NULL};
    assert_int_equal(process_run(keygen, box_text("%s/keygen.log", world->dir), CTL_SECONDS), 0);
    char *hex = process_read_log(path);
    hex[strcspn(hex, "\n")] = '\0';
    assert_true(crypto_hex_decode(hex, ret_key->seed, CRYPTO_KEY_BYTES));
    free(hex);
    take_seed(world, ret_key);
    char *public_hex = process_read_log(box_text("%s.pub", path));
    public_hex[strcspn(public_hex, "\n")] = '\0';
    assert_string_equal(public_hex, ret_key->public_hex);
    free(public_hex);
}

const char *signing_text(const SigningKey *key, const char *application, Bytes value)
{
    char text[SIGNATURE_TEXT_BYTES];
    signature_make(&key->signer, bytes_of(application), value, text);
    return box_text("%s", text);
}

rd_kafka_headers_t *signing_headers(const char *first, const char *second)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(2);
    if (first != NULL) {
        rd_kafka_header_add(headers, SIGNATURE_HEADER, -1, first, -1);
    }
    if (second != NULL) {
        rd_kafka_header_add(headers, SIGNATURE_HEADER, -1, second, -1);
    }
    return headers;
}
