#include "neon/message.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/text.h"
#include "base/utf8.h"

#define MASK "***"
#define WORD "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

// Longer than the user part of any URI that Neon makes.
enum { USER_PART_BYTES_MAX = 2048 };

static bool follows(const char *text, size_t at, const char *word)
{
    size_t length = strlen(word);
    return at >= length && strncasecmp(text + at - length, word, length) == 0;
}

// Up to the last @ of the word that begins behind "://".
static size_t user_part_bytes(const char *text, size_t at)
{
    if (!follows(text, at, "://")) {
        return 0;
    }
    size_t bytes = 0;
    for (size_t i = 0; i < USER_PART_BYTES_MAX; i++) {
        char c = text[at + i];
        if (c == '\0' || strchr(" \t\r\n\"'<>", c) != NULL) {
            break;
        }
        bytes = c == '@' ? i : bytes;
    }
    return bytes;
}

// Neon's own passwords begin with npg_, its keys with napi_.
static size_t token_bytes(const char *text, size_t at)
{
    bool starts = at == 0 || strchr(WORD, text[at - 1]) == NULL;
    bool secret = strncmp(text + at, "npg_", 4) == 0 || strncmp(text + at, "napi_", 5) == 0;
    return starts && secret ? strspn(text + at, WORD) : 0;
}

static size_t skip_back(const char *text, size_t at, const char *skipped)
{
    while (at > 0 && strchr(skipped, text[at - 1]) != NULL) {
        at--;
    }
    return at;
}

// The value behind password:"…", "password": "…", password=….
static size_t value_bytes(const char *text, size_t at)
{
    size_t sign = skip_back(text, at, " \"'\\");
    if (sign == 0 || strchr(":=", text[sign - 1]) == NULL) {
        return 0;
    }
    size_t name = skip_back(text, sign - 1, " \"'\\");
    return follows(text, name, "password") ? strcspn(text + at, " \t\r\n\"'\\,;&)}]") : 0;
}

static size_t secret_bytes_at(const char *text, size_t at)
{
    size_t bytes = user_part_bytes(text, at);
    bytes = bytes > 0 ? bytes : token_bytes(text, at);
    return bytes > 0 ? bytes : value_bytes(text, at);
}

// C0, DEL, C1, and the line and paragraph separators that terminals and log viewers break at.
static bool is_control(uint32_t code_point)
{
    return code_point < 0x20 || (code_point >= 0x7f && code_point <= 0x9f) ||
           code_point == 0x2028 || code_point == 0x2029;
}

typedef struct Piece {
    size_t read;
    const char *text;
    size_t written;
} Piece;

static Piece next_piece(const char *text, size_t at, size_t size)
{
    size_t secret = secret_bytes_at(text, at);
    if (secret > 0) {
        return (Piece){secret, MASK, sizeof MASK - 1};
    }
    uint32_t code_point = 0;
    size_t read = utf8_next((Bytes){(const uint8_t *)text + at, size - at}, &code_point);
    if (read == 0) {
        return (Piece){1, "?", 1};
    }
    return is_control(code_point) ? (Piece){read, " ", 1} : (Piece){read, text + at, read};
}

void neon_message_copy(char *field, size_t field_bytes, const char *text)
{
    size_t size = strlen(text);
    size_t length = 0;
    for (size_t at = 0; at < size;) {
        Piece piece = next_piece(text, at, size);
        if (piece.written >= field_bytes - length) {
            break;
        }
        memcpy(field + length, piece.text, piece.written);
        length += piece.written;
        at += piece.read;
    }
    field[length] = '\0';
}

void neon_message_copy_token(char *field, size_t field_bytes, const char *token)
{
    for (const char *c = token; *c != '\0'; c++) {
        if (*c <= ' ' || *c > '~') {
            token = "";
            break;
        }
    }
    if (!text_copy(field, field_bytes, token)) {
        field[0] = '\0';
    }
}
