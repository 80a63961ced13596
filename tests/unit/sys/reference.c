#include "sys/reference.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"
#include "unit.h"

static int setup(void **state)
{
    if (scratch_setup(state) != 0) {
        return -1;
    }
    scratch_folder(state, "shop");
    scratch_folder(state, "other");
    scratch_folder(state, "shop/folder");
    scratch_write_text(state, "outside", "outside");
    scratch_write_text(state, "other/key", "of another application");
    scratch_write_text(state, "shop/key", "napi_file\n");
    scratch_write_text(state, "shop/two-lines", "a\nb\n");
    scratch_write_text(state, "shop/empty", "\n");
    scratch_write(state, "shop/nul", "a\0b", 3);
    scratch_write_text(state, "shop/.hidden", "hidden");
    scratch_write_text(state, "shop/env",
                       "# keys of the shop\n"
                       "\n"
                       "NEON_KEY=napi_env\r\n"
                       "NEON_KEY=second\n"
                       "EQUALS=a=b\n"
                       "BLANK=\n"
                       "LONGER_NAME=x\n"
                       " INDENTED=x\n"
                       "LAST=end");
    static char large[REFERENCE_SECRET_BYTES + 1];
    memset(large, 'x', sizeof large);
    scratch_write(state, "shop/large", large, sizeof large);
    scratch_write(state, "shop/largest", large, sizeof large - 1);
    return symlink("../other/key", scratch_path(state, "shop/link")) != 0 ||
           symlink("other", scratch_path(state, "linked")) != 0 ||
           mkfifo(scratch_path(state, "shop/fifo"), 0600) != 0;
}

typedef struct Case {
    const char *application;
    const char *reference;
    const char *value; // NULL: refused
    const char *code;
} Case;

static const Case CASES[] = {
    {"shop", "file:key", "napi_file", ""},
    {"shop", "file:two-lines", "a\nb", ""},
    {"shop", "env:NEON_KEY", "napi_env", ""},
    {"shop", "env:EQUALS", "a=b", ""},
    {"shop", "env:LAST", "end", ""},
    {"shop", "env:LONGER", NULL, "REFERENCE_NOT_FOUND"},
    {"shop", "env:INDENTED", NULL, "REFERENCE_NOT_FOUND"},
    {"shop", "env:NOBODY", NULL, "REFERENCE_NOT_FOUND"},
    {"shop", "env:BLANK", NULL, "REFERENCE_INVALID"},
    {"other", "env:NEON_KEY", NULL, "REFERENCE_NOT_FOUND"},
    {"nobody", "env:NEON_KEY", NULL, "REFERENCE_NOT_FOUND"},
    {"nobody", "file:key", NULL, "REFERENCE_NOT_FOUND"},
    {"shop", "file:nobody", NULL, "REFERENCE_NOT_FOUND"},
    {"linked", "file:key", NULL, "REFERENCE_NOT_FOUND"},
    {"shop", "file:link", NULL, "REFERENCE_INVALID"},
    {"shop", "file:fifo", NULL, "REFERENCE_INVALID"},
    {"shop", "file:folder", NULL, "REFERENCE_INVALID"},
    {"shop", "file:empty", NULL, "REFERENCE_INVALID"},
    {"shop", "file:nul", NULL, "REFERENCE_INVALID"},
    {"shop", "file:large", NULL, "REFERENCE_INVALID"},
    {"shop", "file:.hidden", NULL, "REFERENCE_INVALID"},
    {"shop", "file:..", NULL, "REFERENCE_INVALID"},
    {"shop", "file:../other/key", NULL, "REFERENCE_INVALID"},
    {"shop", "file:/etc/passwd", NULL, "REFERENCE_INVALID"},
    {"shop", "file:folder/key", NULL, "REFERENCE_INVALID"},
    {"shop", "file:", NULL, "REFERENCE_INVALID"},
    {"shop", "file", NULL, "REFERENCE_INVALID"},
    {"shop", "key", NULL, "REFERENCE_INVALID"},
    {"shop", "env:", NULL, "REFERENCE_INVALID"},
    {"shop", "env:A=B", NULL, "REFERENCE_INVALID"},
    {"shop", "vault:key", NULL, "REFERENCE_INVALID"},
    {"shop", "", NULL, "REFERENCE_INVALID"},
    {"..", "file:outside", NULL, "INVALID_NAME"},
    {"../other", "file:key", NULL, "INVALID_NAME"},
    {"", "file:outside", NULL, "INVALID_NAME"},
};

static void an_application_reaches_what_lies_in_its_own_folder(void **state)
{
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        const Case *c = &CASES[i];
        Secret secret = SECRET_INIT;
        Error err = ERROR_INIT;
        bool resolved = reference_resolve(*state, c->application, c->reference, &secret, &err);
        if (resolved != (c->value != NULL)) {
            print_error("%s %s\n", c->application, c->reference);
        }
        assert_int_equal(resolved, c->value != NULL);
        assert_string_equal(secret_reveal(&secret), c->value == NULL ? "" : c->value);
        assert_string_equal(err.code, c->code);
        assert_int_equal(err.kind, resolved ? ERROR_NONE : ERROR_INVALID);
        secret_clear(&secret);
    }
}

static void a_name_has_64_characters_and_a_secret_64_kib(void **state)
{
    char reference[5 + 65 + 1] = "file:";
    Secret secret = SECRET_INIT;
    Error err = ERROR_INIT;
    memset(reference + 5, 'n', 65);
    assert_false(reference_resolve(*state, "shop", reference, &secret, &err));
    assert_string_equal(err.code, "REFERENCE_INVALID");
    reference[5 + 64] = '\0';
    assert_false(reference_resolve(*state, "shop", reference, &secret, &err));
    assert_string_equal(err.code, "REFERENCE_NOT_FOUND");
    assert_true(reference_resolve(*state, "shop", "file:largest", &secret, &err));
    assert_int_equal(secret.size, REFERENCE_SECRET_BYTES);
    secret_clear(&secret);
}

static void without_a_root_references_are_off(void **state)
{
    (void)state;
    Secret secret = SECRET_INIT;
    Error err = ERROR_INIT;
    assert_false(reference_resolve("", "shop", "file:key", &secret, &err));
    assert_string_equal(err.code, "REFERENCE_INVALID");
    assert_non_null(strstr(err.text, "secrets.references_root"));
    assert_false(reference_resolve("/nowhere/at/all", "shop", "file:key", &secret, &err));
    assert_string_equal(err.code, "REFERENCE_NOT_FOUND");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_application_reaches_what_lies_in_its_own_folder),
        cmocka_unit_test(a_name_has_64_characters_and_a_secret_64_kib),
        cmocka_unit_test(without_a_root_references_are_off),
    };
    return cmocka_run_group_tests(tests, setup, scratch_teardown);
}
