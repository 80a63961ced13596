#include "ledger/arrays.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/utf8.h"

static void begin_element(PgArray *array)
{
    assert(!array->closed);
    text_append_char(&array->text, array->count == 0 ? '{' : ',');
    array->count++;
}

void pg_array_append_null(PgArray *array)
{
    begin_element(array);
    text_append(&array->text, "NULL");
}

void pg_array_append_text(PgArray *array, const char *text)
{
    if (text == NULL) {
        pg_array_append_null(array);
        return;
    }
    begin_element(array);
    if (!utf8_is_valid(bytes_of(text))) {
        array->text.failed = true;
    }
    text_append_char(&array->text, '"');
    while (*text != '\0') {
        size_t plain = strcspn(text, "\"\\");
        text_append_bytes(&array->text, text, plain);
        text += plain;
        if (*text != '\0') {
            text_append_char(&array->text, '\\');
            text_append_char(&array->text, *text++);
        }
    }
    text_append_char(&array->text, '"');
}

void pg_array_append_int64(PgArray *array, int64_t number)
{
    begin_element(array);
    text_printf(&array->text, "%" PRId64, number);
}

void pg_array_append_bool(PgArray *array, bool flag)
{
    begin_element(array);
    text_append(&array->text, flag ? "true" : "false");
}

// Not crypto_hex_append: none of this is secret (it is sealed or for everyone to read), and digits
// that are found in constant time cost a worker a hundredth of its time.
static void append_hex(Text *text, Bytes bytes)
{
    static const char DIGITS[] = "0123456789abcdef";
    char block[512];
    size_t size = 0;
    for (size_t i = 0; i < bytes.size; i++) {
        block[size++] = DIGITS[bytes.data[i] >> 4];
        block[size++] = DIGITS[bytes.data[i] & 0x0f];
        if (size == sizeof block || i + 1 == bytes.size) {
            text_append_bytes(text, block, size);
            size = 0;
        }
    }
}

// The backslash of bytea's hex form (\x…) is escaped once for the array.
void pg_array_append_bytes(PgArray *array, Bytes bytes)
{
    begin_element(array);
    text_append(&array->text, "\"\\\\x");
    append_hex(&array->text, bytes);
    text_append_char(&array->text, '"');
}

bool pg_array_finish(PgArray *array)
{
    assert(!array->closed);
    text_append(&array->text, array->count == 0 ? "{}" : "}");
    array->closed = true;
    return text_ok(&array->text);
}

void pg_array_clear(PgArray *array)
{
    text_clear(&array->text);
    *array = PG_ARRAY_INIT;
}
