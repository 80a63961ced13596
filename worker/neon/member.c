#include "neon/member.h"

#include <string.h>

#include "base/instant.h"
#include "base/text.h"
#include "neon/message.h"

bool neon_member_refuse(const char *name, const char *why, Error *err)
{
    return error_set(err, ERROR_INTERNAL, "UNEXPECTED_REPLY",
                     "Neon's reply is not as its API describes it: %s %s", name, why);
}

const json_t *neon_member_get(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_null(value) ? NULL : value;
}

const json_t *neon_member_object(const json_t *object, const char *name, Error *err)
{
    const json_t *value = neon_member_get(object, name);
    if (!json_is_object(value)) {
        (void)neon_member_refuse(name, "is no object", err);
        return NULL;
    }
    return value;
}

const json_t *neon_member_array(const json_t *object, const char *name, Error *err)
{
    const json_t *value = neon_member_get(object, name);
    if (!json_is_array(value)) {
        (void)neon_member_refuse(name, "is no array", err);
        return NULL;
    }
    return value;
}

// The text, "" when it is missing, NULL when it is something else.
static const char *get_text(const json_t *object, const char *name, Error *err)
{
    const json_t *value = neon_member_get(object, name);
    if (value != NULL && !json_is_string(value)) {
        (void)neon_member_refuse(name, "is no text", err);
    }
    return value == NULL ? "" : json_string_value(value);
}

bool neon_member_text_optional(const json_t *object, const char *name, char *ret_text,
                               size_t text_bytes, Error *err)
{
    ret_text[0] = '\0';
    const char *text = get_text(object, name, err);
    if (text == NULL) {
        return false;
    }
    return text_copy(ret_text, text_bytes, text) || neon_member_refuse(name, "is too long", err);
}

bool neon_member_text(const json_t *object, const char *name, char *ret_text, size_t text_bytes,
                      Error *err)
{
    if (!neon_member_text_optional(object, name, ret_text, text_bytes, err)) {
        return false;
    }
    return ret_text[0] != '\0' || neon_member_refuse(name, "is missing", err);
}

bool neon_member_message(const json_t *object, const char *name, char *ret_text, size_t text_bytes,
                         Error *err)
{
    ret_text[0] = '\0';
    const char *text = get_text(object, name, err);
    if (text == NULL) {
        return false;
    }
    neon_message_copy(ret_text, text_bytes, text);
    return true;
}

bool neon_member_name(const json_t *object, const char *name, char *ret_name, size_t name_bytes,
                      Error *err)
{
    ret_name[0] = '\0';
    const char *text = get_text(object, name, err);
    if (text == NULL) {
        return false;
    }
    if (text[0] == '\0') {
        return neon_member_refuse(name, "is missing", err);
    }
    if (!text_copy(ret_name, name_bytes, text)) {
        ret_name[0] = '\0';
    }
    return true;
}

bool neon_member_id_optional(const json_t *object, const char *name,
                             char ret_id[NAME_NEON_ID_BYTES], Error *err)
{
    if (!neon_member_text_optional(object, name, ret_id, NAME_NEON_ID_BYTES, err)) {
        return false;
    }
    bool valid = ret_id[0] == '\0' || name_check_neon_id(ret_id, name, NULL);
    return valid || neon_member_refuse(name, "is no id", err);
}

bool neon_member_id(const json_t *object, const char *name, char ret_id[NAME_NEON_ID_BYTES],
                    Error *err)
{
    if (!neon_member_id_optional(object, name, ret_id, err)) {
        return false;
    }
    return ret_id[0] != '\0' || neon_member_refuse(name, "is missing", err);
}

bool neon_member_is_host(const char *host)
{
    size_t length =
        strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-");
    return length > 0 && host[length] == '\0' && host[0] != '-' && host[0] != '.';
}

bool neon_member_flag(const json_t *object, const char *name, bool *ret_flag, Error *err)
{
    const json_t *value = neon_member_get(object, name);
    *ret_flag = json_is_true(value);
    return value == NULL || json_is_boolean(value) ||
           neon_member_refuse(name, "is neither true nor false", err);
}

bool neon_member_integer(const json_t *object, const char *name, NeonRange range,
                         int64_t *ret_number, Error *err)
{
    const json_t *value = neon_member_get(object, name);
    *ret_number = range.missing;
    if (value == NULL) {
        bool needed = range.missing < range.first || range.missing > range.last;
        return !needed || neon_member_refuse(name, "is missing", err);
    }
    if (!json_is_integer(value)) {
        return neon_member_refuse(name, "is no whole number", err);
    }
    *ret_number = json_integer_value(value);
    return (*ret_number >= range.first && *ret_number <= range.last) ||
           neon_member_refuse(name, "is out of range", err);
}

bool neon_member_units(const json_t *object, const char *name, double *ret_units, Error *err)
{
    const json_t *value = neon_member_get(object, name);
    *ret_units = json_number_value(value);
    if (value != NULL && !json_is_number(value)) {
        return neon_member_refuse(name, "is no number", err);
    }
    return (*ret_units >= 0 && *ret_units <= 1e6) ||
           neon_member_refuse(name, "is out of range", err);
}

bool neon_member_instant(const json_t *object, const char *name, int64_t *ret_instant_ms,
                         Error *err)
{
    char text[64] = "";
    *ret_instant_ms = 0;
    if (!neon_member_text(object, name, text, sizeof text, err)) {
        return false;
    }
    return instant_parse(text, ret_instant_ms) || neon_member_refuse(name, "is no date", err);
}

bool neon_member_instant_optional(const json_t *object, const char *name, int64_t *ret_instant_ms,
                                  Error *err)
{
    *ret_instant_ms = 0;
    return neon_member_get(object, name) == NULL ||
           neon_member_instant(object, name, ret_instant_ms, err);
}
