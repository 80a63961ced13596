/*
 * The roles that an environment is to have (roles/spec.h): told by the command, or kept with the
 * environment's row, or with that of the environment it branches from. In the journal it stands
 * under FACT_ROLES_SPEC, made once.
 */
#ifndef SAGA_WANTED_H
#define SAGA_WANTED_H

#include "saga/saga.h"

// The journal's; NULL: this command has none, or is told not to log in (environments.check_login).
const json_t *wanted_spec(const Saga *saga);
// What the row keeps; NULL: its roles were never set up.
const json_t *wanted_of_row(const LedgerEnvironment *row);

// Each journals the spec. Errors: those of roles_spec_check, with the command's field, and
// LOGIN_IS_OFF.
bool wanted_set_for_create(Saga *saga, Error *err);
// From the databases that the branch has (FACT_DATABASES); none where neither the command nor the
// source has services, databases or a policy to tell of.
bool wanted_set_for_branch(Saga *saga, Error *err);
bool wanted_set_for_setup(Saga *saga, Error *err);

// The role that SQL is run with: the one that the environment was made with (`known`, may be ""),
// else one that the API has made, as far as names tell. `listed`: names of the branch's roles.
// NULL: none of them can be it.
const char *wanted_bootstrap(const Saga *saga, const json_t *listed, const char *known);

#endif
