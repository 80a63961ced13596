/*
 * What several steps record alike.
 */
#ifndef SAGA_RECORD_H
#define SAGA_RECORD_H

#include "saga/saga.h"

// Region, version, retention, name.
void record_project(Saga *saga, const NeonProject *project);
// Appends the ids of {operations} to what is waited for; a reply without them is fine.
void record_operations(Saga *saga, const json_t *body);
// Host, database, role from {connection_uris}, and the password into memory; nothing where the
// reply has none.
void record_connection(Saga *saga, const json_t *body);
// Host, port, database, role; the password into memory only.
void record_uri(Saga *saga, const NeonUri *uri, Secret *password);
void record_endpoint(Saga *saga, const NeonEndpoint *endpoint);
void record_endpoint_spec(const Provisioning__V1__EndpointSettings *settings,
                          NeonEndpointSpec *ret_spec);
// "<what> <id>" among what was undone.
void record_undone(Saga *saga, const char *what, const char *id);
// What the step deletes is known to be gone: no call of it that is still on its way matters.
void record_gone(Saga *saga, const char *step);
bool record_was_undone(const Saga *saga, const char *what, const char *id);
// Appends a text to a list of the journal unless it is there; returns whether it was new.
bool record_once(Saga *saga, const char *key, const char *text);
// Whether a list of the journal has a text; what is no text in it doesn't count.
bool record_holds(const Saga *saga, const char *key, const char *text);
bool record_has_text(const json_t *list, const char *text);
// A list of texts and nothing else.
bool record_is_text_list(const json_t *list);
// By the ledger's clock: whoever takes over may have another wall clock.
int64_t record_now_ms(const Saga *saga);
// Journals the moment.
void record_time(Saga *saga, const char *key);
// Less than listing_lag since that moment.
bool record_is_within_lag(const Saga *saga, const char *since);
// Less than listing_lag since we made or adopted it: a 404 doesn't prove it gone.
bool record_is_young(const Saga *saga);
// What is ours from here on: its age is at least known from now.
void record_adopted(Saga *saga);
// The environment's row is ours to make: false with ENVIRONMENT_EXISTS; an environment that exists
// with the same settings is noted (FACT_UNCHANGED).
bool record_check_reserved(Saga *saga, Error *err);
// The account is connected: false with ACCOUNT_UNKNOWN.
bool record_check_account(const Saga *saga, Error *err);
// Its key reaches the project: false with KEY_SCOPE, where it is kept to another one.
bool record_check_scope(const Saga *saga, const char *project_id, const char *field, Error *err);
// ... and may delete what is there ("": nothing yet): a project as a whole no key that is kept to
// one deletes, not even its own.
bool record_check_deletion(const Saga *saga, bool whole, const char *project_id, const char *field,
                           Error *err);
// The environment is there, ready, and its account connected: ENVIRONMENT_UNKNOWN,
// ENVIRONMENT_NOT_READY, ACCOUNT_UNKNOWN, KEY_SCOPE. Journals its ids.
bool record_check_ready(Saga *saga, const char *field, Error *err);
// Its expiry has passed by the ledger's clock: NOT_EXPIRED.
bool record_check_expired(const Saga *saga, const char *field, Error *err);
// Where the command is only to end what has expired: Neon says so of the branch, too, whose expiry
// somebody may have lifted or put off there: NOT_EXPIRED.
bool record_check_branch_expired(const Saga *saga, const NeonBranch *branch, Error *err);
// It isn't somebody else's: IMPORTED_READ_ONLY.
bool record_check_not_imported(const Saga *saga, const char *field, Error *err);

#endif
