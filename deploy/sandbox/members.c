/* Who belongs to an organization: the people whose keys reach it, all of them its admins. */
#include <sodium.h>
#include <stdint.h>
#include <string.h>

#include "handlers.h"

enum { MEMBERS_CURSOR_BYTES = 128, MEMBERS_LIMIT = 500 };

/* One and the same person may have several keys; the first stands for all. */
static bool is_member(const Keys *keys, size_t i, const char *org_id)
{
    const Key *key = &keys->list[i];
    if (key->kind != KEY_PERSONAL || !keys_has_organization(key, org_id)) {
        return false;
    }
    for (size_t j = 0; j < i; j++) {
        if (keys->list[j].kind == KEY_PERSONAL &&
            strcmp(keys->list[j].account_id, key->account_id) == 0) {
            return false;
        }
    }
    return true;
}

/* A UUID made of organization and person, so that it is the same whenever it is asked for. */
static void make_id(const char *org_id, const char *account_id, char ret_id[IDS_UUID_BYTES])
{
    unsigned char hash[16];
    char text[2 * IDS_BYTES + 1];
    text_build(text, sizeof(text), "%s/%s", org_id, account_id);
    crypto_generichash(hash, sizeof(hash), (const unsigned char *)text, strlen(text), NULL, 0);
    text_build(ret_id, IDS_UUID_BYTES,
               "%02x%02x%02x%02x-%02x%02x-4%01x%02x-8%01x%02x-%02x%02x%02x%02x%02x%02x", hash[0],
               hash[1], hash[2], hash[3], hash[4], hash[5], hash[6] & 15, hash[7], hash[8] & 15,
               hash[9], hash[10], hash[11], hash[12], hash[13], hash[14], hash[15]);
}

static json_t *render_member(const char *org_id, const Key *key)
{
    char id[IDS_UUID_BYTES];
    char joined[TEXT_TIME_BYTES];
    make_id(org_id, key->account_id, id);
    text_time(key->created_ms, joined);
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", id, "user_id", key->account_id, "org_id",
                     org_id, "role", "admin", "joined_at", joined);
}

/* The organization of the call. False: replied. */
static bool check_organization(Exchange *exchange)
{
    const Key *key = exchange->key;
    bool sees = key->kind != KEY_PROJECT && keys_has_organization(key, exchange->parameters[0]);
    if (!sees) {
        exchange_fail(exchange, 404, "", "organization not found");
    }
    return sees;
}

/* All have the same address and role, so every order is that of their keys. */
void members_list(Exchange *exchange)
{
    static const char *const ORDERS[] = {"asc", "desc", NULL};
    const Keys *keys = &exchange->sandbox->keys;
    const char *org_id = exchange->parameters[0];
    int64_t limit = MEMBERS_LIMIT;
    int64_t cursor = 0;
    int order = 0;
    if (!check_organization(exchange) ||
        !exchange_query_integer(exchange, "cursor", 0, INT32_MAX, &cursor) ||
        !exchange_query_integer(exchange, "limit", 1, MEMBERS_LIMIT, &limit) ||
        !exchange_query_choice(exchange, "sort_order", ORDERS, &order)) {
        return;
    }
    json_t *list = json_array();
    size_t place = (size_t)cursor;
    for (; place < keys->count && json_array_size(list) < (size_t)limit; place++) {
        size_t i = order == 0 ? place : keys->count - 1 - place;
        if (is_member(keys, i, org_id)) {
            json_array_append_new(list, json_pack("{s:o, s:{s:s, s:b}}", "member",
                                                  render_member(org_id, &keys->list[i]), "user",
                                                  "email", "sandbox@example.com", "has_mfa", 0));
        }
    }
    json_t *reply = json_pack("{s:o}", "members", list);
    if (json_array_size(list) > 0) {
        char next[MEMBERS_CURSOR_BYTES];
        text_build(next, sizeof(next), "%zu", place);
        json_object_set_new(reply, "pagination", json_pack("{s:s}", "next", next));
    }
    exchange_reply(exchange, 200, reply);
}

void members_get(Exchange *exchange)
{
    const Keys *keys = &exchange->sandbox->keys;
    const char *org_id = exchange->parameters[0];
    if (!check_organization(exchange)) {
        return;
    }
    for (size_t i = 0; i < keys->count; i++) {
        char id[IDS_UUID_BYTES];
        make_id(org_id, keys->list[i].account_id, id);
        if (is_member(keys, i, org_id) && strcmp(id, exchange->parameters[1]) == 0) {
            exchange_reply(exchange, 200, render_member(org_id, &keys->list[i]));
            return;
        }
    }
    exchange_fail(exchange, 404, "", "organization member not found");
}
