#include "ledger/schema.h"

#include <string.h>

#include "base/crypto.h"
#include "rows.h"

static void migrations_are_numbered_from_one_without_gaps(void **state)
{
    (void)state;
    size_t count;
    const SchemaMigration *migrations = schema_migrations(&count);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(migrations[i].version, i + 1);
        assert_in_range(migrations[i].runs_with, 1, i + 1);
    }
    assert_string_equal(migrations[0].name, "initial");
    assert_string_equal(migrations[1].name, "progress");
    // workers of the version before still run with it
    assert_int_equal(migrations[1].runs_with, 1);
    assert_int_equal(schema_newest(), count);
    assert_in_range(schema_oldest(), 1, count);
}

// A program on an older schema would fail with its first statement that names them, not at its
// start.
static void what_statements_name_is_in_the_oldest_schema(void **state)
{
    static const char *const NAMES[] = {"waiting_for", "fence", "provision.condemned",
                                        "provision.identity()", "swept_at"};
    (void)state;
    size_t count;
    const SchemaMigration *migrations = schema_migrations(&count);
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        int version = 0;
        for (size_t j = count; j > 0; j--) {
            version = strstr(migrations[j - 1].sql, NAMES[i]) != NULL ? (int)j : version;
        }
        assert_in_range(version, 1, schema_oldest());
    }
}

static void a_checksum_is_that_of_the_text(void **state)
{
    (void)state;
    size_t count;
    const SchemaMigration *migrations = schema_migrations(&count);
    for (size_t i = 0; i < count; i++) {
        Bytes text = bytes_of(migrations[i].sql);
        uint8_t digest[CRYPTO_SHA256_BYTES];
        Text hex = TEXT_INIT(128);
        crypto_sha256(&text, 1, digest);
        crypto_hex_append(&hex, (Bytes){digest, sizeof(digest)});
        assert_string_equal(text_get(&hex), migrations[i].checksum);
        text_clear(&hex);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(migrations_are_numbered_from_one_without_gaps),
        cmocka_unit_test(what_statements_name_is_in_the_oldest_schema),
        cmocka_unit_test(a_checksum_is_that_of_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
