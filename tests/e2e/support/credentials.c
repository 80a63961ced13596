#include "support/credentials.h"

#include <sodium.h>
#include <string.h>

#include "base/crypto.h"
#include "provisioning/v1/event.pb-c.h"
#include "provisioning/v1/secret.pb-c.h"
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/login.h"

Recipient credentials_recipient(void)
{
    Recipient recipient;
    uint8_t public_key[PROVISION_KEY_BYTES];
    char hex[2 * PROVISION_KEY_BYTES + 1];
    char base64[64];
    (void)crypto_box_keypair(public_key, recipient.private_key);
    (void)sodium_bin2hex(hex, sizeof(hex), recipient.private_key, PROVISION_KEY_BYTES);
    recipient.private_hex = box_text("%s", hex);
    (void)sodium_bin2hex(hex, sizeof(hex), public_key, PROVISION_KEY_BYTES);
    (void)sodium_bin2base64(base64, sizeof(base64), public_key, PROVISION_KEY_BYTES,
                            sodium_base64_VARIANT_ORIGINAL);
    recipient.public_hex = box_text("%s", hex);
    recipient.public_base64 = box_text("%s", base64);
    return recipient;
}

CredentialList credentials_open(World *world, const Recipient *recipient, const Seen *seen)
{
    CredentialList list = {.count = 0};
    Secret plain CLEANUP(secret_clear) = SECRET_INIT;
    Provisioning__V1__Event *event =
        provisioning__v1__event__unpack(NULL, seen->value.size, seen->value.data);
    assert_non_null(event);
    const ProtobufCBinaryData box = event->credentials_issued->sealed->box;
    assert_true(crypto_open_box((Bytes){box.data, box.len}, recipient->private_key, &plain, NULL));
    provisioning__v1__event__free_unpacked(event, NULL);
    Provisioning__V1__Credentials *credentials =
        provisioning__v1__credentials__unpack(NULL, plain.size, secret_bytes(&plain).data);
    assert_non_null(credentials);
    assert_true(credentials->n_credentials <= CREDENTIALS_MAX);
    for (size_t i = 0; i < credentials->n_credentials; i++) {
        const Provisioning__V1__Credential *one = credentials->credentials[i];
        list.list[list.count++] = (Credential){.role = box_text("%s", one->role),
                                               .database = box_text("%s", one->database),
                                               .direct_uri = box_text("%s", one->direct_uri),
                                               .pooled_uri = box_text("%s", one->pooled_uri)};
        world_add_secret(world, list.list[i].direct_uri);
        world_add_secret(world, list.list[i].pooled_uri);
    }
    provisioning__v1__credentials__free_unpacked(credentials, NULL);
    return list;
}

static Credential find(World *world, const Recipient *recipient, const Seen *seen,
                       const char *database)
{
    CredentialList all = credentials_open(world, recipient, seen);
    for (size_t i = 0; i < all.count; i++) {
        if (strcmp(all.list[i].database, database) == 0) {
            return all.list[i];
        }
    }
    fail_msg("no credential of database %s", database);
    return (Credential){.role = NULL};
}

#define REVEAL(target)                                                                             \
    "'revealCredentials': {'environment': '%s', 'replyPublicKey': '%s', '" target "': '%s'}"

Credential credentials_of_service(World *world, const char *application, const char *environment,
                                  const Recipient *recipient, const char *service,
                                  const char *database)
{
    return find(world, recipient,
                command_run(world, application, "CredentialsIssued", REVEAL("service"), environment,
                            recipient->public_base64, service),
                database);
}

Credential credentials_of_role(World *world, const char *application, const char *environment,
                               const Recipient *recipient, const char *role, const char *database)
{
    return find(world, recipient,
                command_run(world, application, "CredentialsIssued", REVEAL("role"), environment,
                            recipient->public_base64, role),
                database);
}

PGconn *credentials_login(World *world, const char *uri)
{
    PGconn *connection =
        PQconnectdb(box_text("%s&sslmode=verify-full&sslrootcert=%s", uri, world->box.ca_file));
    if (PQstatus(connection) == CONNECTION_OK) {
        return connection;
    }
    if (strstr(PQerrorMessage(connection), "password authentication failed") == NULL) {
        fail_msg("%s", PQerrorMessage(connection));
    }
    PQfinish(connection);
    return NULL;
}

bool credentials_work(World *world, const char *uri)
{
    PGconn *connection = credentials_login(world, uri);
    bool works = connection != NULL;
    PQfinish(connection);
    return works;
}

// postgresql://role:password@host…: what stands before '@' from one, what stands behind from the
// other.
const char *credentials_swap_host(const char *uri, const char *of_host)
{
    const char *at = strchr(uri, '@');
    const char *host = strchr(of_host, '@');
    assert_true(at != NULL && host != NULL);
    return box_text("%.*s%s", (int)(at - uri), uri, host);
}

const char *credentials_try(PGconn *connection, const char *sql)
{
    PGresult *result = PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);
    bool worked = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
    const char *state = worked ? "" : box_text("%s", PQresultErrorField(result, PG_DIAG_SQLSTATE));
    PQclear(result);
    return state;
}
