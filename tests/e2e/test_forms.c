// The search for secrets finds what it is to find.
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/forms.h"

static const char SECRET[] = "npg_aB3/x+9 z?";

static void expect_found(const Forms *forms, const char *text, const char *form)
{
    const char *found = forms_find(forms, bytes_of(text));
    if (found == NULL || strcmp(found, form) != 0) {
        fail_msg("'%s' in '%s' is %s", form, text, found == NULL ? "overlooked" : found);
    }
}

static void clear_hex_and_url_forms_are_found_inside_of_text(void **state)
{
    (void)state;
    Forms forms;
    forms_make(SECRET, &forms);
    expect_found(&forms, "password=npg_aB3/x+9 z?; more", "clear");
    expect_found(&forms, "\\x006e70675f6142332f782b39207a3f00", "hex");
    expect_found(&forms, "6E70675F6142332F782B39207A3F", "upper-case hex");
    expect_found(&forms, "postgresql://u:npg_aB3%2Fx%2B9%20z%3F@host", "URL-encoded");
}

// Whatever stands around it: at each of the three alignments, in both alphabets.
static void base64_is_found_wherever_the_secret_begins(void **state)
{
    (void)state;
    static const struct {
        int variant;
        const char *name;
    } VARIANTS[] = {{sodium_base64_VARIANT_ORIGINAL, "base64"},
                    {sodium_base64_VARIANT_URLSAFE, "base64url"}};
    Forms forms;
    char plain[128];
    char text[256];
    // it has to show the difference between the alphabets
    forms_make("\xfb\xff\xfe~~~?>>", &forms);
    for (int before = 0; before < 9; before++) {
        int length = snprintf(plain, sizeof(plain), "%.*s%s%.*s", before, "ABCDEFGHI",
                              "\xfb\xff\xfe~~~?>>", before / 2, "tail");
        for (size_t i = 0; i < 2; i++) {
            assert_non_null(sodium_bin2base64(text, sizeof(text), (const unsigned char *)plain,
                                              (size_t)length, VARIANTS[i].variant));
            expect_found(&forms, text, VARIANTS[i].name);
        }
    }
}

static void what_only_looks_like_it_is_not_found(void **state)
{
    (void)state;
    Forms forms;
    forms_make(SECRET, &forms);
    assert_null(forms_find(&forms, bytes_of("npg_aB3/x+9 z!")));
    assert_null(forms_find(&forms, bytes_of("")));
    // without reserved characters there is no URL-encoded form of its own
    forms_make("napi_0123", &forms);
    for (size_t i = 0; i < forms.count; i++) {
        assert_string_not_equal(forms.list[i].name, "URL-encoded");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clear_hex_and_url_forms_are_found_inside_of_text),
        cmocka_unit_test(base64_is_found_wherever_the_secret_begins),
        cmocka_unit_test(what_only_looks_like_it_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
