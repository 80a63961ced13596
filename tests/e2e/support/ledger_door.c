#include "support/ledger_door.h"

#include <string.h>

#include "support/cmocka.h"
#include "support/wait.h"

enum { SECONDS = 10 };

// From another database: nobody can be shut out of the one that he stands in.
static void execute(const char *sql)
{
    PGconn *admin = PQconnectdb(world_env("PROVISION_TEST_LEDGER"));
    PGresult *result = PQexec(admin, sql);
    ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    PQfinish(admin);
    assert_true(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK);
}

static bool is_empty(void *context)
{
    World *world = context;
    return strcmp(ledger_value(world, "SELECT count(*) FROM pg_stat_activity WHERE datname = "
                                      "current_database() AND application_name LIKE "
                                      "'provision-worker%%'"),
                  "0") == 0;
}

void ledger_door_shut(World *world)
{
    execute(box_text("ALTER DATABASE \"%s\" ALLOW_CONNECTIONS false", world->name));
    execute(box_text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s' "
                     "AND application_name LIKE 'provision-worker%%'",
                     world->name));
    wait_until(is_empty, world, SECONDS, "the workers' connections to end");
}

void ledger_door_open(World *world)
{
    execute(box_text("ALTER DATABASE \"%s\" ALLOW_CONNECTIONS true", world->name));
}
