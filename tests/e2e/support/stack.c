#include "support/stack.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/cmocka.h"
#include "support/proxy.h"
#include "support/setup.h"
#include "support/wait.h"

enum { SCRIPT_SECONDS = 120, DIR_BYTES = 64, URI_BYTES = 256, FILL_BYTES = 1024 * 1024 };

static const char SMALL_DISK[] = "size=200m,mode=755";

static struct {
    char dir[DIR_BYTES];
    int parts;
    bool is_mounted;
    Proxy *proxy;
} stack;

static const char *place(const char *name)
{
    return box_text("%s/%s", stack.dir, name);
}

static int script(const char *name, const char *first, const char *second, const char *third)
{
    const char *argv[] = {
        box_text("%s/%s", PROVISION_LOCAL, name), first, second, third, NULL, NULL, NULL};
    size_t count = third != NULL ? 4 : second != NULL ? 3 : 2;
    argv[count++] = "--dir";
    argv[count] = place(name[0] == 'k' ? "kafka" : "ledger");
    return process_run(argv, place("scripts.log"), SCRIPT_SECONDS);
}

static void read_line(const char *path, char *ret_line, size_t size)
{
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_non_null(fgets(ret_line, (int)size, file));
    (void)fclose(file);
    ret_line[strcspn(ret_line, "\n")] = '\0';
}

static void name_it(const char *variable, const char *path)
{
    char line[URI_BYTES];
    read_line(path, line, sizeof(line));
    assert_int_equal(setenv(variable, line, 1), 0);
}

static void start_ledger(void)
{
    if ((stack.parts & STACK_LEDGER_ON_SMALL_DISK) != 0) {
        assert_int_equal(mkdir(place("ledger"), 0755), 0);
        stack.is_mounted = mount("tmpfs", place("ledger"), "tmpfs", 0, SMALL_DISK) == 0;
        if (!stack.is_mounted) {
            fail_msg("a small tmpfs can't be mounted: %s", strerror(errno));
        }
    }
    assert_int_equal(script("postgres", "ledger", "start", NULL), 0);
    name_it("PROVISION_TEST_LEDGER", place("ledger/admin-uri"));
}

static void start_kafka(void)
{
    (void)unsetenv("KAFKA_BOOTSTRAP_SERVERS"); // it would be used instead
    assert_int_equal(script("kafka", "start", NULL, NULL), 0);
    name_it("PROVISION_TEST_KAFKA", place("kafka/bootstrap"));
}

void stack_begin(int parts)
{
    (void)snprintf(stack.dir, sizeof(stack.dir), "/tmp/provision-stack-XXXXXX");
    assert_non_null(mkdtemp(stack.dir));
    assert_int_equal(chmod(stack.dir, 0755), 0);
    stack.parts = parts;
    (void)atexit(stack_end);
    if ((parts & (STACK_LEDGER | STACK_LEDGER_ON_SMALL_DISK)) != 0) {
        start_ledger();
    }
    if ((parts & STACK_KAFKA) != 0) {
        start_kafka();
    }
}

static void signal_kafka(int number)
{
    char line[URI_BYTES];
    read_line(place("kafka/node1/pid"), line, sizeof(line));
    assert_int_equal(kill((pid_t)strtol(line, NULL, 10), number), 0);
}

void stack_end(void)
{
    if (stack.parts == 0) {
        return;
    }
    if (stack.proxy != NULL) {
        proxy_close(stack.proxy);
        stack.proxy = NULL;
    }
    if ((stack.parts & STACK_KAFKA) != 0) {
        signal_kafka(SIGCONT);
        (void)script("kafka", "stop", "--clean", NULL);
    }
    if ((stack.parts & (STACK_LEDGER | STACK_LEDGER_ON_SMALL_DISK)) != 0) {
        (void)unlink(place("ledger/filler"));
        (void)script("postgres", "ledger", "stop", NULL);
    }
    if (stack.is_mounted) {
        (void)umount2(place("ledger"), MNT_DETACH);
    }
    stack.parts = 0;
    const char *const argv[] = {"/bin/rm", "-rf", stack.dir, NULL};
    (void)process_run(argv, "/dev/null", SCRIPT_SECONDS);
}

void stack_stop_ledger(void)
{
    assert_int_equal(script("postgres", "ledger", "stop", NULL), 0);
}

static bool is_connected(void *context)
{
    World *world = context;
    PQreset(world->ledger);
    return PQstatus(world->ledger) == CONNECTION_OK;
}

void stack_start_ledger(World *world)
{
    assert_int_equal(script("postgres", "ledger", "start", NULL), 0);
    wait_until(is_connected, world, SCRIPT_SECONDS, "the ledger to take connections");
    PQclear(PQexec(world->ledger, "SET client_min_messages = warning"));
}

static void execute(World *world, const char *sql)
{
    PGresult *result = PQexec(world->ledger, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        fail_msg("%s: %s", sql, PQerrorMessage(world->ledger));
    }
    PQclear(result);
}

void stack_promote_ledger(World *world)
{
    stack_stop_ledger();
    int file =
        open(place("ledger/cluster/data/standby.signal"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    assert_true(file >= 0);
    (void)close(file);
    stack_start_ledger(world);
    execute(world, "SELECT pg_promote()");
}

void stack_pack_ledger(World *world)
{
    // not the catalogs: with room for the row of a temporary table there, that is made elsewhere
    execute(world, ledger_value(world, "SELECT 'VACUUM FULL ' || string_agg(format('%%I.%%I', "
                                       "schemaname, tablename), ', ') FROM pg_tables "
                                       "WHERE schemaname = 'provision'"));
}

// PostgreSQL stops when it finds no room for a checkpoint or for a further segment of WAL: both are
// there before.
static void spare_checkpoint(World *world)
{
    execute(world, "SELECT pg_switch_wal()");
    execute(world, "CHECKPOINT");
}

void stack_fill_disk(World *world)
{
    static const char BLOCK[FILL_BYTES] = "";
    spare_checkpoint(world);
    int file = open(place("ledger/filler"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    for (size_t size = sizeof(BLOCK); size > 0; size /= 2) {
        while (write(file, BLOCK, size) > 0) {
        }
        assert_int_equal(errno, ENOSPC);
    }
    close(file);
}

void stack_free_disk(void)
{
    assert_true(unlink(place("ledger/filler")) == 0 || errno == ENOENT);
}

void stack_put_temporary_elsewhere(World *world)
{
    const char *folder = place("elsewhere");
    struct stat owner;
    assert_int_equal(stat(place("ledger/cluster/data"), &owner), 0);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(chown(folder, owner.st_uid, owner.st_gid), 0);
    // with room for their rows in the catalogs, or they would not be made on a full disk either
    execute(world, "DO $$ BEGIN FOR i IN 1..200 LOOP CREATE TEMPORARY TABLE room AS SELECT 1 AS "
                   "one; DROP TABLE room; END LOOP; END $$");
    execute(world, "VACUUM (TRUNCATE false) pg_catalog.pg_class, pg_catalog.pg_attribute, "
                   "pg_catalog.pg_type, pg_catalog.pg_depend");
    execute(world, box_text("CREATE TABLESPACE elsewhere LOCATION '%s'", folder));
    execute(world, box_text("ALTER DATABASE \"%s\" SET temp_tablespaces = 'elsewhere'",
                            ledger_value(world, "SELECT current_database()")));
}

void stack_freeze_kafka(void)
{
    signal_kafka(SIGSTOP);
}

void stack_thaw_kafka(void)
{
    signal_kafka(SIGCONT);
}

void stack_stop_kafka(void)
{
    assert_int_equal(script("kafka", "stop", NULL, NULL), 0);
}

void stack_start_kafka(void)
{
    start_kafka();
}

const char *stack_slow_ledger(World *world, int delay_ms)
{
    const char *uri = world->ledger_uri;
    const char *colon = strrchr(uri, ':');
    assert_non_null(colon);
    char *rest = NULL;
    int to_port = (int)strtol(colon + 1, &rest, 10);
    stack.proxy = proxy_open("127.0.0.1", to_port);
    proxy_delay(stack.proxy, delay_ms);
    setup_write(world, "slow.uri",
                box_text("%.*s:%d%s", (int)(colon - uri), uri, proxy_port(stack.proxy), rest));
    return box_text("ledger.uri_file=%s/slow.uri", world->dir);
}
