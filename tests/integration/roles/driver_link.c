#include "driver_link.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { SQLSTATE_LENGTH = 5 };
static const char SESSION_OPTIONS[] = ROLES_TALK_OPTIONS;

// libpq 15 tells the SQLSTATE of a refused login only within a verbose message:
// "FATAL:  28P01: password authentication failed".
static void explain(PGconn *conn, Error *err)
{
    const char *message = PQerrorMessage(conn);
    const char *at = strstr(message, "FATAL:  ");
    char code[SQLSTATE_LENGTH + 1] = "";
    if (at != NULL && strlen(at) > strlen("FATAL:  ") + SQLSTATE_LENGTH) {
        memcpy(code, at + strlen("FATAL:  "), SQLSTATE_LENGTH);
    }
    ErrorKind kind = code[0] == '2' && code[1] == '8' ? ERROR_DENIED : ERROR_UNAVAILABLE;
    error_set(err, kind, code[0] != '\0' ? code : "CONNECT_FAILED", "%.*s",
              (int)strcspn(message, "\n"), message);
}

static void lost(Link *link)
{
    const char *message = PQerrorMessage(link->conn);
    error_set(&link->err, ERROR_UNAVAILABLE, "CONNECTION_LOST", "%.*s", (int)strcspn(message, "\n"),
              message);
}

void link_open(Link *link, const RolesDriverTarget *target, RolesSession *session)
{
    const char *const keywords[] = {"host",        "port",    "user",    "password",
                                    "dbname",      "sslmode", "options", "application_name",
                                    "sslrootcert", NULL};
    const char *const values[] = {
        target->host,    target->port,    target->user,   target->password, session->database,
        target->sslmode, SESSION_OPTIONS, "roles-driver", target->ca_file,  NULL};
    link->session = session;
    link->err = ERROR_INIT;
    link->state = LINK_CONNECTS;
    link->polling = PGRES_POLLING_WRITING;
    link->waits++;
    link->conn = PQconnectStartParams(keywords, values, 0);
    PQsetErrorVerbosity(link->conn, PQERRORS_VERBOSE);
    if (PQstatus(link->conn) == CONNECTION_BAD) {
        link->polling = PGRES_POLLING_FAILED;
    }
}

void link_forget(Link *link)
{
    for (int i = 0; i < link->result_count; i++) {
        PQclear(link->results[i]);
    }
    free(link->results);
    link->results = NULL;
    link->result_count = 0;
}

void link_close(Link *link)
{
    link_forget(link);
    PQfinish(link->conn);
    link->conn = NULL;
    link->session = NULL;
    link->state = LINK_CLOSED;
}

static void flush(Link *link)
{
    int left = PQflush(link->conn);
    link->is_flushed = left == 0;
    if (left < 0) {
        lost(link);
    }
}

static bool send_all(Link *link, const RolesBatch *batch)
{
    for (int i = 0; i < batch->count; i++) {
        const RolesStatement *statement = &batch->statements[i];
        if (PQsendQueryParams(link->conn, statement->sql, statement->param_count, NULL,
                              statement->params, NULL, NULL, 0) != 1 ||
            (batch->each && PQpipelineSync(link->conn) != 1)) {
            return false;
        }
    }
    return batch->each || PQpipelineSync(link->conn) == 1;
}

static void begin_answer(Link *link, LinkState state, const RolesBatch *batch)
{
    link->state = state;
    link->each = batch->each;
    link->statement_count = batch->count;
    link->sync_count = 0;
    link->waits++;
    if (send_all(link, batch)) {
        flush(link);
    } else {
        lost(link);
    }
}

void link_send(Link *link, const RolesBatch *batch)
{
    link_forget(link);
    link->results = alloc_zeroed((size_t)batch->count, sizeof(PGresult *));
    link->err = ERROR_INIT;
    begin_answer(link, LINK_SENDS, batch);
}

struct pollfd link_poll(const Link *link)
{
    bool writes =
        link->state == LINK_CONNECTS ? link->polling == PGRES_POLLING_WRITING : !link->is_flushed;
    bool reads = link->state != LINK_CONNECTS || !writes;
    short events = (short)((reads ? POLLIN : 0) | (writes ? POLLOUT : 0));
    bool is_open = link->state != LINK_CLOSED && link->state != LINK_RESTS;
    return (struct pollfd){.fd = is_open ? PQsocket(link->conn) : -1, .events = events};
}

static LinkNews connect_step(Link *link)
{
    if (link->polling != PGRES_POLLING_FAILED) {
        link->polling = PQconnectPoll(link->conn);
    }
    if (link->polling == PGRES_POLLING_FAILED) {
        explain(link->conn, &link->err);
        return LINK_REFUSED;
    }
    if (link->polling != PGRES_POLLING_OK) {
        link->waits += link->polling == PGRES_POLLING_READING ? 1 : 0;
        return LINK_NOTHING;
    }
    link->is_flushed = true;
    if (PQsetnonblocking(link->conn, 1) != 0 || PQenterPipelineMode(link->conn) != 1) {
        abort();
    }
    return LINK_CONNECTED;
}

static void take_error(Link *link, PGresult *result)
{
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (severity == NULL || strcmp(severity, "ERROR") != 0) {
        lost(link);
    } else if (link->state == LINK_SENDS && !link->each && link->err.kind == ERROR_NONE) {
        error_set(&link->err, ERROR_INTERNAL, sqlstate, "%s",
                  PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
    }
}

// Keeps it, or frees it.
static void take(Link *link, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    bool is_answer = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
    if (status == PGRES_PIPELINE_SYNC) {
        link->sync_count++;
    } else if (status == PGRES_FATAL_ERROR) {
        take_error(link, result);
        is_answer = link->each;
    }
    if (is_answer && link->state == LINK_SENDS && link->result_count < link->statement_count) {
        link->results[link->result_count++] = result;
    } else {
        PQclear(result);
    }
}

static bool is_answered(const Link *link)
{
    return link->sync_count == (link->each ? link->statement_count : 1);
}

static void take_all(Link *link)
{
    int nulls = 0; // one between two statements; a second one: nothing is there yet
    while (link->err.kind != ERROR_UNAVAILABLE && !is_answered(link) && nulls < 2 &&
           PQisBusy(link->conn) == 0) {
        PGresult *result = PQgetResult(link->conn);
        nulls = result == NULL ? nulls + 1 : 0;
        if (result != NULL) {
            take(link, result);
        }
    }
}

static LinkNews end_answer(Link *link)
{
    static const RolesStatement ROLLBACK = {.sql = "ROLLBACK"};
    static const RolesBatch ROLL_BACK = {.statements = &ROLLBACK, .count = 1};
    if (link->state == LINK_SENDS && PQtransactionStatus(link->conn) != PQTRANS_IDLE) {
        begin_answer(link, LINK_ROLLS_BACK, &ROLL_BACK);
        return link->err.kind == ERROR_UNAVAILABLE ? LINK_ANSWERED : LINK_NOTHING;
    }
    return LINK_ANSWERED;
}

LinkNews link_look(Link *link)
{
    if (link->state == LINK_CONNECTS) {
        return connect_step(link);
    }
    if (PQconsumeInput(link->conn) == 0) {
        lost(link);
    }
    if (!link->is_flushed && link->err.kind != ERROR_UNAVAILABLE) {
        flush(link);
    }
    take_all(link);
    if (link->err.kind == ERROR_UNAVAILABLE) {
        return LINK_ANSWERED;
    }
    return is_answered(link) ? end_answer(link) : LINK_NOTHING;
}
