#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "contract/completion.h"
#include "kit.h"

static int64_t timestamp_of(int64_t offset)
{
    return 1795334820000 + offset;
}

// Delivers `offset`; it must not void a map.
static CompletionDelivery deliver(Completion *completion, int64_t offset)
{
    const char *reason = "";
    CompletionDelivery delivery =
        completion_deliver(completion, offset, timestamp_of(offset), &reason);
    assert_null(reason);
    return delivery;
}

static Completion *start(int64_t committed, const char *metadata)
{
    const char *reason = "";
    Completion *completion = completion_new(committed, metadata, &reason);
    assert_null(reason);
    return completion;
}

// What another worker would start from.
static Completion *restore(const Completion *completion)
{
    Text text CLEANUP(text_clear) = TEXT_INIT(COMPLETION_TEXT_MAX);
    completion_metadata(completion, &text);
    assert_true(text_ok(&text));
    assert_true(text.length < COMPLETION_TEXT_MAX);
    return start(completion_offset(completion), text_get(&text));
}

// Delivered 100 to 109, of which only 100, 104 and 107 are unfinished.
static Completion *with_holes(void)
{
    Completion *completion = start(100, "");
    for (int64_t offset = 100; offset < 110; offset++) {
        deliver(completion, offset);
    }
    for (int64_t offset = 100; offset < 110; offset++) {
        if (offset != 100 && offset != 104 && offset != 107) {
            completion_finish(completion, offset);
        }
    }
    return completion;
}

static void expect_void(int64_t committed, const char *metadata)
{
    const char *reason = NULL;
    Completion *completion = completion_new(committed, metadata, &reason);
    if (reason == NULL) {
        fail_msg("taken: %s", metadata);
    }
    assert_int_equal(completion_offset(completion), committed);
    assert_int_equal(completion_unfinished(completion), 0);
    completion_free(completion);
}

static void a_foreign_or_damaged_map_is_void(void **state)
{
    (void)state;
    Completion *before = with_holes();
    Text text CLEANUP(text_clear) = TEXT_INIT(COMPLETION_TEXT_MAX);
    completion_metadata(before, &text);
    completion_free(before);
    expect_void(101, text_get(&text));
    expect_void(-1, text_get(&text));
    expect_void(100, "not base64url!");
    expect_void(100, "bm90IGEgbWFw");
    expect_void(100, "AgAAAAAAAAAAAQEAAAAAAAAA");
    Text longest CLEANUP(text_clear) = TEXT_INIT(COMPLETION_TEXT_MAX);
    while (longest.length < COMPLETION_TEXT_MAX) {
        text_append_char(&longest, 'A');
    }
    expect_void(100, text_get(&longest));
    for (size_t i = 0; i < text.length; i++) {
        char *damaged = alloc_text(text_get(&text));
        damaged[i] = damaged[i] == 'A' ? 'B' : 'A';
        expect_void(100, damaged);
        damaged[i] = '\0';
        if (i > 0) {
            expect_void(100, damaged);
        }
        free(damaged);
    }
}

static uint32_t crc32(const uint8_t *data, size_t size)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = (crc & 1) != 0 ? crc >> 1 ^ 0xedb88320U : crc >> 1;
        }
    }
    return ~crc;
}

// The text of a body after version and timestamp, with a right CRC for base 7.
static void frame(Bytes body, Text *text)
{
    uint8_t raw[64] = {1};
    const uint8_t base[8] = {0, 0, 0, 0, 0, 0, 0, 7};
    size_t size = 9;
    memcpy(raw + size, body.data, body.size);
    size += body.size;
    memcpy(raw + size, base, sizeof base);
    uint32_t crc = crc32(raw, size + sizeof base);
    for (unsigned i = 0; i < 4; i++) {
        raw[size++] = (uint8_t)(crc >> (24 - 8 * i));
    }
    crypto_base64url_append(text, (Bytes){raw, size});
}

typedef struct Body {
    Bytes bytes; // count, distances, end
    bool valid;
} Body;

static void the_form_is_read_strictly(void **state)
{
    (void)state;
    static const Body BODIES[] = {
        {KIT_BYTES("\x01\x01"), true},
        {KIT_BYTES("\x01\x03"), true},
        {KIT_BYTES("\x02\x02\x03"), true},
        {KIT_BYTES("\x02\x80\x01\x81\x01"), true},
        {KIT_BYTES("\x01\xff\xff\xff\xff\xff\xff\xff\xff\x3f"), true},
        {KIT_BYTES("\x00\x01"), false},
        {KIT_BYTES("\xe9\x07\x01"), false},
        {KIT_BYTES("\x02\x00\x03"), false},
        {KIT_BYTES("\x02\x02\x02"), false},
        {KIT_BYTES("\x02\x02\x00"), false},
        {KIT_BYTES("\x01"), false},
        {KIT_BYTES("\x02\x02"), false},
        {KIT_BYTES("\x03\x02"), false},
        {KIT_BYTES("\x80"), false},
        {KIT_BYTES("\x01\x01\x01"), false},
        {KIT_BYTES("\x01\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), false},
        {KIT_BYTES("\x01\x81\x80\x80\x80\x80\x80\x80\x80\x80\x00"), false},
    };
    for (size_t i = 0; i < KIT_COUNT(BODIES); i++) {
        Text text CLEANUP(text_clear) = TEXT_INIT(256);
        frame(BODIES[i].bytes, &text);
        if (BODIES[i].valid) {
            completion_free(start(7, text_get(&text)));
        } else {
            expect_void(7, text_get(&text));
        }
    }
}

// More than fits is cut at an offset from which on all is run again.
static void expect_cut(int64_t step, size_t count)
{
    Completion *before = start(0, "");
    for (size_t i = 0; i < count; i++) {
        deliver(before, (int64_t)i * step);
    }
    Completion *after = restore(before);
    size_t kept = completion_unfinished(after);
    assert_in_range(kept, 300, COMPLETION_UNFINISHED_MAX);
    assert_true(kept < count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(deliver(after, (int64_t)i * step), COMPLETION_RUN);
    }
    assert_int_equal(completion_unfinished(after), count);
    completion_free(before);
    completion_free(after);
}

static void a_map_that_does_not_fit_is_cut_not_dropped(void **state)
{
    (void)state;
    expect_cut(2, 1500);
    expect_cut(INT64_C(1) << 48, 1500);
    expect_cut(INT64_C(1) << 35, 900);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static void a_thousand_unfinished_in_100000_fit(void **state)
{
    (void)state;
    enum { OFFSETS = 100000, UNFINISHED = 1000 };
    bool *unfinished = alloc_zeroed(OFFSETS, sizeof *unfinished);
    uint32_t seed = 20261122;
    unfinished[0] = true;
    for (size_t count = 1; count < UNFINISHED;) {
        size_t offset = next_random(&seed) % OFFSETS;
        count += unfinished[offset] ? 0 : 1;
        unfinished[offset] = true;
    }
    Completion *completion = start(0, "");
    for (int64_t offset = 0; offset < OFFSETS; offset++) {
        deliver(completion, offset);
        if (!unfinished[offset]) {
            completion_finish(completion, offset);
        }
    }
    assert_int_equal(completion_unfinished(completion), UNFINISHED);
    Text text CLEANUP(text_clear) = TEXT_INIT(COMPLETION_TEXT_MAX);
    completion_metadata(completion, &text);
    print_message("1,000 unfinished in 100,000 offsets take %zu characters\n", text.length);
    assert_in_range(text.length, 1, COMPLETION_TEXT_MAX - 1);
    Completion *after = restore(completion);
    for (int64_t offset = 0; offset < OFFSETS; offset++) {
        assert_int_equal(deliver(after, offset),
                         unfinished[offset] ? COMPLETION_RUN : COMPLETION_FINISHED);
    }
    completion_free(completion);
    completion_free(after);
    free(unfinished);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_foreign_or_damaged_map_is_void),
        cmocka_unit_test(the_form_is_read_strictly),
        cmocka_unit_test(a_map_that_does_not_fit_is_cut_not_dropped),
        cmocka_unit_test(a_thousand_unfinished_in_100000_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
