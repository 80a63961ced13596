#include "rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"

static void clear_result(PGresult **result)
{
    PQclear(*result);
}

PRINTF_LIKE(2, 0)
static PGresult *execute(PGconn *connection, const char *format, va_list arguments)
{
    char *sql = NULL;
    if (vasprintf(&sql, format, arguments) < 0) {
        abort();
    }
    PGresult *result = PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        fail_msg("%s%.400s", PQerrorMessage(connection), sql);
    }
    free(sql);
    return result;
}

void rows_run(PGconn *connection, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    PQclear(execute(connection, format, arguments));
    va_end(arguments);
}

static char *take_value(PGresult *result)
{
    bool has_value = PQntuples(result) > 0 && !PQgetisnull(result, 0, 0);
    char *value = has_value ? alloc_text(PQgetvalue(result, 0, 0)) : NULL;
    PQclear(result);
    return value;
}

char *rows_value(PGconn *connection, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    PGresult *result = execute(connection, format, arguments);
    va_end(arguments);
    return take_value(result);
}

int64_t rows_number(PGconn *connection, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    CLEANUP(rows_free) char *value = take_value(execute(connection, format, arguments));
    va_end(arguments);
    assert_non_null(value);
    return strtoll(value, NULL, 10);
}

bool rows_is(PGconn *connection, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    CLEANUP(rows_free) char *value = take_value(execute(connection, format, arguments));
    va_end(arguments);
    assert_non_null(value);
    return strcmp(value, "t") == 0;
}

static void note(RowsOutcome *outcome, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    (void)snprintf(outcome->state, sizeof(outcome->state), "%s", state == NULL ? "?" : state);
    (void)snprintf(outcome->text, sizeof(outcome->text), "%s", text == NULL ? "?" : text);
}

static void on_notice(void *context, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (state != NULL && (strcmp(state, "01006") == 0 || strcmp(state, "01007") == 0)) {
        note(context, result);
    }
}

bool rows_try(PGconn *connection, const char *sql, RowsOutcome *ret_outcome)
{
    *ret_outcome = (RowsOutcome){.state = ""};
    PQnoticeReceiver before = PQsetNoticeReceiver(connection, on_notice, ret_outcome);
    CLEANUP(clear_result) PGresult *result = PQexec(connection, sql);
    PQsetNoticeReceiver(connection, before, NULL);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        note(ret_outcome, result);
    }
    return ret_outcome->state[0] == '\0';
}

void rows_free(char **text)
{
    free(*text);
}

static char *own_text(char *text)
{
    char *copy = alloc_text(text == NULL ? "" : text);
    PQfreemem(text);
    return copy;
}

char *rows_identifier(PGconn *connection, const char *name)
{
    return own_text(PQescapeIdentifier(connection, name, strlen(name)));
}

char *rows_literal(PGconn *connection, const char *text)
{
    return own_text(PQescapeLiteral(connection, text, strlen(text)));
}
