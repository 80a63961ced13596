/* Identifiers and passwords in Neon's form. Randomness comes from libsodium; uniqueness is checked
 * by the store, which asks again. */
#pragma once

enum { IDS_BYTES = 64, IDS_UUID_BYTES = 37, IDS_PASSWORD_BYTES = 32, IDS_KEY_BYTES = 72 };

/* `dry-hall-87167252` */
void ids_make_project(char ret_id[IDS_BYTES]);
/* `br-spring-rice-a5g82f1f` and `ep-tiny-silence-a53n6kux`; `prefix` is "br" or "ep". */
void ids_make_resource(const char *prefix, char ret_id[IDS_BYTES]);
/* A version 4 UUID. */
void ids_make_uuid(char ret_id[IDS_UUID_BYTES]);
/* `npg_` and 20 letters and digits (119 bits). */
void ids_make_password(char ret_password[IDS_PASSWORD_BYTES]);
/* `napi_` and 60 letters and digits. */
void ids_make_key(char ret_key[IDS_KEY_BYTES]);
