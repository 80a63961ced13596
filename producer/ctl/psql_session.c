#include "ctl/psql_session.h"

#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/secret.h"
#include "lib/fault.h"

enum { PASSWORDS_MAX_BYTES = 8192, PATH_BYTES = 64 };

static void free_parsed(PQconninfoOption **parsed)
{
    for (PQconninfoOption *option = *parsed; option != NULL && option->keyword != NULL; option++) {
        if (option->val != NULL) {
            secret_zero(option->val, strlen(option->val));
        }
    }
    PQconninfoFree(*parsed);
}

static const char *value_of(const PQconninfoOption *parsed, const char *keyword)
{
    for (const PQconninfoOption *option = parsed; option->keyword != NULL; option++) {
        if (strcmp(option->keyword, keyword) == 0) {
            return option->val == NULL ? "" : option->val;
        }
    }
    return "";
}

static PQconninfoOption *parse_uri(const char *uri, ProvisionError *err)
{
    char *reason = NULL; // may quote the password
    PQconninfoOption *parsed = PQconninfoParse(uri, &reason);
    PQfreemem(reason);
    if (parsed == NULL) {
        (void)fault_set(err, PROVISION_ERROR_INVALID, "CREDENTIALS_UNREADABLE",
                        "the URI among the credentials can't be parsed");
    }
    return parsed;
}

// Lines of a password file. https://www.postgresql.org/docs/current/libpq-pgpass.html
typedef struct Passwords {
    char text[PASSWORDS_MAX_BYTES];
    size_t size;
    bool failed;
} Passwords;

static void clear_passwords(Passwords *passwords)
{
    secret_zero(passwords->text, sizeof(passwords->text));
}

static void append_char(Passwords *passwords, char c)
{
    if (passwords->size == sizeof(passwords->text)) {
        passwords->failed = true;
        return;
    }
    passwords->text[passwords->size++] = c;
}

static void append_field(Passwords *passwords, const char *value, char end)
{
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == ':' || *c == '\\') {
            append_char(passwords, '\\');
        }
        append_char(passwords, *c);
    }
    append_char(passwords, end);
}

// For every database behind the host, so that \c finds it, too; for no other host.
static void append_line(Passwords *passwords, const PQconninfoOption *parsed)
{
    append_field(passwords, value_of(parsed, "host"), ':');
    append_field(passwords, value_of(parsed, "port"), ':');
    append_field(passwords, "*", ':');
    append_field(passwords, value_of(parsed, "user"), ':');
    append_field(passwords, value_of(parsed, "password"), '\n');
}

static bool write_all(int fd, const Passwords *passwords)
{
    size_t written = 0;
    while (written < passwords->size) {
        ssize_t now = write(fd, passwords->text + written, passwords->size - written);
        if (now < 0 && errno != EINTR) {
            return false;
        }
        written += now > 0 ? (size_t)now : 0;
    }
    return true;
}

// libpq takes only a regular file that nobody else may read, and opens it for every connection. -1:
// errno says why not.
static int passwords_file(const Passwords *passwords)
{
    int fd = memfd_create("psql-password", MFD_ALLOW_SEALING);
    if (fd < 0) {
        return -1;
    }
    if (fchmod(fd, S_IRUSR) != 0 || !write_all(fd, passwords) ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static bool ends_with(const char *text, const char *suffix)
{
    size_t length = strlen(text);
    size_t size = strlen(suffix);
    return length >= size && strcasecmp(text + length - size, suffix) == 0;
}

// What the URI doesn't say isn't taken from the caller's environment either: PGHOSTADDR or
// PGSERVICE would lead elsewhere.
static void set_environment(const PQconninfoOption *parsed, const char *ca_file, int fd)
{
    char path[PATH_BYTES];
    for (const PQconninfoOption *option = parsed; option->keyword != NULL; option++) {
        bool is_password = strcmp(option->keyword, "password") == 0;
        if (option->envvar != NULL && option->val != NULL && !is_password) {
            (void)setenv(option->envvar, option->val, 1);
        } else if (option->envvar != NULL) {
            (void)unsetenv(option->envvar);
        }
    }
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    (void)setenv("PGPASSFILE", path, 1);
    (void)setenv("PGSSLMODE", "verify-full", 1);
    (void)setenv("PGSSLROOTCERT", ca_file, 1);
    if (ends_with(value_of(parsed, "host"), ".localhost")) {
        (void)setenv("PGHOSTADDR", "127.0.0.1", 1); // https://www.rfc-editor.org/rfc/rfc6761 6.3
    }
}

// psql's libpq may be 15, which doesn't know sslrootcert=system: these are where distributions keep
// it.
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

static void run(const PsqlSession *session)
{
    static char name[] = "psql";
    char **argv = alloc_zeroed(session->argument_count + 2, sizeof(*argv));
    argv[0] = name;
    for (size_t i = 0; i < session->argument_count; i++) {
        argv[i + 1] = session->arguments[i];
    }
    (void)execvp(name, argv);
    free(argv);
}

void psql_session_open(const PsqlSession *session, ProvisionError *err)
{
    const ProvisionCredential *credential = session->credential;
    PQconninfoOption *direct CLEANUP(free_parsed) = parse_uri(credential->direct_uri, err);
    PQconninfoOption *pooled CLEANUP(free_parsed) = parse_uri(credential->pooled_uri, err);
    if (direct == NULL || pooled == NULL) {
        return;
    }
    Passwords passwords CLEANUP(clear_passwords) = {.size = 0};
    append_line(&passwords, direct);
    append_line(&passwords, pooled);
    int fd = passwords.failed ? -1 : passwords_file(&passwords);
    if (fd < 0) {
        (void)fault_set(err, PROVISION_ERROR_INVALID, "PSQL_FAILED",
                        "the password can't be handed to psql: %s", strerror(errno));
        return;
    }
    set_environment(session->pooled ? pooled : direct,
                    session->ca_file == NULL ? system_ca_file() : session->ca_file, fd);
    run(session);
    (void)fault_set(err, PROVISION_ERROR_INVALID, "PSQL_FAILED",
                    "psql can't be run: %s; PostgreSQL's client programs have it", strerror(errno));
    (void)close(fd);
}
