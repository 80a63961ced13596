/*
 * What every unit test of neon includes: cmocka, and replies written with single quotes.
 */
#ifndef NEON_UNIT_H
#define NEON_UNIT_H

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/error.h"

#define UNIT_COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline void unit_free_at(json_t **value)
{
    json_decref(*value);
}

// JSON with ' for ".
static inline json_t *unit_json(const char *text)
{
    char *copy = strdup(text);
    for (char *c = copy; *c != '\0'; c++) {
        if (*c == '\'') {
            *c = '"';
        }
    }
    json_t *value = json_loads(copy, JSON_DECODE_ANY, NULL);
    free(copy);
    assert_non_null(value);
    return value;
}

// UNEXPECTED_REPLY that names the member.
static inline void unit_assert_refused(const Error *err, const char *member)
{
    assert_int_equal(err->kind, ERROR_INTERNAL);
    assert_string_equal(err->code, "UNEXPECTED_REPLY");
    if (strstr(err->text, member) == NULL) {
        print_error("%s is not named in: %s\n", member, err->text);
        fail();
    }
}

// One member of a good reply replaced (or, with NULL, removed) and the member that must be named.
typedef struct UnitChange {
    const char *member;
    const char *value;
} UnitChange;

static inline void unit_change(json_t *object, UnitChange change)
{
    if (change.value == NULL) {
        assert_int_equal(json_object_del(object, change.member), 0);
    } else {
        assert_int_equal(json_object_set_new(object, change.member, unit_json(change.value)), 0);
    }
}

#define UNIT_LONG_64 "0123456789012345678901234567890123456789012345678901234567890123"
#define UNIT_LONG_256 UNIT_LONG_64 UNIT_LONG_64 UNIT_LONG_64 UNIT_LONG_64

#endif
