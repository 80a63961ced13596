/* API keys over the API: a person's own, and those of an organization (which only its people may
 * make: https://neon.com/docs/manage/api-keys). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "handlers.h"

/* Who makes organizations' keys, in the form that the schema asks for. */
static const char CREATOR_ID[] = "7b0b3b5c-3d8e-4c06-9c6b-2f1d7a9e0000";

/* A set of keys: those of a person, or of an organization with its project-scoped ones. */
typedef struct KeyRing {
    const char *account_id; /* NULL: an organization's */
    const char *org_id;
} KeyRing;

static bool holds(const KeyRing *ring, const Key *key)
{
    if (key->is_revoked) {
        return false;
    }
    if (ring->account_id != NULL) {
        return key->kind == KEY_PERSONAL && strcmp(key->account_id, ring->account_id) == 0;
    }
    return key->kind != KEY_PERSONAL && keys_has_organization(key, ring->org_id);
}

static void set_times(json_t *json, const Key *key)
{
    char text[TEXT_TIME_BYTES];
    text_time(key->created_ms, text);
    json_object_set_new(json, "created_at", json_string(text));
    if (key->last_used_ms != 0) {
        text_time(key->last_used_ms, text);
        json_object_set_new(json, "last_used_at", json_string(text));
    }
}

static const char *creator_of(const Key *key)
{
    return key->kind == KEY_PERSONAL ? key->account_id : CREATOR_ID;
}

static json_t *render_key(const Key *key)
{
    json_t *json = json_pack("{s:I, s:s}", "id", (json_int_t)key->id, "name", key->name);
    set_times(json, key);
    if (key->kind == KEY_PROJECT) {
        json_object_set_new(json, "project_id", json_string(key->project_id));
    }
    return json;
}

static void reply_list(Exchange *exchange, const KeyRing *ring)
{
    const Keys *keys = &exchange->sandbox->keys;
    json_t *list = json_array();
    for (size_t i = 0; i < keys->count; i++) {
        const Key *key = &keys->list[i];
        if (holds(ring, key)) {
            json_t *json = render_key(key);
            json_object_set_new(json, "created_by",
                                json_pack("{s:s, s:s, s:s}", "id", creator_of(key), "name",
                                          "Sandbox", "image", ""));
            json_object_set_new(json, "last_used_from_addr",
                                json_string(key->last_used_ms == 0 ? "" : "127.0.0.1"));
            json_array_append_new(list, json);
        }
    }
    exchange_reply(exchange, 200, list);
}

static void reply_created(Exchange *exchange, const Key *like)
{
    const char *name = NULL;
    if (!exchange_get_string(exchange, exchange->body, "", "key_name", 0, 64, &name)) {
        return;
    }
    if (name == NULL) {
        exchange_fail_required(exchange, "", "key_name");
        return;
    }
    const Key *key = keys_create(&exchange->sandbox->keys, like, name);
    if (key == NULL) {
        exchange_fail(exchange, 422, "", "api keys limit exceeded");
        return;
    }
    json_t *json = render_key(key);
    json_object_set_new(json, "key", json_string(key->text));
    json_object_set_new(json, "created_by", json_string(creator_of(key)));
    exchange_reply(exchange, 200, json);
}

static void reply_revoked(Exchange *exchange, const KeyRing *ring, const char *id_text)
{
    char *end = NULL;
    errno = 0;
    long long id = strtoll(id_text, &end, 10);
    if (errno != 0 || end == id_text || *end != '\0') {
        exchange_fail(exchange, 400, "", "invalid request: key_id: an integer is expected");
        return;
    }
    Keys *keys = &exchange->sandbox->keys;
    for (size_t i = 0; i < keys->count; i++) {
        Key *key = &keys->list[i];
        if (key->id == id && holds(ring, key)) {
            keys_revoke(keys, key);
            json_t *json = render_key(key);
            json_object_set_new(json, "created_by", json_string(creator_of(key)));
            json_object_set_new(json, "last_used_from_addr",
                                json_string(key->last_used_ms == 0 ? "" : "127.0.0.1"));
            json_object_set_new(json, "revoked", json_true());
            exchange_reply(exchange, 200, json);
            return;
        }
    }
    exchange_fail(exchange, 404, "", "api key not found");
}

/* The caller's own ring. False: replied. */
static bool find_own(Exchange *exchange, KeyRing *ret_ring)
{
    if (exchange->key->kind != KEY_PERSONAL) {
        exchange_fail(exchange, 404, "", "not allowed for organization API keys");
        return false;
    }
    *ret_ring = (KeyRing){.account_id = exchange->key->account_id};
    return true;
}

/* The ring of {org_id}; `changes` is for people alone. False: replied. */
static bool find_of_organization(Exchange *exchange, bool changes, KeyRing *ret_ring)
{
    const Key *key = exchange->key;
    const char *org_id = exchange->parameters[0];
    if (!keys_has_organization(key, org_id) || key->kind == KEY_PROJECT) {
        exchange_fail(exchange, 404, "", "organization not found");
        return false;
    }
    if (changes && key->kind != KEY_PERSONAL) {
        exchange_fail(exchange, 404, "", "not allowed for organization API keys");
        return false;
    }
    *ret_ring = (KeyRing){.org_id = org_id};
    return true;
}

void keys_list_own(Exchange *exchange)
{
    KeyRing ring;
    if (find_own(exchange, &ring)) {
        reply_list(exchange, &ring);
    }
}

void keys_create_own(Exchange *exchange)
{
    KeyRing ring;
    if (find_own(exchange, &ring)) {
        reply_created(exchange, exchange->key);
    }
}

void keys_revoke_own(Exchange *exchange)
{
    KeyRing ring;
    if (find_own(exchange, &ring)) {
        reply_revoked(exchange, &ring, exchange->parameters[0]);
    }
}

void keys_list_of_organization(Exchange *exchange)
{
    KeyRing ring;
    if (find_of_organization(exchange, false, &ring)) {
        reply_list(exchange, &ring);
    }
}

void keys_create_of_organization(Exchange *exchange)
{
    KeyRing ring;
    const char *project_id = NULL;
    if (!find_of_organization(exchange, true, &ring) ||
        !exchange_get_string(exchange, exchange->body, "", "project_id", 1, IDS_BYTES - 1,
                             &project_id)) {
        return;
    }
    Key like = {.kind = KEY_ORGANIZATION, .organization_count = 1};
    text_build(like.account_id, sizeof(like.account_id), "%s", ring.org_id);
    text_build(like.organizations[0], IDS_BYTES, "%s", ring.org_id);
    if (project_id != NULL) {
        const Project *project = store_find_project(&exchange->sandbox->store, project_id);
        if (project == NULL || strcmp(project->org_id, ring.org_id) != 0) {
            exchange_fail(exchange, 404, "", "project not found");
            return;
        }
        like.kind = KEY_PROJECT;
        text_build(like.project_id, sizeof(like.project_id), "%s", project_id);
    }
    reply_created(exchange, &like);
}

void keys_revoke_of_organization(Exchange *exchange)
{
    KeyRing ring;
    if (find_of_organization(exchange, true, &ring)) {
        reply_revoked(exchange, &ring, exchange->parameters[1]);
    }
}
