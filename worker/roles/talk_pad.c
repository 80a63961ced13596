#include "roles/talk_pad.h"

#include <string.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "base/text.h"

enum { PAD_DIGITS = 2 * CRYPTO_SHA256_BYTES, NUMBER_BYTES = 24 };

bool talk_pad_check(const char *pad)
{
    uint8_t bytes[CRYPTO_SHA256_BYTES];
    bool is_pad = strlen(pad) == PAD_DIGITS && crypto_hex_decode(pad, bytes, sizeof(bytes));
    secret_zero(bytes, sizeof(bytes));
    return is_pad;
}

static void make_block(const Secret *pad, size_t number, const char *role,
                       uint8_t ret_block[CRYPTO_SHA256_BYTES])
{
    CLEANUP(text_clear) Text between = TEXT_INIT(NUMBER_BYTES);
    text_printf(&between, " %zu ", number);
    const Bytes parts[] = {secret_bytes(pad), text_bytes(&between), bytes_of(role)};
    crypto_sha256(parts, sizeof(parts) / sizeof(parts[0]), ret_block);
}

char *talk_pad_cover(const Secret *pad, const char *role, const Secret *password)
{
    CLEANUP(text_clear) Text covered = TEXT_INIT(2 * password->size);
    uint8_t block[CRYPTO_SHA256_BYTES];
    for (size_t i = 0; i < password->size; i++) {
        if (i % sizeof(block) == 0) {
            make_block(pad, i / sizeof(block), role, block);
        }
        uint8_t byte = (uint8_t)password->data[i] ^ block[i % sizeof(block)];
        crypto_hex_append(&covered, (Bytes){.data = &byte, .size = 1});
    }
    secret_zero(block, sizeof(block));
    return alloc_text(text_get(&covered));
}
