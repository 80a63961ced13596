#include "base/name.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

static bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// [a-z0-9] and then up to `max - 1` of [a-z0-9] and `others`.
static bool is_plain(const char *name, const char *others, size_t max)
{
    if (!is_lower_or_digit(name[0]) || strlen(name) > max) {
        return false;
    }
    for (const char *c = name; *c != '\0'; c++) {
        if (!is_lower_or_digit(*c) && strchr(others, *c) == NULL) {
            return false;
        }
    }
    return true;
}

static bool refuse(const char *field, const char *allowed, Error *err)
{
    return error_set_field(err, ERROR_INVALID, "INVALID_NAME", field, "%s must be %s", field,
                           allowed);
}

bool name_check_application(const char *name, const char *field, Error *err)
{
    return is_plain(name, "._-", NAME_APPLICATION_BYTES - 1) ||
           refuse(field,
                  "1 to 63 characters of a-z, 0-9, '.', '_' and '-', a letter or digit first", err);
}

bool name_check_environment(const char *name, const char *field, Error *err)
{
    return is_plain(name, "._-:", NAME_ENVIRONMENT_BYTES - 1) ||
           refuse(field,
                  "1 to 63 characters of a-z, 0-9, '.', '_', '-' and ':', a letter or digit first",
                  err);
}

bool name_check_account(const char *name, const char *field, Error *err)
{
    return name_check_application(name, field, err);
}

// C0, DEL and C1.
static bool is_control(uint32_t code_point)
{
    return code_point < 0x20 || (code_point >= 0x7f && code_point <= 0x9f);
}

// Unicode's White_Space, but for the control characters.
static bool is_space(uint32_t code_point)
{
    static const uint32_t SPACES[] = {0x20, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000};
    for (size_t i = 0; i < sizeof SPACES / sizeof SPACES[0]; i++) {
        if (code_point == SPACES[i]) {
            return true;
        }
    }
    return code_point >= 0x2000 && code_point <= 0x200a;
}

typedef struct Reading {
    bool printable; // UTF-8 without control characters
    bool trimmed;   // no white space at either end
} Reading;

static Reading read_name(const char *name)
{
    Reading reading = {.printable = true, .trimmed = true};
    Bytes rest = bytes_of(name);
    bool first = true;
    bool last_is_space = false;
    while (rest.size > 0) {
        uint32_t code_point = 0;
        size_t length = utf8_next(rest, &code_point);
        if (length == 0 || is_control(code_point)) {
            reading.printable = false;
            return reading;
        }
        last_is_space = is_space(code_point);
        reading.trimmed = reading.trimmed && !(first && last_is_space);
        first = false;
        rest = (Bytes){rest.data + length, rest.size - length};
    }
    reading.trimmed = reading.trimmed && !last_is_space;
    return reading;
}

bool name_check_neon(const char *name, const char *field, Error *err)
{
    Reading reading = read_name(name);
    size_t length = strlen(name);
    return (length > 0 && length < NAME_NEON_BYTES && reading.printable && reading.trimmed) ||
           refuse(field,
                  "1 to 256 bytes of UTF-8 without control characters and without white space at "
                  "either end",
                  err);
}

bool name_check_neon_id(const char *id, const char *field, Error *err)
{
    size_t length = strlen(id);
    bool fits = length > 0 && length < NAME_NEON_ID_BYTES;
    for (const char *c = id; *c != '\0'; c++) {
        fits = fits && (is_lower_or_digit(*c) || *c == '-');
    }
    return fits || refuse(field, "a Neon id: 1 to 60 characters of a-z, 0-9 and '-'", err);
}

// What PostgreSQL takes whole: https://www.postgresql.org/docs/current/limits.html
static bool check_identifier(const char *name, const char *field, Error *err)
{
    static_assert((int)NAME_DATABASE_BYTES == (int)NAME_ROLE_BYTES, "of one kind");
    size_t length = strlen(name);
    return (length > 0 && length < NAME_DATABASE_BYTES && read_name(name).printable) ||
           refuse(field, "1 to 63 bytes of UTF-8 without control characters", err);
}

bool name_check_database(const char *name, const char *field, Error *err)
{
    static const char *const RESERVED[] = {"postgres", "template0", "template1"};
    for (size_t i = 0; i < sizeof RESERVED / sizeof RESERVED[0]; i++) {
        if (strcmp(name, RESERVED[i]) == 0) {
            return refuse(field, "another name: PostgreSQL keeps this one for itself", err);
        }
    }
    return check_identifier(name, field, err);
}

bool name_check_role(const char *name, const char *field, Error *err)
{
    return check_identifier(name, field, err);
}

bool name_check_service(const char *name, const char *field, Error *err)
{
    return check_identifier(name, field, err);
}

static bool begins_foreign_names(const char *prefix)
{
    static const char *const FOREIGN[] = {"db", "svc", "pg", "neon"};
    size_t head = strcspn(prefix, "_");
    for (size_t i = 0; i < sizeof FOREIGN / sizeof FOREIGN[0]; i++) {
        if (strlen(FOREIGN[i]) == head && strncmp(prefix, FOREIGN[i], head) == 0) {
            return true;
        }
    }
    return false;
}

bool name_check_prefix(const char *prefix, const char *field, Error *err)
{
    bool fits =
        prefix[0] >= 'a' && prefix[0] <= 'z' && is_plain(prefix, "_", NAME_PREFIX_BYTES - 1);
    return (fits && !begins_foreign_names(prefix)) ||
           refuse(field,
                  "1 to 16 characters of a-z, 0-9 and '_', a letter first, and neither db, svc, pg "
                  "nor neon before its first '_'",
                  err);
}

bool name_is_preview(const char *environment)
{
    return strncmp(environment, "pr:", 3) == 0;
}
