#include "support/forms.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "support/cmocka.h"

static void add(Forms *forms, const char *name, const char *text)
{
    assert_true(forms->count < FORMS_MAX);
    Form *form = &forms->list[forms->count++];
    form->name = name;
    assert_true(text_copy(form->text, sizeof(form->text), text));
}

static void add_hex(Forms *forms, const char *secret)
{
    char text[FORMS_TEXT_BYTES];
    (void)sodium_bin2hex(text, sizeof(text), (const unsigned char *)secret, strlen(secret));
    add(forms, "hex", text);
    for (char *c = text; *c != '\0'; c++) {
        *c = (char)toupper(*c);
    }
    add(forms, "upper-case hex", text);
}

// Only the characters that depend on nothing but the secret.
static void add_base64(Forms *forms, const char *secret, size_t before, const char *name,
                       int variant)
{
    unsigned char bytes[FORMS_TEXT_BYTES / 2] = {0};
    char text[FORMS_TEXT_BYTES];
    size_t length = strlen(secret);
    assert_true(before + length < sizeof(bytes));
    memcpy(bytes + before, secret, length + 1);
    (void)sodium_bin2base64(text, sizeof(text), bytes, before + length, variant);
    size_t first = (before * 8 + 5) / 6;
    text[(before + length) * 8 / 6] = '\0';
    add(forms, name, text + first);
}

void forms_make(const char *secret, Forms *ret_forms)
{
    Text url CLEANUP(text_clear) = TEXT_INIT(FORMS_TEXT_BYTES - 1);
    ret_forms->count = 0;
    add(ret_forms, "clear", secret);
    add_hex(ret_forms, secret);
    text_append_url(&url, secret);
    if (strcmp(text_get(&url), secret) != 0) {
        add(ret_forms, "URL-encoded", text_get(&url));
    }
    for (size_t before = 0; before < 3; before++) {
        add_base64(ret_forms, secret, before, "base64", sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
        add_base64(ret_forms, secret, before, "base64url",
                   sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    }
}

const char *forms_find(const Forms *forms, Bytes bytes)
{
    for (size_t i = 0; i < forms->count; i++) {
        const Form *form = &forms->list[i];
        if (memmem(bytes.data, bytes.size, form->text, strlen(form->text)) != NULL) {
            return form->name;
        }
    }
    return NULL;
}
