/*
 * What a reply of Neon's API means, and its contents as plain structs. Statuses first, codes
 * second, message texts last: codes are usually empty. A body is parsed as JSON only when its
 * content type says so (the edge in front of Neon answers in HTML, 524 for example), at most
 * NEON_REPLY_BYTES_MAX long and 32 deep.
 */
#ifndef NEON_REPLY_H
#define NEON_REPLY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/name.h"
#include "base/secret.h"
#include "neon/mark.h"
#include "neon/request.h"

enum { NEON_REPLY_BYTES_MAX = 16 * 1024 * 1024 };

typedef enum NeonMeaning {
    NEON_OK,           // 2xx, and the body of 200/201 could be read
    NEON_NOT_FOUND,    // 404 in Neon's own words; also how it masks a missing permission
    NEON_EXISTS,       // 409
    NEON_PRECONDITION, // 412: passwords are not stored
    NEON_LOCKED,       // 423: nothing was done; 422 "branch not ready yet" counts as this
    NEON_RATE_LIMITED, // 429: nothing was done
    NEON_AWAY,         // 503: nothing was done
    NEON_UNKNOWN, // no reply, other 5xx, or a 2xx that can't be read: a mutation may have happened
    NEON_DENIED,  // 401, 403
    NEON_LIMIT,   // 422 *_LIMIT_EXCEEDED: the plan doesn't allow it
    NEON_REFUSED, // 400, other 4xx: can't be right, or not allowed for this resource
} NeonMeaning;

typedef struct NeonReply {
    NeonMeaning meaning;
    int status;              // 0 = no reply
    uint32_t retry_after_ms; // from Retry-After (seconds or HTTP date), 0 = not said; at most 1 h
    char request_id[64];     // x-neon-ret-request-id, or of the error body
    char code[64];           // of the error body, often empty
    char message[320];       // of the error body, cut; or what went wrong with the reply
    json_t *body;            // owned; only of NEON_OK, NULL when there is none
} NeonReply;

// What the HTTP driver delivers; owned by it.
typedef struct NeonRawReply {
    int status;                  // 0 = no reply
    const char *content_type;    // "" = none
    const char *request_id;      // "" = none
    const char *retry_after;     // "" = none
    int64_t now_ms;              // for a Retry-After that is a date
    const char *transport_error; // "" = none; why there was no reply
    Bytes body;
} NeonRawReply;

void neon_reply_read(const NeonRawReply *raw, NeonReply *ret_reply);
void neon_reply_clear(NeonReply *reply);
// The error that ends a command: code NEON_DENIED, NEON_LIMIT (or Neon's own code), NEON_REFUSED,
// …; Neon's message and request id in the text. `what` says what was tried.
bool neon_reply_error(const NeonReply *reply, const char *what, Error *err);

// Decoders: each takes the body of a NEON_OK reply and returns false with UNEXPECTED_REPLY when a
// needed member is missing, of another type, or doesn't fit. Unknown members and unknown enum texts
// are fine. The name of a project or branch that is longer than ours may be is "", which equals no
// name that is looked for: somebody else's long name breaks no list.

typedef struct NeonAccountInfo {
    char account_id[128];
    char auth_method[32]; // api_key_user, api_key_org, …
} NeonAccountInfo;
bool neon_decode_auth(const json_t *body, NeonAccountInfo *ret_info, Error *err);

typedef struct NeonOrganization {
    char id[64];
    char name[128]; // cut when longer
} NeonOrganization;
// Fills at most `max`, returns the whole number in *ret_count.
bool neon_decode_organizations(const json_t *body, NeonOrganization *ret_list, size_t max,
                               size_t *ret_count, Error *err);
typedef struct NeonRegion {
    char id[64];
    char name[128]; // cut when longer
} NeonRegion;
// Fills at most `max`, returns the whole number in *ret_count.
bool neon_decode_regions(const json_t *body, NeonRegion *ret_list, size_t max, size_t *ret_count,
                         Error *err);
// Whether the region is in the list.
bool neon_decode_has_region(const json_t *body, const char *region_id, bool *ret_has, Error *err);

typedef struct NeonProject {
    char id[NAME_NEON_ID_BYTES];
    char name[NAME_NEON_BYTES];
    char region_id[64];
    int pg_version;
    int64_t history_retention_seconds; // -1 = not said
    int64_t created_at_ms;
} NeonProject;
bool neon_decode_project(const json_t *body, NeonProject *ret_project, Error *err); // {project}
// One element of a project list.
bool neon_decode_project_item(const json_t *item, NeonProject *ret_project, Error *err);
typedef struct NeonPage {
    const json_t *items; // array, borrowed from the body
    char cursor[512];    // of the next page; "" = this was the last one
    bool partial;        // unavailable_project_ids: the list proves nothing absent
} NeonPage;
// `cursor` is the one this page was asked with: an unchanged cursor or an empty page ends the list.
bool neon_decode_projects(const json_t *body, const char *cursor, NeonPage *ret_page, Error *err);

typedef struct NeonBranch {
    char id[NAME_NEON_ID_BYTES];
    char project_id[NAME_NEON_ID_BYTES];
    char parent_id[NAME_NEON_ID_BYTES]; // "" = root
    char name[NAME_NEON_BYTES];
    char current_state[32];
    char pending_state[32]; // "" = none
    bool is_default;
    bool is_protected;
    bool is_deleted; // only in lists with deleted ones
    int64_t created_at_ms;
    int64_t expires_ms;    // 0: never
    int64_t last_reset_ms; // 0: never was
    NeonMark mark;         // empty: not ours
} NeonBranch;
bool neon_decode_branch(const json_t *body, NeonBranch *ret_branch,
                        Error *err); // {branch, annotation?}
bool neon_decode_branches(const json_t *body, const char *cursor, NeonPage *ret_page, Error *err);
// Element `item` of a page; its mark stands in the body's annotations.
bool neon_decode_branch_item(const json_t *body, const json_t *item, NeonBranch *ret_branch,
                             Error *err);

typedef struct NeonEndpoint {
    char id[NAME_NEON_ID_BYTES];
    char branch_id[NAME_NEON_ID_BYTES];
    char host[256];
    char type[32]; // read_write, read_only
    char current_state[32];
    char pending_state[32];
    double min_cu, max_cu;
    int64_t suspend_timeout_seconds;
} NeonEndpoint;
// The read-write endpoint of a {endpoints:[…]} or {endpoint} body (list, or the reply of a
// creation); *ret_found false when there is none.
bool neon_decode_endpoints(const json_t *body, NeonEndpoint *ret_endpoint, bool *ret_found,
                           Error *err);

// The ids of {operations:[…]} as a new array of strings, owned by the caller. Never NULL on
// success.
bool neon_decode_operation_ids(const json_t *body, json_t **ret_ids, Error *err);
typedef enum NeonOperationState {
    NEON_OPERATION_RUNNING, // also an unknown status
    NEON_OPERATION_DONE,    // finished, skipped
    NEON_OPERATION_FAILING, // failed, error: Neon may try again
    NEON_OPERATION_CANCELLED,
} NeonOperationState;
typedef struct NeonOperation {
    char id[64];
    char action[64];
    char status[32];
    char error[256];
    NeonOperationState state;
    int64_t failures_count;
} NeonOperation;
bool neon_decode_operation(const json_t *body, NeonOperation *ret_operation, Error *err);

typedef struct NeonRole {
    char name[64];
    bool is_protected;
    bool no_login;
} NeonRole;
// An element of {roles:[…]}.
bool neon_decode_role_item(const json_t *item, NeonRole *ret_role, Error *err);
const json_t *neon_decode_roles(const json_t *body,
                                Error *err); // the array, borrowed; NULL on error
typedef struct NeonDatabase {
    char name[64]; // "" where it is longer than PostgreSQL's may be
    char owner[64];
} NeonDatabase;
const json_t *neon_decode_databases(const json_t *body, Error *err);
bool neon_decode_database_item(const json_t *item, NeonDatabase *ret_database, Error *err);

// {password}, or {role:{password}}; empty where there is none.
bool neon_decode_password(const json_t *body, Secret *ret_password, Error *err);

// {uri} of the connection_uri route.
bool neon_decode_uri(const json_t *body, Secret *ret_uri, Error *err);
// The parts of a postgresql:// URI (RFC 3986; percent-decoded), password apart.
typedef struct NeonUri {
    char host[256];
    char database[64];
    char role[64];
    int port; // 5432 when not said
} NeonUri;
bool neon_uri_parse(const char *uri, NeonUri *ret_uri, Secret *ret_password, Error *err);
// The same URI for another role, password and database; host, port and parameters stay. `uri`: one
// that neon_uri_parse takes.
void neon_uri_for(const char *uri, const char *role, const Secret *password, const char *database,
                  Secret *ret_uri);
// The first of {connection_uris:[…]}, as it stands there, with its pooled host; *ret_found false
// when the reply has none.
bool neon_decode_connection(const json_t *body, NeonUri *ret_uri, char *ret_pooled_host,
                            size_t pooled_host_bytes, Secret *ret_password, bool *ret_found,
                            Error *err);

#endif
