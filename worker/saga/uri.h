/*
 * The connection URI that Neon gives for the journal's database and role on its endpoint.
 */
#ifndef SAGA_URI_H
#define SAGA_URI_H

#include "saga/saga.h"

void uri_ask(const Saga *saga, bool pooled, Effect *effect);
// ... for another role.
void uri_ask_for(const Saga *saga, const char *role, bool pooled, Effect *effect);
// The URI, what stands in it, and its password (may be empty); writes nothing into the journal.
Lesson uri_learn(Saga *saga, const NeonReply *reply, Secret *ret_uri, NeonUri *ret_parts,
                 Secret *ret_password);

#endif
