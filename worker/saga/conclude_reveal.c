#include "saga/conclude_parts.h"

#include <string.h>

#include "base/alloc.h"
#include "contract/allocator.h"
#include "provisioning/v1/secret.pb-c.h"
#include "roles/spec.h"
#include "saga/facts.h"
#include "saga/wanted.h"

/*
 * The one event with passwords: they stand in a box that only the recipient can open. What is
 * packed into it is in memory that zeroes itself.
 */

static char *copy(const char *text)
{
    return allocator_copy(text, strlen(text));
}

// One endpoint serves all databases, so their URIs differ in the name alone.
static char *uri_for(const Saga *saga, const Secret *uri, const char *database)
{
    CLEANUP(secret_clear) Secret own = SECRET_INIT;
    neon_uri_for(secret_reveal(uri), journal_text(&saga->journal, FACT_ROLE),
                 &saga->connection.password, database, &own);
    return copy(secret_reveal(&own));
}

static Provisioning__V1__Credential *credential_of(const Saga *saga, const char *database)
{
    Provisioning__V1__Credential *credential = allocator_zeroed(sizeof *credential);
    provisioning__v1__credential__init(credential);
    credential->role = copy(journal_text(&saga->journal, FACT_ROLE));
    credential->database = copy(database);
    credential->direct_uri = uri_for(saga, &saga->connection.uri, database);
    credential->pooled_uri = uri_for(saga, &saga->connection.pooled_uri, database);
    return credential;
}

// A role made by SQL is in those databases only that it was given.
static bool is_usable(const Saga *saga, const char *database)
{
    return !journal_has(&saga->journal, FACT_BOOTSTRAP) ||
           roles_spec_may_connect(wanted_of_row(&saga->ledger->environment),
                                  journal_text(&saga->journal, FACT_ROLE), database);
}

static Provisioning__V1__Credentials *credentials_of(const Saga *saga)
{
    char *databases[ENVIRONMENT_NAMES_MAX];
    size_t count = conclude_texts(saga, FACT_DATABASES, databases, ENVIRONMENT_NAMES_MAX);
    Provisioning__V1__Credentials *credentials = allocator_zeroed(sizeof *credentials);
    provisioning__v1__credentials__init(credentials);
    credentials->credentials = allocator_zeroed(count * sizeof(Provisioning__V1__Credential *));
    for (size_t i = 0; i < count; i++) {
        if (is_usable(saga, databases[i])) {
            credentials->credentials[credentials->n_credentials++] =
                credential_of(saga, databases[i]);
        }
    }
    return credentials;
}

static void seal(const Ending *ending, const uint8_t *recipient, Buffer *ret_box)
{
    Provisioning__V1__Credentials *credentials = credentials_of(ending->saga);
    size_t size = provisioning__v1__credentials__get_packed_size(credentials);
    uint8_t *plain = allocator_zeroed(size);
    provisioning__v1__credentials__pack(credentials, plain);
    crypto_seal_box((Bytes){plain, size}, recipient, ending->context->ephemeral_key, ret_box);
    allocator_free(plain);
    allocator_free_message(&credentials->base);
}

void conclude_reveal(Ending *ending)
{
    const Command *command = ending->saga->command;
    const uint8_t *recipient = command->message->reveal_credentials->reply_public_key.data;
    char key_id[CRYPTO_KEY_ID_BYTES];
    CLEANUP(buffer_clear) Buffer box = {NULL, 0};
    seal(ending, recipient, &box);
    crypto_key_id(recipient, key_id);
    Provisioning__V1__SealedBox sealed;
    provisioning__v1__sealed_box__init(&sealed);
    sealed.box = (ProtobufCBinaryData){box.size, box.data};
    sealed.fleet_key_id = key_id;
    Provisioning__V1__CredentialsIssued issued;
    provisioning__v1__credentials_issued__init(&issued);
    issued.environment = conclude_text(command->writes.name);
    issued.sealed = &sealed;
    ending->event.body_case = PROVISIONING__V1__EVENT__BODY_CREDENTIALS_ISSUED;
    ending->event.credentials_issued = &issued;
    conclude_add_event(ending, "CredentialsIssued");
}
