#include "run/rebuild.h"

#include <inttypes.h>
#include <string.h>

#include "drive/kafka_solo.h"
#include "run/ledger_session.h"
#include "run/rebuild_write.h"

typedef struct Rebuild {
    const Settings *settings;
    PGconn *session;
    FILE *out;
    size_t counts[3]; // by RebuildResult
    size_t keys;      // accounts without one
    Error *err;
} Rebuild;

static const char IS_EMPTY[] =
    "SELECT NOT EXISTS (SELECT FROM provision.environment) "
    "AND NOT EXISTS (SELECT FROM provision.account) "
    "AND NOT EXISTS (SELECT FROM provision.command), id::text FROM provision.installation";

// A copy may be at work elsewhere: sweeps have to wait until somebody says there is none.
static const char BECOME[] =
    "UPDATE provision.installation SET id = $1::uuid, identity = NULL, confirmed_at = NULL";

// What is marked at Neon has the installation's id: an empty ledger becomes that installation.
static bool take_installation(Rebuild *rebuild, const char *installation_id)
{
    PGresult *rows CLEANUP(ledger_session_clear_at) =
        ledger_session_ask(rebuild->session, IS_EMPTY, 0, NULL, rebuild->err);
    if (rows == NULL) {
        return false;
    }
    bool is_empty = PQgetvalue(rows, 0, 0)[0] == 't';
    const char *present = PQgetvalue(rows, 0, 1);
    if (installation_id[0] == '\0') {
        (void)fprintf(rebuild->out,
                      "installation: the records don't tell it (events.source is set), so it stays "
                      "%s; where the lost ledger had another one, set it in "
                      "provision.installation first\n",
                      present);
        return true;
    }
    if (strcmp(present, installation_id) == 0) {
        return true;
    }
    if (!is_empty) {
        return error_set(rebuild->err, ERROR_CONFLICT, "INSTALLATION_MISMATCH",
                         "the topics are of installation %s, and this ledger, which isn't empty, "
                         "of %s: restore its backup, or rebuild into an empty one",
                         installation_id, present);
    }
    (void)fprintf(rebuild->out, "installation: %s, as the records tell it\n", installation_id);
    return ledger_session_do(rebuild->session, BECOME, 1, (const char *const[]){installation_id},
                             rebuild->err);
}

static void tell(Rebuild *rebuild, const char *name, const RebuildSubject *subject,
                 RebuildResult result, bool needs_key)
{
    rebuild->counts[result]++;
    rebuild->keys += needs_key ? 1 : 0;
    if (result != REBUILD_KEPT) {
        (void)fprintf(rebuild->out, "%s: %s, sequence %" PRId64 "%s%s\n", name,
                      result == REBUILD_MADE ? "not in the ledger" : "the ledger is behind",
                      subject->sequence, subject->state == NULL ? ", gone" : "",
                      needs_key ? ", needs its API key (account connect)" : "");
    }
}

static void write_one(void *context, const char *name, void *value)
{
    Rebuild *rebuild = context;
    const RebuildSubject *subject = value;
    RebuildResult result = REBUILD_KEPT;
    bool needs_key = false;
    if (rebuild->err->kind == ERROR_NONE &&
        rebuild_write(rebuild->session, subject,
                      settings_text(rebuild->settings, SETTING_ROLES_PREFIX), &result, &needs_key,
                      rebuild->err)) {
        tell(rebuild, name, subject, result, needs_key);
    }
}

static bool tell_running(const Rebuild *rebuild)
{
    PGresult *rows CLEANUP(ledger_session_clear_at) = ledger_session_ask(
        rebuild->session,
        "SELECT count(*) FROM provision.command WHERE status = 'running' AND digest IS NOT NULL", 0,
        NULL, rebuild->err);
    if (rows != NULL && strcmp(PQgetvalue(rows, 0, 0), "0") != 0) {
        (void)fprintf(rebuild->out,
                      "%s commands are unfinished in the ledger: those whose records are above the "
                      "group's offsets go on, the others never end\n",
                      PQgetvalue(rows, 0, 0));
    }
    return rows != NULL;
}

static void conclude(const Rebuild *rebuild, bool writes)
{
    (void)fprintf(
        rebuild->out,
        "%zu made, %zu brought up to date, %zu left as they are%s\n"
        "What no topic holds is not back: API keys (%zu accounts have to be connected again), "
        "passwords of roles made by SQL (set up roles, or rotate, where they are missing), and "
        "commands: one that is sent again is executed again\n",
        rebuild->counts[REBUILD_MADE], rebuild->counts[REBUILD_CHANGED],
        rebuild->counts[REBUILD_KEPT], writes ? "" : "; nothing was written: --write does",
        rebuild->keys);
}

static bool write_all(Rebuild *rebuild, const RebuildSubjects *subjects, bool writes)
{
    if (!ledger_session_do(rebuild->session, "BEGIN", 0, NULL, rebuild->err) ||
        !take_installation(rebuild, subjects->installation_id)) {
        return false;
    }
    table_each(subjects->by_name, write_one, rebuild);
    if (rebuild->err->kind != ERROR_NONE || !tell_running(rebuild) ||
        !ledger_session_do(rebuild->session, writes ? "COMMIT" : "ROLLBACK", 0, NULL,
                           rebuild->err)) {
        return false; // with the session ends its transaction
    }
    conclude(rebuild, writes);
    return true;
}

bool rebuild_run(const Settings *settings, bool writes, FILE *out, Error *err)
{
    CLEANUP(rebuild_subjects_clear) RebuildSubjects subjects = {.by_name = NULL};
    // for as long as this lasts the group is ours: no worker runs, and none begins
    CLEANUP(kafka_solo_close_at) KafkaSolo *solo = kafka_solo_open(settings, 0, err);
    if (solo == NULL || !rebuild_subjects_read(settings, &subjects, err)) {
        return false;
    }
    PGconn *session CLEANUP(ledger_session_close_at) =
        ledger_session_open(settings, "provision-worker rebuild", err);
    Rebuild rebuild = {.settings = settings, .session = session, .out = out, .err = err};
    return session != NULL && write_all(&rebuild, &subjects, writes);
}
