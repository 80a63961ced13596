#include "roles/names.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/text.h"
#include "base/utf8.h"

enum {
    NAME_BYTES_MAX = ROLES_NAME_BYTES - 1,
    DATABASE_BUDGET_BYTES = NAME_BYTES_MAX - 10, // "db_" and "_reader", "_writer" or "_admin"
    SERVICE_BUDGET_BYTES = NAME_BYTES_MAX - 4,   // "svc_"
    HASH_RAW_BYTES = 8,
    HASH_DIGITS = 2 * HASH_RAW_BYTES,
};

static const char *const LEVELS[] = {"reader", "writer", "admin"};

const char *roles_level_name(RolesLevel level)
{
    return LEVELS[level];
}

// What a name that was replaced ends in.
static bool ends_in_hash(const char *name)
{
    size_t size = strlen(name);
    if (size < HASH_DIGITS + 1 || name[size - HASH_DIGITS - 1] != '_') {
        return false;
    }
    return strspn(name + size - HASH_DIGITS, "0123456789abcdef") == HASH_DIGITS;
}

// Appends the name, or what replaces it where it takes more than `budget_bytes`.
static void append_base(Text *text, const char *name, size_t budget_bytes)
{
    Bytes bytes = bytes_of(name);
    assert(bytes.size >= 1 && bytes.size <= NAME_BYTES_MAX);
    if (bytes.size <= budget_bytes && !ends_in_hash(name)) {
        text_append(text, name);
        return;
    }
    uint8_t digest[CRYPTO_SHA256_BYTES];
    crypto_sha256(&bytes, 1, digest);
    size_t room = budget_bytes - HASH_DIGITS - 1;
    Bytes head = {bytes.data, bytes.size < room ? bytes.size : room};
    text_append_bytes(text, name, utf8_whole_bytes(head));
    text_append_char(text, '_');
    crypto_hex_append(text, (Bytes){digest, HASH_RAW_BYTES});
}

static void finish(Text *text, char ret_role[ROLES_NAME_BYTES])
{
    bool fits = text_ok(text) && text_copy(ret_role, ROLES_NAME_BYTES, text_get(text));
    assert(fits);
    (void)fits;
    text_clear(text);
}

void roles_name_database(const char *database, RolesLevel level, char ret_role[ROLES_NAME_BYTES])
{
    Text text = TEXT_INIT(NAME_BYTES_MAX);
    text_append(&text, "db_");
    append_base(&text, database, DATABASE_BUDGET_BYTES);
    text_printf(&text, "_%s", LEVELS[level]);
    finish(&text, ret_role);
}

void roles_name_service(const char *service, char ret_role[ROLES_NAME_BYTES])
{
    Text text = TEXT_INIT(NAME_BYTES_MAX);
    text_append(&text, "svc_");
    append_base(&text, service, SERVICE_BUDGET_BYTES);
    finish(&text, ret_role);
}

void roles_name_global(const char *prefix, RolesLevel level, char ret_role[ROLES_NAME_BYTES])
{
    (void)snprintf(ret_role, ROLES_NAME_BYTES, "%s_%s", prefix, LEVELS[level]);
}

void roles_name_platform(const char *prefix, char ret_role[ROLES_NAME_BYTES])
{
    (void)snprintf(ret_role, ROLES_NAME_BYTES, "%s_platform", prefix);
}

bool roles_check_name(const char *name, const char *field, Error *err)
{
    Bytes bytes = bytes_of(name);
    return (bytes.size >= 1 && bytes.size <= NAME_BYTES_MAX && utf8_is_valid(bytes)) ||
           error_set_field(err, ERROR_INVALID, "INVALID_NAME", field,
                           "%s must be 1 to %d bytes of UTF-8", field, NAME_BYTES_MAX);
}

static bool is_global(const char *prefix, const char *role)
{
    char name[ROLES_NAME_BYTES];
    for (RolesLevel level = ROLES_READER; level <= ROLES_ADMIN; level++) {
        roles_name_global(prefix, level, name);
        if (strcmp(role, name) == 0) {
            return true;
        }
    }
    roles_name_platform(prefix, name);
    return strcmp(role, name) == 0;
}

static bool ends_in_level(const char *role)
{
    const char *end = strrchr(role, '_');
    for (size_t i = 0; i < sizeof LEVELS / sizeof LEVELS[0]; i++) {
        if (strcmp(end + 1, LEVELS[i]) == 0) {
            return true;
        }
    }
    return false;
}

bool roles_is_reserved(const char *prefix, const char *role)
{
    return is_global(prefix, role) || strncmp(role, "svc_", 4) == 0 ||
           (strncmp(role, "db_", 3) == 0 && ends_in_level(role));
}
