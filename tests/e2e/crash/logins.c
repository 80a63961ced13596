#include "crash/logins.h"

#include <string.h>

#include "crash/catalog_state.h"
#include "crash/neon_state.h"
#include "crash/scenarios.h"
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/credentials.h"
#include "support/login.h"

enum { LOGINS_MAX = 32 };

#define REVEAL_ROLE                                                                                \
    "'revealCredentials': {'environment': '%s', 'replyPublicKey': '" SCENARIOS_RECIPIENT_BASE64    \
    "', 'role': '%s'}"

typedef struct Reveals {
    const char *ids[LOGINS_MAX];
    const char *roles[LOGINS_MAX];
    size_t count;
} Reveals;

// The private key of scenarios.h.
static Recipient recipient(void)
{
    Recipient recipient = {.private_hex = NULL};
    for (size_t i = 0; i < sizeof(recipient.private_key); i++) {
        recipient.private_key[i] = (uint8_t)i;
    }
    return recipient;
}

// cloud_admin, a superuser, and neon_service are Neon's own.
static const char LOGINS[] = "SELECT rolname FROM pg_roles WHERE rolcanlogin AND NOT rolsuper AND "
                             "rolname <> 'neon_service'";

// All at once, because they only read.
static void send_reveals(World *world, const char *application, const char *environment,
                         PGconn *connection, Reveals *reveals)
{
    PGresult *rows = PQexec(connection, LOGINS);
    assert_int_equal(PQresultStatus(rows), PGRES_TUPLES_OK);
    assert_in_range(PQntuples(rows), 1, LOGINS_MAX);
    for (int row = 0; row < PQntuples(rows); row++) {
        const char *role = box_text("%s", PQgetvalue(rows, row, 0));
        reveals->roles[reveals->count] = role;
        reveals->ids[reveals->count++] =
            command_send(world, application, REVEAL_ROLE, environment, role);
    }
    PQclear(rows);
}

// postgresql://ROLE:PASSWORD@…
static const char *password_of(const char *uri, const char *role)
{
    const char *before = box_text("postgresql://%s:", role);
    assert_int_equal(strncmp(uri, before, strlen(before)), 0);
    const char *password = uri + strlen(before);
    return box_text("%.*s", (int)strcspn(password, "@"), password);
}

static void expect_own(json_t *passwords, const char *uri, const char *environment,
                       const char *role)
{
    const char *password = password_of(uri, role);
    const json_t *other = json_object_get(passwords, password);
    if (other != NULL) {
        fail_msg("%s of %s has the password of %s", role, environment, json_string_value(other));
    }
    json_object_set_new(passwords, password, json_string(box_text("%s of %s", role, environment)));
}

static void expect_logins(World *world, const char *environment, const Reveals *reveals,
                          json_t *passwords)
{
    const Recipient reader = recipient();
    for (size_t i = 0; i < reveals->count; i++) {
        const Seen *seen = command_await(world, reveals->ids[i], "CredentialsIssued");
        CredentialList list = credentials_open(world, &reader, seen);
        assert_true(list.count > 0);
        assert_string_equal(list.list[0].role, reveals->roles[i]);
        if (!credentials_work(world, list.list[0].direct_uri)) {
            fail_msg("%s of %s can't log in", reveals->roles[i], environment);
        }
        expect_own(passwords, list.list[0].direct_uri, environment, reveals->roles[i]);
    }
}

static void check_project(World *world, const char *application, const json_t *project,
                          json_t *passwords)
{
    size_t i = 0;
    const json_t *branch = NULL;
    json_array_foreach(box_find(project, "branches"), i, branch)
    {
        Reveals reveals = {.count = 0};
        const char *environment = neon_state_environment(world, application, project, branch);
        PGconn *connection = catalog_state_open(world, project, branch, "postgres");
        send_reveals(world, application, environment, connection, &reveals);
        PQfinish(connection);
        expect_logins(world, environment, &reveals, passwords);
    }
}

void logins_check(World *world, const char *application)
{
    REPLY reply = sandbox_state(world);
    json_t *passwords = json_object();
    size_t i = 0;
    const json_t *project = NULL;
    json_array_foreach(box_find(reply.json, "projects"), i, project)
    {
        if (neon_state_is_of(application, project)) {
            check_project(world, application, project, passwords);
        }
    }
    assert_true(json_object_size(passwords) > 0);
    json_decref(passwords);
}
