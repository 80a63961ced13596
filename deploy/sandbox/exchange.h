/* One call of the API as its handler sees it: who asks, for what, with which body, and the reply.
 * The readers below answer 400 themselves; a handler that gets false returns at once. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox.h"

enum { EXCHANGE_QUERY_MAX = 32, EXCHANGE_REQUEST_ID_BYTES = 128, EXCHANGE_PARAMETERS_MAX = 4 };

typedef struct Route Route; /* routes.h */

typedef struct QueryArgument {
    char *name;
    char *value;
} QueryArgument;

typedef struct Exchange {
    Sandbox *sandbox;
    const Route *route;
    const Key *key; /* NULL on the routes of /sandbox */
    char request_id[EXCHANGE_REQUEST_ID_BYTES];
    int64_t now_ms;
    char *parameters[EXCHANGE_PARAMETERS_MAX]; /* what stood for each {…} of the pattern, decoded */
    QueryArgument query[EXCHANGE_QUERY_MAX];
    int query_count;
    json_t *body; /* an object; empty when none was sent */
    const Fault *partial_listing;
    Project *project; /* of {project_id} */
    Branch *branch;   /* of {branch_id}; NULL where the route allows its absence */
    int status;
    json_t *prepared; /* owned; what was read from clusters for a ROUTE_SCHEMA */
    void (*prepare_done)(void *argument); /* what goes on once it is read */
    void *prepare_argument;
    json_t *reply; /* owned; NULL: no body */
} Exchange;

/* Sets the reply; takes `reply`. */
void exchange_reply(Exchange *exchange, int status, json_t *reply);
/* Sets an error in Neon's shape {request_id, code, message}. */
void exchange_fail(Exchange *exchange, int status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* A query argument or NULL. */
const char *exchange_query(const Exchange *exchange, const char *name);
/* Leave *ret as it is when the argument is absent. */
bool exchange_query_integer(Exchange *exchange, const char *name, int64_t least, int64_t most,
                            int64_t *ret);
bool exchange_query_boolean(Exchange *exchange, const char *name, bool *ret);
/* One of `choices` (NULL-terminated); *ret becomes its index. */
bool exchange_query_choice(Exchange *exchange, const char *name, const char *const *choices,
                           int *ret);

/* Members of a JSON object. An absent member leaves *ret as it is; a wrong type, null too, answers
 * 400. `object` may be NULL (then everything is absent); `path` names it in the error ("project").
 */
bool exchange_get_object(Exchange *exchange, const json_t *object, const char *path,
                         const char *name, json_t **ret);
bool exchange_get_array(Exchange *exchange, const json_t *object, const char *path,
                        const char *name, json_t **ret);
/* Refuses strings outside `least`..`most` characters. The text stays the body's. */
bool exchange_get_string(Exchange *exchange, const json_t *object, const char *path,
                         const char *name, size_t least, size_t most, const char **ret);
/* The name of a role or database: 1 to 63 bytes, PostgreSQL's limit. */
bool exchange_get_sql_name(Exchange *exchange, const json_t *object, const char *path,
                           const char *name, const char **ret);
bool exchange_get_integer(Exchange *exchange, const json_t *object, const char *path,
                          const char *name, int64_t least, int64_t most, int64_t *ret);
bool exchange_get_number(Exchange *exchange, const json_t *object, const char *path,
                         const char *name, double least, double *ret);
/* An object of at most `most` members, all of them strings. */
bool exchange_get_texts(Exchange *exchange, const json_t *object, const char *path,
                        const char *name, size_t most, json_t **ret);
bool exchange_get_boolean(Exchange *exchange, const json_t *object, const char *path,
                          const char *name, bool *ret);
/* The object that the whole body is about ({"branch": {…}}); 400 without it. */
bool exchange_get_subject(Exchange *exchange, const char *name, json_t **ret);
/* Answers 400 `… (field required)`. */
void exchange_fail_required(Exchange *exchange, const char *path, const char *name);
