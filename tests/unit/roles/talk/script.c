#include "script.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "base/unconst.h"
#include "roles/talk_pad.h"

static const char SPEC[] =
    "{\"prefix\": \"encore\", \"policy\": \"authoritative\", \"adopt\": false,"
    " \"databases\": [\"main\", \"other\"],"
    " \"services\": [{\"name\": \"a\", \"access\": {\"main\": \"write\"}},"
    "                {\"name\": \"b\", \"access\": {\"main\": \"read\"}}]}";

static const char *const ROLES[SCRIPT_SECRETS] = {"svc_a", "svc_b", "encore_platform"};

int script_set_up(void **state)
{
    Script *script = alloc_zeroed(1, sizeof(*script));
    script->spec = json_loads(SPEC, 0, NULL);
    script->fails_at = -1;
    script->pad = SCRIPT_PAD;
    script->task = (RolesTask){.mode = ROLES_MODE_APPLY,
                               .spec = script->spec,
                               .secrets = script->secrets,
                               .fence = {.branch_id = "br-one", .number = 7}};
    for (size_t i = 0; i < SCRIPT_SECRETS; i++) {
        char password[64];
        (void)snprintf(password, sizeof password, "password-of-%s", ROLES[i]);
        secret_set_text(&script->passwords[i], password);
        script->secrets[i] = (RolesSecret){.role = ROLES[i], .password = &script->passwords[i]};
    }
    *state = script;
    return 0;
}

int script_tear_down(void **state)
{
    Script *script = *state;
    roles_talk_free(script->talk);
    for (size_t i = 0; i < SCRIPT_SECRETS; i++) {
        secret_clear(&script->passwords[i]);
    }
    roles_report_clear(&script->report);
    json_decref(script->spec);
    free(script->parameter);
    free(script);
    return 0;
}

void script_know(Script *script, size_t count)
{
    script->task.secret_count = count;
}

void script_begin(Script *script, const char *database)
{
    roles_talk_free(script->talk);
    script->talk = roles_talk_new(&script->task, database);
}

RolesTalkAction script_action(Script *script)
{
    return roles_talk_next(script->talk, 0).action;
}

static int query_of(const char *sql)
{
    for (int i = 0; i < SCRIPT_QUERIES; i++) {
        if (strcmp(roles_query_sql((RolesQuery)i), sql) == 0) {
            return i;
        }
    }
    return -1;
}

static void add_word(Script *script, const char *word, const char *detail)
{
    size_t length = strlen(script->sent);
    (void)snprintf(script->sent + length, sizeof script->sent - length, "%s%s%s%s",
                   length > 0 ? "; " : "", word, detail[0] != '\0' ? " " : "", detail);
}

static void add_lock(Script *script, const RolesStatement *statement)
{
    assert_string_equal(statement->params[0], "encore");
    bool is_shared = strstr(statement->sql, "_lock_shared(") != NULL;
    bool is_of_database = strstr(statement->sql, ":roles:database'") != NULL;
    add_word(script, is_shared ? "share" : "lock", is_of_database ? "database" : "cluster");
}

// To cover it twice is to uncover it.
static void uncover(const char *role, const char *covered, char ret_password[64])
{
    uint8_t bytes[64] = {0};
    size_t size = strlen(covered) / 2;
    assert_true(size < sizeof bytes && crypto_hex_decode(covered, bytes, size));
    CLEANUP(secret_clear) Secret pad = SECRET_INIT;
    CLEANUP(secret_clear) Secret once = SECRET_INIT;
    secret_set_text(&pad, SCRIPT_PAD);
    secret_set(&once, (Bytes){.data = bytes, .size = size});
    char *twice = talk_pad_cover(&pad, role, &once);
    memset(ret_password, 0, sizeof bytes);
    assert_true(crypto_hex_decode(twice, (uint8_t *)ret_password, size));
    free(twice);
}

static void add_secret(Script *script, const RolesStatement *statement)
{
    char text[256];
    char password[64] = "random";
    if (statement->params[1] != NULL) {
        uncover(statement->params[2], statement->params[1], password);
    }
    (void)snprintf(text, sizeof text, "%s = %s", statement->params[0], password);
    add_word(script, "stage", text);
}

static void add_query(Script *script, int query, const RolesStatement *statement)
{
    static const char *const NAMES[SCRIPT_QUERIES] = {
        [ROLES_QUERY_CLUSTER] = "cluster", [ROLES_QUERY_DATABASES] = "databases",
        [ROLES_QUERY_OWNER] = "owner",     [ROLES_QUERY_PRIVILEGES] = "privileges",
        [ROLES_QUERY_CREATOR] = "creator", [ROLES_QUERY_VERIFIERS] = "verifiers",
        [ROLES_QUERY_LOGINS] = "logins",   [ROLES_QUERY_EXTENSIONS] = "extensions",
    };
    assert_non_null(NAMES[query]);
    if (query == ROLES_QUERY_VERIFIERS) {
        add_word(script, NAMES[query], statement->params[0]);
        return;
    }
    add_word(script, NAMES[query], "");
    free(script->parameter);
    script->parameter = alloc_text(statement->params[0]);
}

static void write_down(Script *script, const RolesStatement *statement)
{
    int query = query_of(statement->sql);
    if (query >= 0) {
        add_query(script, query, statement);
    } else if (strstr(statement->sql, "pg_locks") != NULL) {
        assert_string_equal(statement->params[0], "encore");
        bool is_of_database = strstr(statement->sql, ":roles:database'") != NULL;
        bool ends = strstr(statement->sql, "pg_terminate_backend") != NULL;
        add_word(script, ends ? "end others" : "others", is_of_database ? "database" : "cluster");
    } else if (strstr(statement->sql, "advisory_lock") != NULL) {
        add_lock(script, statement);
    } else if (strcmp(statement->sql, ROLES_SQL_MAKE_PAD) == 0) {
        add_word(script, "pad", "");
    } else if (strcmp(statement->sql, ROLES_SQL_STAGE_SECRET) == 0) {
        add_secret(script, statement);
    } else if (strcmp(statement->sql, ROLES_SQL_RUN_SECRET) == 0) {
        add_word(script, "run", "");
    } else if (statement->param_count == 1) {
        add_word(script, "stage", statement->params[0]);
    } else if (strncmp(statement->sql, "DO ", 3) == 0) {
        add_word(script, "try", "");
    } else if (strstr(statement->sql, "provision.failure") != NULL) {
        add_word(script, "why", "");
    } else {
        add_word(script, statement->sql, "");
    }
}

const char *script_sent(Script *script)
{
    RolesTalkNext next = roles_talk_next(script->talk, 0);
    assert_int_equal(next.action, ROLES_TALK_SEND);
    script->sent[0] = '\0';
    for (int i = 0; i < next.batch.count; i++) {
        write_down(script, &next.batch.statements[i]);
    }
    return script->sent;
}

static void set_cells(PGresult *result, int row, const char *line, size_t length)
{
    const char *end = line + length;
    for (int column = 0; column < PQnfields(result); column++) {
        size_t size = strcspn(line, "|\n");
        bool is_null = size == 1 && line[0] == '-';
        assert_int_equal(PQsetvalue(result, row, column, is_null ? NULL : unconst(line),
                                    is_null ? -1 : (int)size),
                         1);
        line += size;
        line += line < end && *line == '|' ? 1 : 0;
    }
}

static PGresult *rows_of(int query, const char *rows)
{
    static const int COLUMNS[SCRIPT_QUERIES] = {
        [ROLES_QUERY_CLUSTER] = 5,    [ROLES_QUERY_DATABASES] = 5,  [ROLES_QUERY_OWNER] = 5,
        [ROLES_QUERY_PRIVILEGES] = 5, [ROLES_QUERY_CREATOR] = 5,    [ROLES_QUERY_VERIFIERS] = 2,
        [ROLES_QUERY_LOGINS] = 1,     [ROLES_QUERY_EXTENSIONS] = 1,
    };
    char name[] = "column";
    PGresAttDesc columns[5];
    for (int i = 0; i < COLUMNS[query]; i++) {
        columns[i] = (PGresAttDesc){.name = name};
    }
    PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    assert_int_equal(PQsetResultAttrs(result, COLUMNS[query], columns), 1);
    int row = 0;
    while (rows != NULL && rows[0] != '\0') {
        size_t length = strcspn(rows, "\n");
        set_cells(result, row++, rows, length);
        rows += length + (rows[length] == '\n' ? 1 : 0);
    }
    return result;
}

static PGresult *value_of(const char *value)
{
    char name[] = "value";
    PGresAttDesc column = {.name = name};
    PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    assert_int_equal(PQsetResultAttrs(result, 1, &column), 1);
    assert_int_equal(PQsetvalue(result, 0, 0, unconst(value), (int)strlen(value)), 1);
    return result;
}

static PGresult *result_of(const Script *script, const RolesBatch *batch, int index)
{
    const RolesStatement *statement = &batch->statements[index];
    int query = query_of(statement->sql);
    if (index == script->fails_at) {
        assert_true(batch->each);
        return PQmakeEmptyPGresult(NULL, PGRES_FATAL_ERROR);
    }
    if (query >= 0) {
        return rows_of(query, script->rows[query]);
    }
    if (strstr(statement->sql, "pg_locks") != NULL) {
        return value_of(script->holder != NULL ? script->holder : "");
    }
    if (strcmp(statement->sql, ROLES_SQL_MAKE_PAD) == 0) {
        return value_of(script->pad);
    }
    if (strstr(statement->sql, "current_setting('provision.failure')") != NULL) {
        const char *tried = batch->statements[index - 2].params[0];
        bool is_wrong = script->wrong != NULL && strstr(tried, script->wrong) != NULL;
        return value_of(is_wrong ? "42501 permission denied" : "");
    }
    return PQmakeEmptyPGresult(NULL, PGRES_COMMAND_OK);
}

const char *script_answer(Script *script)
{
    const char *sent = script_sent(script);
    RolesBatch batch = roles_talk_next(script->talk, 0).batch;
    PGresult **results = alloc_zeroed((size_t)batch.count, sizeof(PGresult *));
    for (int i = 0; i < batch.count; i++) {
        results[i] = result_of(script, &batch, i);
    }
    Error none = ERROR_INIT;
    roles_talk_learn(script->talk, results, batch.count, &none);
    for (int i = 0; i < batch.count; i++) {
        PQclear(results[i]);
    }
    free(results);
    return sent;
}

void script_refuse(Script *script, const char *sqlstate)
{
    Error err;
    error_set(&err, ERROR_INTERNAL, sqlstate, "refused");
    (void)script_sent(script);
    roles_talk_learn(script->talk, NULL, 0, &err);
}

void script_lose(Script *script)
{
    Error err;
    error_set(&err, ERROR_UNAVAILABLE, "CONNECTION_LOST", "server closed the connection");
    (void)script_sent(script);
    roles_talk_learn(script->talk, NULL, 0, &err);
}

void script_verify(Script *script, RolesVerified result)
{
    RolesTalkNext next = roles_talk_next(script->talk, 0);
    assert_int_equal(next.action, ROLES_TALK_VERIFY);
    for (size_t i = 0; i < next.check_count; i++) {
        next.checks[i].result = result;
    }
    roles_talk_verified(script->talk);
}

const RolesReport *script_report(Script *script)
{
    roles_talk_move_report(script->talk, &script->report);
    return &script->report;
}

void script_assert_change(Script *script, size_t index, const char *expected)
{
    assert_true(index < script->report.count);
    const RolesChange *change = &script->report.changes[index];
    char text[2048];
    (void)snprintf(text, sizeof text, "%s%s|%s|%s|%s", change->blocked ? "!" : "", change->database,
                   change->object, change->change, change->reason);
    assert_string_equal(text, expected);
}
