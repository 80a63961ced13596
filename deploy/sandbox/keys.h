/* The API keys that are accepted, and what each may see. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "store.h"

enum {
    KEYS_TEXT_BYTES = 128,
    KEYS_NAME_BYTES = 257, /* 64 characters */
    KEYS_ORGANIZATIONS_MAX = 8,
    KEYS_MAX = 4096,
    KEYS_DIGEST_BYTES = 33,
};

typedef enum KeyKind { KEY_PERSONAL, KEY_ORGANIZATION, KEY_PROJECT } KeyKind;

typedef struct Key {
    char text[KEYS_TEXT_BYTES];
    KeyKind kind;
    char account_id[IDS_BYTES];
    char organizations[KEYS_ORGANIZATIONS_MAX][IDS_BYTES];
    int organization_count;
    char project_id[IDS_BYTES]; /* of a project-scoped key */
    int64_t id;
    char name[KEYS_NAME_BYTES];
    int64_t created_ms;
    int64_t last_used_ms; /* 0: never */
    bool is_revoked;      /* its text is gone */
    bool is_given; /* by --keys or from the start: the next start gives it again, or doesn't */
    bool is_touched;
    char digest[KEYS_DIGEST_BYTES]; /* of its text, in hex */
} Key;

/* Keys never move or go: calls under way point at theirs. */
typedef struct Keys {
    Key *list;
    size_t count;
    bool is_touched; /* what has to survive a restart changed */
} Keys;

/* The keys that `--help` names. */
void keys_init(Keys *keys);
void keys_free(Keys *keys);
/* Replaces the keys by those of a JSON file. False with a sentence in ret_error. */
bool keys_load(Keys *keys, const char *path, char *ret_error, size_t error_bytes);
/* Adds one or a list of them. False with a sentence in ret_error; the earlier ones stay. */
bool keys_add_json(Keys *keys, const json_t *json, char *ret_error, size_t error_bytes);
/* The key of an Authorization header (`Bearer …`), now used, or NULL. Compared in constant time. */
const Key *keys_find(Keys *keys, const char *authorization);
/* A new key with the owner, kind and reach of `like`, and a text and an id of its own; NULL when
 * there are too many. */
Key *keys_create(Keys *keys, const Key *like, const char *name);
/* It is refused from now on. */
void keys_revoke(Keys *keys, Key *key);
/* Takes one back from before a restart: what became of a given one that is there again, or one that
 * was made. False when there are too many. */
bool keys_take_back(Keys *keys, const Key *kept);
bool keys_has_organization(const Key *key, const char *org_id);
/* Whether the key's owner reaches the project at all (a project-scoped key: the same organization).
 */
bool keys_sees_project(const Key *key, const Project *project);
