/* Faults on demand: what goes wrong with the next calls, operations, listings or logins. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store.h"

enum { FAULTS_TEXT_BYTES = 256 };

typedef enum FaultKind {
    FAULT_STATUS,          /* an error status instead of doing anything (or after, `commit`) */
    FAULT_REPLY_LOST,      /* done, then the connection is dropped */
    FAULT_REQUEST_LOST,    /* the connection is dropped, nothing done */
    FAULT_SLOW,            /* `ms` between doing and replying */
    FAULT_SLOW_BEFORE,     /* `ms` before doing */
    FAULT_LOCKED,          /* 423 */
    FAULT_RATE_LIMITED,    /* 429, with Retry-After where retry_after is set */
    FAULT_PARTIAL_LISTING, /* projects go to unavailable_project_ids */
    FAULT_LISTING_LAG,     /* listings show changes `ms` late, `object` says of what */
    FAULT_NOT_FOUND_AFTER_CREATE, /* GET of a new thing answers 404 for `ms` */
    FAULT_OPERATION_MS,           /* operations take `ms` */
    FAULT_OPERATION_FAILS,        /* the next operations (of `action`) fail */
    FAULT_ENDPOINT_REFUSES,       /* the next logins to an endpoint are refused */
    FAULT_COMMIT_FAILS,           /* the next commits that change roles fail, once forwarded */
} FaultKind;

typedef struct Fault {
    int64_t id;
    FaultKind kind;
    char route[FAULTS_TEXT_BYTES]; /* "POST /projects", "POST *" or "*" */
    char match[FAULTS_TEXT_BYTES]; /* part of path or body; of an endpoint's id; empty: any */
    int64_t skip;                  /* how many matches pass before */
    int64_t count;                 /* how many are still to come; -1: without end */
    int64_t used;
    int64_t ms;
    int64_t until_ms; /* 0: for ever */
    int64_t retry_ms; /* of a failing operation: when it is tried again, 0: never */
    int status;
    int retry_after; /* -1: no header */
    bool html;
    bool commit;
    char code[FAULTS_TEXT_BYTES];
    char message[FAULTS_TEXT_BYTES];
    char object[FAULTS_TEXT_BYTES]; /* "branch", …; empty: every kind */
    char action[FAULTS_TEXT_BYTES];
    struct Fault *prev, *next;
} Fault;

typedef struct Faults {
    Fault *list;
    int64_t next_id;
} Faults;

/* What the faults do to one call. */
typedef struct FaultPlan {
    bool has_error;
    Fault error; /* of kind status, locked or rate_limited */
    bool request_lost;
    bool reply_lost;
    int64_t slow_before_ms;
    int64_t slow_ms;
    bool is_partial;
    Fault partial;
    const char *label; /* static; NULL: no fault */
} FaultPlan;

/* What a call is matched by. */
typedef struct FaultTarget {
    const char *route; /* "POST /projects" */
    bool takes_lock;
    const char *path;
    const char *body; /* may be NULL */
} FaultTarget;

void faults_init(Faults *faults);
void faults_free(Faults *faults);
/* Adds one fault or a list of them. False with a sentence in ret_error and nothing added of a bad
 * one. */
bool faults_add_json(Faults *faults, json_t *json, char *ret_error, size_t error_bytes);
bool faults_load(Faults *faults, const char *path, char *ret_error, size_t error_bytes);
json_t *faults_list(const Faults *faults);
/* Removes one, or all with id 0. False when there is none with that id. */
bool faults_remove(Faults *faults, int64_t id);
const char *faults_name(FaultKind kind);
const char *faults_object_name(Kind kind);

/* Counts the call against the faults it matches. */
FaultPlan faults_plan(Faults *faults, const FaultTarget *target, int64_t now_ms);
/* The fault for an operation that begins now (counted), or NULL. */
const Fault *faults_take_operation(Faults *faults, const char *action, int64_t now_ms);
/* Whether this login is to be refused (counted). */
bool faults_take_login(Faults *faults, const char *endpoint_id, int64_t now_ms);
/* Hands out a fault that makes commits fail, once; NULL when there is none. */
const Fault *faults_take_commits(Faults *faults);
/* The time an operation takes. */
int64_t faults_operation_ms(const Faults *faults, int64_t usual_ms, int64_t now_ms);
/* Sets the store's listing lags and not-found windows. */
void faults_apply_lags(const Faults *faults, Store *store, int64_t now_ms);
