#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/doctor.h"
#include "ctl/span.h"

enum { SERVER_OLDEST = 150000 };

static int64_t monotonic_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static PGresult *ask(Doctor *doctor, PGconn *ledger, const char *check, const char *sql)
{
    ProvisionError error;
    PGresult *rows = ledger_reader_ask(ledger, sql, 0, NULL, &error);
    if (rows == NULL) {
        checklist_fail(&doctor->list, check, &error);
    }
    return rows;
}

static void check_server(Doctor *doctor, PGconn *ledger)
{
    int version = PQserverVersion(ledger);
    if (version < SERVER_OLDEST) {
        checklist_add(&doctor->list, CHECK_FAILED, "ledger",
                      "runs on PostgreSQL %d; at least 15 is needed: upgrade it", version / 10000);
    } else {
        checklist_add(&doctor->list, CHECK_OK, "ledger", "reached; PostgreSQL %d.%d",
                      version / 10000, version % 10000);
    }
    PGresult *rows CLEANUP(ledger_reader_clear_at) =
        ask(doctor, ledger, "ledger durability", "SHOW synchronous_commit");
    if (rows == NULL) {
        return;
    }
    const char *value = PQgetvalue(rows, 0, 0);
    bool is_off = strcmp(value, "off") == 0;
    checklist_add(&doctor->list, is_off ? CHECK_FAILED : CHECK_OK, "ledger durability",
                  is_off ? "synchronous_commit is %s: an intent could be lost after its call was "
                           "made; turn it on for the ledger's role and database"
                         : "synchronous_commit is %s",
                  value);
}

static void check_clock(Doctor *doctor, PGconn *ledger)
{
    static const char CHECK[] = "clock of the ledger";
    int64_t before_ms = monotonic_ms();
    PGresult *rows CLEANUP(ledger_reader_clear_at) =
        ask(doctor, ledger, CHECK,
            "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint");
    if (rows == NULL) {
        return;
    }
    int64_t took_ms = monotonic_ms() - before_ms;
    int64_t ours_ms = span_now_ms() - took_ms / 2;
    checklist_add_clock(&doctor->list, CHECK, strtoll(PQgetvalue(rows, 0, 0), NULL, 10) - ours_ms,
                        took_ms / 2 + 1);
}

static void check_contents(Doctor *doctor, PGconn *ledger)
{
    PGresult *rows CLEANUP(ledger_reader_clear_at) =
        ask(doctor, ledger, "ledger contents",
            "SELECT (SELECT id FROM provision.installation), "
            "count(*) FILTER (WHERE status = 'running'), "
            "count(*) FILTER (WHERE status = 'finished' AND published_at IS NULL), "
            "count(*) FILTER (WHERE published_at IS NULL AND coalesce(finished_at, progress_at, "
            "claimed_at, created_at) < clock_timestamp() - interval '1 min') "
            "FROM provision.command WHERE digest IS NOT NULL " // the others are stop marks
            "AND (status = 'running' OR published_at IS NULL)");
    if (rows == NULL) {
        return;
    }
    bool has_id = !PQgetisnull(rows, 0, 0);
    checklist_add(&doctor->list, has_id ? CHECK_OK : CHECK_FAILED, "installation", "%s",
                  has_id ? PQgetvalue(rows, 0, 0)
                         : "provision.installation has no row: restore the ledger from a backup");
    const char *stuck = PQgetvalue(rows, 0, 3);
    bool is_stuck = strcmp(stuck, "0") != 0;
    checklist_add(
        &doctor->list, is_stuck ? CHECK_WARNING : CHECK_OK, "commands",
        "%s unfinished, %s finished and not published; %s without progress for a minute%s",
        PQgetvalue(rows, 0, 1), PQgetvalue(rows, 0, 2), stuck,
        is_stuck ? ": provisionctl commands --stuck names them" : "");
}

static void check_schema(Doctor *doctor, PGconn *ledger)
{
    int newest = 0;
    int needed = 0;
    int known = 0;
    ProvisionError error;
    if (!ledger_reader_versions(ledger, &newest, &needed, &known, &error)) {
        checklist_fail(&doctor->list, "ledger schema", &error);
    } else if (newest < known) {
        checklist_add(&doctor->list, CHECK_WARNING, "ledger schema",
                      "version %d, this release has %d: run provision-worker migrate before its "
                      "workers start (or set ledger.migrate = auto)",
                      newest, known);
    } else {
        checklist_add(&doctor->list, CHECK_OK, "ledger schema",
                      "version %d; programs need to know %d, this one knows %d", newest, needed,
                      known);
    }
}

void doctor_check_ledger(Doctor *doctor)
{
    if (!ledger_reader_is_given(&doctor->ledger)) {
        checklist_add(&doctor->list, CHECK_SKIPPED, "ledger",
                      "not looked at: give --ledger-uri-file, or set PROVISION_LEDGER_URI_FILE");
        return;
    }
    ProvisionError error;
    PGconn *ledger CLEANUP(ledger_reader_close_at) = ledger_reader_connect(&doctor->ledger, &error);
    if (ledger == NULL) {
        checklist_fail(&doctor->list, "ledger", &error);
        return;
    }
    check_server(doctor, ledger);
    check_clock(doctor, ledger);
    if (!ledger_reader_begin(ledger, &error)) {
        checklist_fail(&doctor->list, "ledger schema", &error);
        return;
    }
    check_schema(doctor, ledger);
    check_contents(doctor, ledger);
    doctor_check_sealed(doctor, ledger);
}
