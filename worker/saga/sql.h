/*
 * What steps that work by SQL on an environment's branch share.
 */
#ifndef SAGA_SQL_H
#define SAGA_SQL_H

#include "saga/saga.h"

// The environment is there, ready, and its account connected: ENVIRONMENT_UNKNOWN,
// ENVIRONMENT_NOT_READY, ACCOUNT_UNKNOWN. Journals its ids.
bool sql_check_environment(Saga *saga, const char *field, Error *err);
// Workers log in to branches: LOGIN_IS_OFF.
bool sql_check_login(const Saga *saga, const char *field, Error *err);
// The reply of a listing of roles: names of those that can log in (FACT_API_ROLES), and the one
// that SQL is run with (FACT_ROLE).
Lesson sql_learn_roles(Saga *saga, const Answer *answer);
// EFFECT_ROLES under the journal's fence.
void sql_ask(const Saga *saga, RolesMode mode, const json_t *spec, Effect *effect);
// An EFFECT_ROLES that came to nothing: tried again as long as that may help; behind a fence that
// is newer than ours, with a newer one.
Lesson sql_learn_error(Saga *saga, const Answer *answer);

#endif
