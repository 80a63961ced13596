/* SCRAM verifiers as PostgreSQL keeps them:
 * https://www.postgresql.org/docs/current/catalog-pg-authid.html */
#pragma once

#include <stdbool.h>

/* Whether `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey` is of that password. */
bool verifier_matches(const char *verifier, const char *password);
