/* Structs as JSON objects and back, by tables of their members. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

typedef enum FieldType {
    FIELD_TEXT, /* char[] */
    FIELD_BOOL,
    FIELD_INT, /* int and enums */
    FIELD_INT64,
    FIELD_REAL,
    FIELD_JSON, /* json_t *, owned */
} FieldType;

typedef struct Field {
    const char *name; /* NULL ends the table */
    FieldType type;
    size_t offset;
    size_t bytes;
} Field;

#define FIELD(kind, type, member)                                                                  \
    {                                                                                              \
#member, kind, offsetof(type, member), sizeof(((type *)0)->member)                         \
    }

/* Adds the members that aren't 0, false or empty. */
void saved_fields_write(json_t *json, const Field *fields, const void *thing);
/* Sets those that are there; the others stay. False when one has another type or is too long. */
bool saved_fields_read(const json_t *json, const Field *fields, void *thing);
