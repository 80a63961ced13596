/*
 * What every unit test of roles includes: cmocka, with the headers it asks for.
 */
#ifndef ROLES_UNIT_H
#define ROLES_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#define UNIT_COUNT(array) (sizeof(array) / sizeof((array)[0]))

// Owned by the caller. Quotes are written as apostrophes.
static inline json_t *unit_json(const char *text)
{
    char copy[4096];
    size_t size = 0;
    for (; text[size] != '\0'; size++) {
        assert_true(size + 1 < sizeof copy);
        copy[size] = text[size];
        if (text[size] == '\'') {
            copy[size] = '"';
        }
    }
    json_t *json = json_loadb(copy, size, JSON_DECODE_ANY, NULL);
    assert_non_null(json);
    return json;
}

// Frees `json`.
static inline void unit_json_equal(json_t *json, const char *expected)
{
    json_t *wanted = unit_json(expected);
    if (!json_equal(json, wanted)) {
        char *text = json_dumps(json, JSON_ENCODE_ANY);
        print_error("%s isn't %s\n", text, expected);
        free(text);
        fail();
    }
    json_decref(wanted);
    json_decref(json);
}

#endif
