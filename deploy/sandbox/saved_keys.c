/* API keys as rows. */
#include "saved_fields.h"
#include "saved_rows.h"

static const Field KEY[] = {
    FIELD(FIELD_TEXT, Key, text),        FIELD(FIELD_INT, Key, kind),
    FIELD(FIELD_TEXT, Key, account_id),  FIELD(FIELD_TEXT, Key, project_id),
    FIELD(FIELD_INT64, Key, id),         FIELD(FIELD_TEXT, Key, name),
    FIELD(FIELD_INT64, Key, created_ms), FIELD(FIELD_INT64, Key, last_used_ms),
    FIELD(FIELD_BOOL, Key, is_revoked),  FIELD(FIELD_BOOL, Key, is_given),
    FIELD(FIELD_TEXT, Key, digest),      {0},
};

json_t *saved_rows_write_key(const Key *key)
{
    json_t *json = json_object();
    json_t *organizations = json_array();
    saved_fields_write(json, KEY, key);
    for (int i = 0; i < key->organization_count; i++) {
        json_array_append_new(organizations, json_string(key->organizations[i]));
    }
    json_object_set_new(json, "organizations", organizations);
    return json;
}

bool saved_rows_read_key(const json_t *json, Key *ret_key)
{
    size_t i = 0;
    const json_t *id = NULL;
    bool is_valid = saved_fields_read(json, KEY, ret_key);
    json_array_foreach(json_object_get(json, "organizations"), i, id)
    {
        is_valid = is_valid && json_is_string(id) && i < KEYS_ORGANIZATIONS_MAX &&
                   text_copy(ret_key->organizations[i], IDS_BYTES, json_string_value(id));
        ret_key->organization_count = (int)i + 1;
    }
    return is_valid;
}
