#include "saved_fields.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "text.h"

static_assert(sizeof(FieldType) == sizeof(int), "enums are kept as int");

static const void *place(const void *thing, const Field *field)
{
    return (const char *)thing + field->offset;
}

/* NULL: nothing to write. */
static json_t *write_field(const void *thing, const Field *field)
{
    int number = 0;
    int64_t long_number = 0;
    double real = 0;
    bool truth = false;
    json_t *json = NULL;
    const void *at = place(thing, field);
    switch (field->type) {
    case FIELD_TEXT:
        return *(const char *)at == '\0' ? NULL : json_string(at);
    case FIELD_BOOL:
        memcpy(&truth, at, sizeof(truth));
        return truth ? json_true() : NULL;
    case FIELD_INT:
        memcpy(&number, at, sizeof(number));
        return number == 0 ? NULL : json_integer(number);
    case FIELD_INT64:
        memcpy(&long_number, at, sizeof(long_number));
        return long_number == 0 ? NULL : json_integer(long_number);
    case FIELD_REAL:
        memcpy(&real, at, sizeof(real));
        return json_real(real);
    case FIELD_JSON:
        memcpy(&json, at, sizeof(void *));
        return json_incref(json);
    }
    return NULL;
}

void saved_fields_write(json_t *json, const Field *fields, const void *thing)
{
    for (const Field *field = fields; field->name != NULL; field++) {
        json_t *value = write_field(thing, field);
        if (value != NULL) {
            json_object_set_new_nocheck(json, field->name, value);
        }
    }
}

static bool read_number(const json_t *value, const Field *field, void *at)
{
    if (!json_is_integer(value)) {
        return false;
    }
    int64_t long_number = json_integer_value(value);
    int number = (int)long_number;
    if (field->type == FIELD_INT64) {
        memcpy(at, &long_number, sizeof(long_number));
        return true;
    }
    memcpy(at, &number, sizeof(number));
    return number == long_number;
}

static bool read_field(const json_t *value, const Field *field, void *at)
{
    bool truth = json_is_true(value);
    double real = json_number_value(value);
    json_t *json = NULL;
    switch (field->type) {
    case FIELD_TEXT:
        return json_is_string(value) && text_copy(at, field->bytes, json_string_value(value));
    case FIELD_BOOL:
        memcpy(at, &truth, sizeof(truth));
        return json_is_boolean(value);
    case FIELD_INT:
    case FIELD_INT64:
        return read_number(value, field, at);
    case FIELD_REAL:
        memcpy(at, &real, sizeof(real));
        return json_is_number(value);
    case FIELD_JSON:
        json = json_deep_copy(value);
        memcpy(at, &json, sizeof(void *));
        return true;
    }
    return false;
}

bool saved_fields_read(const json_t *json, const Field *fields, void *thing)
{
    for (const Field *field = fields; field->name != NULL; field++) {
        const json_t *value = json_object_get(json, field->name);
        if (value != NULL && !read_field(value, field, (char *)thing + field->offset)) {
            return false;
        }
    }
    return json_is_object(json);
}
