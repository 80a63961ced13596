/* The sandbox's own certificate authority. Its file goes to clients (`sslrootcert`); each cluster
 * gets a certificate for its endpoint's two host names. Issuing is possible on any thread. */
#pragma once

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

#include "spawn.h"

typedef struct Tls Tls;

/* Makes a new CA and writes DIR/ca.pem. NULL when that fails. */
Tls *tls_open(const char *dir);
void tls_free(Tls *tls);
const char *tls_ca_file(const Tls *tls);
/* Writes a certificate for the names and its key (mode 0600), both owned by `user`. */
bool tls_issue(const Tls *tls, const char *const *names, int count, const char *certificate_path,
               const char *key_path, const SpawnUser *user);
/* A server context with a certificate for the names; the caller frees it. NULL when that fails. */
SSL_CTX *tls_new_context(const Tls *tls, const char *const *names, int count);
