#include "drive/pg_params.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

enum { PG_OPTIONS_LIMIT = 1024, SQLSTATE_LENGTH = 5 };

static void set(PgParams *params, const char *keyword, const char *value)
{
    for (int i = 0; i < params->count; i++) {
        if (strcmp(params->keywords[i], keyword) == 0) {
            params->values[i] = value;
            return;
        }
    }
    if (params->count == PG_PARAMS_MAX) {
        abort(); // libpq 15 knows fewer
    }
    params->keywords[params->count] = keyword;
    params->values[params->count] = value;
    params->count++;
}

static const char *get(const PgParams *params, const char *keyword)
{
    for (int i = 0; i < params->count; i++) {
        if (strcmp(params->keywords[i], keyword) == 0) {
            return params->values[i];
        }
    }
    return NULL;
}

static void set_missing(PgParams *params, const char *keyword, const char *value)
{
    if (get(params, keyword) == NULL) {
        set(params, keyword, value);
    }
}

static bool take_string(PgParams *params, const Secret *uri, Error *err)
{
    char *reason = NULL; // may quote the password
    params->parsed = PQconninfoParse(secret_reveal(uri), &reason);
    PQfreemem(reason);
    if (params->parsed == NULL) {
        return error_set(err, ERROR_INVALID, "CONNECT_FAILED",
                         "the connection string can't be parsed");
    }
    for (const PQconninfoOption *option = params->parsed; option->keyword != NULL; option++) {
        if (option->val != NULL) {
            set(params, option->keyword, option->val);
        }
    }
    const char *host = get(params, "host");
    if (host != NULL && strchr(host, ',') != NULL) {
        return error_set(err, ERROR_INVALID, "CONNECT_FAILED",
                         "a connection string with several hosts is not supported");
    }
    return true;
}

// libpq 15 doesn't know sslrootcert=system (16 does): these are where distributions keep it.
static const char *system_ca_file(void)
{
    static const char *const FILES[] = {"/etc/ssl/certs/ca-certificates.crt",
                                        "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"};
    for (size_t i = 0; i < sizeof(FILES) / sizeof(FILES[0]); i++) {
        if (access(FILES[i], R_OK) == 0) {
            return FILES[i];
        }
    }
    return FILES[0];
}

static void take_parts(PgParams *params, const PgOptions *options)
{
    params->host = alloc_text(options->host);
    params->database = alloc_text(options->database);
    params->user = alloc_text(options->user);
    bool has_ca = options->ca_file != NULL && options->ca_file[0] != '\0';
    params->ca_file = alloc_text(has_ca ? options->ca_file : system_ca_file());
    if (options->password != NULL) {
        secret_set(&params->password, secret_bytes(options->password));
    }
    Text port = TEXT_INIT(sizeof(params->port) - 1);
    text_printf(&port, "%d", options->port);
    if (!text_copy(params->port, sizeof(params->port), text_get(&port))) {
        abort();
    }
    text_clear(&port);
    set(params, "host", params->host);
    set(params, "port", params->port);
    set(params, "dbname", params->database);
    set(params, "user", params->user);
    set(params, "password", secret_reveal(&params->password));
    set(params, "sslmode", "verify-full");
    set(params, "sslrootcert", params->ca_file);
}

// Ours come last and so override what the connection string says.
static void take_limits(PgParams *params, const PgOptions *options)
{
    uint32_t statement_timeout_ms = options->statement_timeout_ms;
    params->options = TEXT_INIT(PG_OPTIONS_LIMIT);
    const char *theirs = get(params, "options");
    if (theirs != NULL) {
        text_append(&params->options, theirs);
    }
    text_printf(&params->options,
                " -c statement_timeout=%u -c lock_timeout=%u -c client_min_messages=warning",
                statement_timeout_ms, statement_timeout_ms / 2);
    if (options->session_options != NULL) {
        text_append(&params->options, " ");
        text_append(&params->options, options->session_options);
    }
    set(params, "options", text_get(&params->options));
    Text number = TEXT_INIT(sizeof(params->user_timeout_ms) - 1);
    text_printf(&number, "%u", statement_timeout_ms);
    if (!text_copy(params->user_timeout_ms, sizeof(params->user_timeout_ms), text_get(&number))) {
        abort();
    }
    text_clear(&number);
    set_missing(params, "tcp_user_timeout", params->user_timeout_ms);
}

bool pg_params_init(PgParams *params, const PgOptions *options, Error *err)
{
    *params = (PgParams){.count = 0};
    if (options->uri == NULL) {
        take_parts(params, options);
    } else if (!take_string(params, options->uri, err)) {
        return false;
    }
    params->application_name = alloc_text(options->application_name);
    take_limits(params, options);
    set_missing(params, "application_name", params->application_name);
    set(params, "client_encoding", "UTF8");
    set(params, "gssencmode", "disable");
    if (!text_ok(&params->options)) {
        return error_set(err, ERROR_INVALID, "CONNECT_FAILED",
                         "the connection string's options are too long");
    }
    return true;
}

void pg_params_clear(PgParams *params)
{
    for (PQconninfoOption *option = params->parsed; option != NULL && option->keyword != NULL;
         option++) {
        if (option->val != NULL) {
            secret_zero(option->val, strlen(option->val));
        }
    }
    PQconninfoFree(params->parsed);
    free(params->host);
    free(params->database);
    free(params->user);
    free(params->ca_file);
    free(params->application_name);
    secret_clear(&params->password);
    text_clear(&params->options);
}

const char *pg_params_name(const PgParams *params)
{
    const char *host = get(params, "host");
    bool is_socket = host == NULL || host[0] == '\0' || host[0] == '/' || host[0] == '@';
    return is_socket || get(params, "hostaddr") != NULL ? NULL : host;
}

PGconn *pg_params_connect(const PgParams *params, const char *address)
{
    PgParams all = *params;
    if (address != NULL) {
        set(&all, "hostaddr", address);
    }
    return PQconnectStartParams(all.keywords, all.values, 0);
}

static bool is_sqlstate(const char *text)
{
    for (int i = 0; i < SQLSTATE_LENGTH; i++) {
        bool is_digit = text[i] >= '0' && text[i] <= '9';
        bool is_letter = text[i] >= 'A' && text[i] <= 'Z';
        if (!is_digit && !is_letter) {
            return false;
        }
    }
    return text[SQLSTATE_LENGTH] == ':';
}

static const char *find_sqlstate(const char *message)
{
    for (const char *at = strstr(message, ":  "); at != NULL; at = strstr(at + 1, ":  ")) {
        if (is_sqlstate(at + 3)) {
            return at + 3;
        }
    }
    return NULL;
}

void pg_params_explain(PGconn *conn, Error *err)
{
    const char *message = PQerrorMessage(conn);
    const char *sqlstate = find_sqlstate(message);
    char code[SQLSTATE_LENGTH + 1] = "";
    if (sqlstate != NULL) {
        memcpy(code, sqlstate, SQLSTATE_LENGTH);
    }
    ErrorKind kind = strncmp(code, "28", 2) == 0 ? ERROR_DENIED : ERROR_UNAVAILABLE;
    error_set(err, kind, code[0] != '\0' ? code : "CONNECT_FAILED", "%.*s",
              (int)strcspn(message, "\n"), message);
}
