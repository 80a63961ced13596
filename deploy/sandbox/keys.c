#include "keys.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const Key DEFAULT_KEYS[] = {
    {.text = "sandbox-org-key",
     .kind = KEY_ORGANIZATION,
     .account_id = "org-sandbox-one",
     .organizations = {"org-sandbox-one"},
     .organization_count = 1},
    {.text = "sandbox-other-key",
     .kind = KEY_ORGANIZATION,
     .account_id = "org-sandbox-two",
     .organizations = {"org-sandbox-two"},
     .organization_count = 1},
    {.text = "sandbox-personal-key",
     .kind = KEY_PERSONAL,
     .account_id = "7b0b3b5c-3d8e-4c06-9c6b-2f1d7a9e0001",
     .organizations = {"org-sandbox-one", "org-sandbox-two"},
     .organization_count = 2},
    {.text = "sandbox-solo-key",
     .kind = KEY_PERSONAL,
     .account_id = "7b0b3b5c-3d8e-4c06-9c6b-2f1d7a9e0002",
     .organizations = {"org-sandbox-solo"},
     .organization_count = 1},
};

enum { KEYS_FIRST_ID = 165432 };

static void digest_text(Key *key)
{
    unsigned char digest[crypto_generichash_BYTES_MIN];
    crypto_generichash(digest, sizeof(digest), (const unsigned char *)key->text, strlen(key->text),
                       NULL, 0);
    sodium_bin2hex(key->digest, sizeof(key->digest), digest, sizeof(digest));
}

static void touch(Keys *keys, Key *key)
{
    key->is_touched = true;
    keys->is_touched = true;
}

static int64_t next_id(const Keys *keys)
{
    int64_t id = KEYS_FIRST_ID;
    for (size_t i = 0; i < keys->count; i++) {
        id = keys->list[i].id > id ? keys->list[i].id : id;
    }
    return id + 1;
}

static Key *add_key(Keys *keys, const Key *like)
{
    if (keys->list == NULL) {
        keys->list = calloc(KEYS_MAX, sizeof(*keys->list));
    }
    if (keys->list == NULL) {
        abort();
    }
    if (keys->count == KEYS_MAX) {
        return NULL;
    }
    int64_t id = next_id(keys);
    Key *key = &keys->list[keys->count++];
    *key = *like;
    key->id = id;
    key->created_ms = text_now_ms();
    key->last_used_ms = 0;
    key->is_given = false;
    digest_text(key);
    touch(keys, key);
    if (key->name[0] == '\0') {
        text_build(key->name, sizeof(key->name), "sandbox key %zu", keys->count);
    }
    return key;
}

static void note_given(Keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        keys->list[i].is_given = true;
        keys->list[i].is_touched = false;
    }
    keys->is_touched = false;
}

void keys_init(Keys *keys)
{
    *keys = (Keys){0};
    for (size_t i = 0; i < sizeof(DEFAULT_KEYS) / sizeof(DEFAULT_KEYS[0]); i++) {
        add_key(keys, &DEFAULT_KEYS[i]);
    }
    note_given(keys);
}

void keys_free(Keys *keys)
{
    if (keys->list != NULL) {
        sodium_memzero(keys->list, KEYS_MAX * sizeof(*keys->list));
    }
    free(keys->list);
    *keys = (Keys){0};
}

static bool read_kind(const char *text, KeyKind *ret_kind)
{
    static const char *const NAMES[] = {"personal", "organization", "project"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(text, NAMES[i]) == 0) {
            *ret_kind = (KeyKind)i;
            return true;
        }
    }
    return false;
}

static bool read_organizations(const json_t *list, Key *key)
{
    size_t i = 0;
    const json_t *item = NULL;
    json_array_foreach(list, i, item)
    {
        const char *id = json_string_value(item);
        if (id == NULL || key->organization_count == KEYS_ORGANIZATIONS_MAX ||
            !text_copy(key->organizations[key->organization_count++], IDS_BYTES, id)) {
            return false;
        }
    }
    return key->organization_count > 0;
}

static const char *read_key(json_t *json, Key *key)
{
    const char *text = NULL;
    const char *kind = NULL;
    const char *account = "sandbox-account";
    const char *project = "";
    json_t *organizations = NULL;
    if (json_unpack(json, "{s:s, s:s, s?s, s?s, s:o}", "key", &text, "kind", &kind, "account_id",
                    &account, "project_id", &project, "organizations", &organizations) != 0) {
        return "a key is {key, kind, account_id, organizations, project_id}";
    }
    if (!read_kind(kind, &key->kind)) {
        return "a key's kind is personal, organization or project";
    }
    if (!text_copy(key->text, sizeof(key->text), text) || strlen(text) == 0 ||
        !text_copy(key->account_id, sizeof(key->account_id), account) ||
        !text_copy(key->project_id, sizeof(key->project_id), project)) {
        return "a key, its account_id or its project_id is empty or too long";
    }
    if (!read_organizations(organizations, key)) {
        return "a key's organizations are a list of 1 to 8 ids";
    }
    if ((key->kind == KEY_PROJECT) != (project[0] != '\0')) {
        return "a project key, and no other, has a project_id";
    }
    return NULL;
}

static bool add_one(Keys *keys, json_t *json, char *ret_error, size_t error_bytes)
{
    Key key = {0};
    const char *error = read_key(json, &key);
    if (error == NULL && add_key(keys, &key) == NULL) {
        error = "there are too many keys";
    }
    if (error != NULL) {
        text_build(ret_error, error_bytes, "%s", error);
    }
    sodium_memzero(&key, sizeof(key));
    return error == NULL;
}

bool keys_add_json(Keys *keys, const json_t *json, char *ret_error, size_t error_bytes)
{
    if (!json_is_array(json)) {
        json_t *copy = json_deep_copy(json);
        bool added = add_one(keys, copy, ret_error, error_bytes);
        json_decref(copy);
        return added;
    }
    for (size_t i = 0; i < json_array_size(json); i++) {
        if (!add_one(keys, json_array_get(json, i), ret_error, error_bytes)) {
            return false;
        }
    }
    return true;
}

bool keys_load(Keys *keys, const char *path, char *ret_error, size_t error_bytes)
{
    json_error_t error;
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (json == NULL) {
        text_format(ret_error, error_bytes, "line %d: %s", error.line, error.text);
        return false;
    }
    keys_free(keys);
    bool loaded = keys_add_json(keys, json, ret_error, error_bytes);
    json_decref(json);
    note_given(keys);
    return loaded;
}

const Key *keys_find(Keys *keys, const char *authorization)
{
    static const char SCHEME[] = "Bearer ";
    if (authorization == NULL || strncasecmp(authorization, SCHEME, sizeof(SCHEME) - 1) != 0) {
        return NULL;
    }
    const char *text = authorization + sizeof(SCHEME) - 1;
    size_t length = strlen(text);
    for (size_t i = 0; i < keys->count; i++) {
        Key *key = &keys->list[i];
        if (!key->is_revoked && strlen(key->text) == length &&
            sodium_memcmp(key->text, text, length) == 0) {
            key->last_used_ms = text_now_ms();
            return key;
        }
    }
    return NULL;
}

Key *keys_create(Keys *keys, const Key *like, const char *name)
{
    Key key = *like;
    ids_make_key(key.text);
    text_build(key.name, sizeof(key.name), "%s", name);
    Key *made = add_key(keys, &key);
    sodium_memzero(&key, sizeof(key));
    return made;
}

void keys_revoke(Keys *keys, Key *key)
{
    key->is_revoked = true;
    sodium_memzero(key->text, sizeof(key->text));
    touch(keys, key);
}

bool keys_take_back(Keys *keys, const Key *kept)
{
    for (size_t i = 0; i < keys->count; i++) {
        Key *key = &keys->list[i];
        if (key->is_given && strcmp(key->digest, kept->digest) == 0) {
            key->is_revoked = kept->is_revoked;
            key->created_ms = kept->created_ms;
            return true;
        }
    }
    if (kept->is_given) {
        return true;
    }
    if (keys->list == NULL || keys->count == KEYS_MAX) {
        return false;
    }
    keys->list[keys->count++] = *kept;
    return true;
}

bool keys_has_organization(const Key *key, const char *org_id)
{
    for (int i = 0; i < key->organization_count; i++) {
        if (strcmp(key->organizations[i], org_id) == 0) {
            return true;
        }
    }
    return false;
}

bool keys_sees_project(const Key *key, const Project *project)
{
    return keys_has_organization(key, project->org_id);
}
