#include <string.h>

#include "neon/member.h"
#include "neon/reply.h"

const json_t *neon_decode_roles(const json_t *body, Error *err)
{
    return neon_member_array(body, "roles", err);
}

// `authentication_method` is password, oauth or no_login; `no_login` is what a creation is asked
// with.
static bool read_no_login(const json_t *item, bool *ret_no_login, Error *err)
{
    char method[32] = "";
    if (!neon_member_flag(item, "no_login", ret_no_login, err) ||
        !neon_member_text_optional(item, "authentication_method", method, sizeof method, err)) {
        return false;
    }
    *ret_no_login = *ret_no_login || strcmp(method, "no_login") == 0;
    return true;
}

bool neon_decode_role_item(const json_t *item, NeonRole *ret_role, Error *err)
{
    *ret_role = (NeonRole){0};
    return neon_member_text(item, "name", ret_role->name, sizeof ret_role->name, err) &&
           neon_member_flag(item, "protected", &ret_role->is_protected, err) &&
           read_no_login(item, &ret_role->no_login, err);
}

const json_t *neon_decode_databases(const json_t *body, Error *err)
{
    return neon_member_array(body, "databases", err);
}

bool neon_decode_database_item(const json_t *item, NeonDatabase *ret_database, Error *err)
{
    *ret_database = (NeonDatabase){0};
    return neon_member_name(item, "name", ret_database->name, sizeof ret_database->name, err) &&
           neon_member_text(item, "owner_name", ret_database->owner, sizeof ret_database->owner,
                            err);
}

bool neon_decode_password(const json_t *body, Secret *ret_password, Error *err)
{
    secret_clear(ret_password);
    const json_t *role = neon_member_get(body, "role");
    const json_t *password = neon_member_get(role == NULL ? body : role, "password");
    if (password == NULL) {
        return json_is_object(body) || neon_member_refuse("the body", "is no object", err);
    }
    if (!json_is_string(password)) {
        return neon_member_refuse("password", "is no text", err);
    }
    secret_set_text(ret_password, json_string_value(password));
    return true;
}
