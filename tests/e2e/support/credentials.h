/*
 * A recipient of credentials, and logins with what it was sent.
 */
#ifndef E2E_CREDENTIALS_H
#define E2E_CREDENTIALS_H

#include "support/world.h"

typedef struct Recipient {
    uint8_t private_key[PROVISION_KEY_BYTES];
    const char *private_hex;   // a secret: for world_add_secret
    const char *public_hex;    // for reveal.recipients
    const char *public_base64; // for replyPublicKey
} Recipient;

typedef struct Credential {
    const char *role;
    const char *database;
    const char *direct_uri; // counts as a secret of the world
    const char *pooled_uri;
} Credential;

enum { CREDENTIALS_MAX = 16 };

typedef struct CredentialList {
    Credential list[CREDENTIALS_MAX];
    size_t count;
} CredentialList;

Recipient credentials_recipient(void);
// What stands in a CredentialsIssued's box; texts are kept until the program ends.
CredentialList credentials_open(World *world, const Recipient *recipient, const Seen *seen);
// RevealCredentials of a service ("orders") or, with `service` NULL, of a role; and the one of this
// database, which has to be there.
Credential credentials_of_service(World *world, const char *application, const char *environment,
                                  const Recipient *recipient, const char *service,
                                  const char *database);
Credential credentials_of_role(World *world, const char *application, const char *environment,
                               const Recipient *recipient, const char *role, const char *database);
// Logs in with a URI; NULL when the password is refused. Anything else that goes wrong fails.
PGconn *credentials_login(World *world, const char *uri);
// Whether it logs in.
bool credentials_work(World *world, const char *uri);
// The URI with the password of another one, for another's host.
const char *credentials_swap_host(const char *uri, const char *of_host);
// A statement's SQLSTATE; "" when it worked.
const char *credentials_try(PGconn *connection, const char *sql);

#endif
