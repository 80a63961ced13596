#include "psql.h"

#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "compute.h"
#include "render.h"
#include "spawn.h"

enum {
    PSQL_COMPLAINT_BYTES = 800,
    PSQL_CHUNK_BYTES = 4096,
    PSQL_REST_ROUNDS = 32, /* libuv reads up to 32 chunks in one: more than a socket holds */
    PSQL_VARIABLES = 12,
    PSQL_VARIABLE_BYTES = 600
};

typedef struct Psql {
    uv_process_t process;
    uv_pipe_t errors;
    char chunk[PSQL_CHUNK_BYTES];
    char line[PSQL_COMPLAINT_BYTES]; /* what is being said */
    size_t line_bytes;
    char complaint[PSQL_COMPLAINT_BYTES]; /* the first error, the last line until there is one */
    bool has_error;
    char variables[PSQL_VARIABLES][PSQL_VARIABLE_BYTES];
    int variable_count;
    bool has_ended;
    bool is_read; /* to the end */
    size_t read_bytes;
    int64_t status;
    int handles; /* to be closed */
} Psql;

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)suggested;
    Psql *psql = handle->data;
    *buffer = uv_buf_init(psql->chunk, sizeof(psql->chunk));
}

/* "psql:FILE:LINE: ERROR:  …" of the server, "psql:FILE:LINE: error: …" of psql itself; what a
 * notice quotes comes behind its own severity. */
static bool is_error(const char *line)
{
    static const char *const SEVERITIES[] = {": ERROR:",   ": FATAL:",  ": PANIC:", ": error:",
                                             ": WARNING:", ": NOTICE:", ": INFO:",  ": warning:"};
    enum { ERRORS = 4 };
    const char *first = NULL;
    bool is_first_error = false;
    for (size_t i = 0; i < sizeof(SEVERITIES) / sizeof(SEVERITIES[0]); i++) {
        const char *found = strstr(line, SEVERITIES[i]);
        if (found != NULL && (first == NULL || found < first)) {
            first = found;
            is_first_error = i < ERRORS;
        }
    }
    return is_first_error;
}

static void hear_line(Psql *psql)
{
    psql->line[psql->line_bytes] = '\0';
    if (psql->line_bytes > 0 && !psql->has_error) {
        psql->has_error = is_error(psql->line);
        memcpy(psql->complaint, psql->line, psql->line_bytes + 1);
    }
    psql->line_bytes = 0;
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
    Psql *psql = stream->data;
    if (got < 0) {
        uv_read_stop(stream);
        psql->is_read = true;
        return;
    }
    psql->read_bytes += (size_t)got;
    for (ssize_t i = 0; i < got; i++) {
        if (buffer->base[i] == '\n') {
            hear_line(psql);
        } else if (psql->line_bytes < sizeof(psql->line) - 1) {
            psql->line[psql->line_bytes++] = buffer->base[i];
        }
    }
}

static void on_ended(uv_process_t *process, int64_t status, int signal_number)
{
    Psql *psql = process->data;
    psql->has_ended = true;
    psql->status = signal_number != 0 ? 128 + signal_number : status;
}

static void on_closed(uv_handle_t *handle)
{
    ((Psql *)handle->data)->handles--;
}

static void set(Psql *psql, const char *name, const char *value)
{
    text_build(psql->variables[psql->variable_count++], PSQL_VARIABLE_BYTES, "%s=%s", name, value);
}

/* The password is nowhere but in here: arguments are for everybody to read. */
static void set_environment(Psql *psql, const Sandbox *sandbox, const Endpoint *endpoint,
                            const Role *role, const char *database)
{
    char host[RENDER_HOST_BYTES];
    char port[16];
    render_host(endpoint, false, host);
    text_build(port, sizeof(port), "%d", endpoint->port);
    set(psql, "PGHOST", host);
    set(psql, "PGHOSTADDR", "127.0.0.1");
    set(psql, "PGPORT", port);
    set(psql, "PGUSER", role->name);
    set(psql, "PGDATABASE", database);
    set(psql, "PGPASSWORD", role->password);
    set(psql, "PGSSLMODE", "verify-full");
    set(psql, "PGSSLROOTCERT", compute_ca_file(sandbox->compute));
    set(psql, "PATH", "/usr/local/bin:/usr/bin:/bin");
    set(psql, "HOME", "/nonexistent");
}

static void find_program(const Options *options, char *ret_path, size_t size)
{
    for (int i = 0; i < options->postgres_count; i++) {
        if (text_format(ret_path, size, "%s/bin/psql", options->postgres_dirs[i]) &&
            access(ret_path, X_OK) == 0) {
            return;
        }
    }
    text_build(ret_path, size, "psql");
}

/* The file's \! and \copy get no more than the SQL: as root, they are the clusters' user. */
static int start(Psql *psql, Sandbox *sandbox, const SpawnUser *user, const char *file)
{
    char program[512];
    char name[1024];
    char *environment[PSQL_VARIABLES + 1] = {0};
    find_program(&sandbox->options, program, sizeof(program));
    text_build(name, sizeof(name), "--file=%s", file);
    static char quiet[] = "-qXw";
    static char stop[] = "--set=ON_ERROR_STOP=1";
    char *arguments[] = {program, quiet, stop, name, NULL};
    for (int i = 0; i < psql->variable_count; i++) {
        environment[i] = psql->variables[i];
    }
    uv_stdio_container_t files[3] = {
        {.flags = UV_IGNORE},
        {.flags = UV_IGNORE},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&psql->errors},
    };
    uv_process_options_t options = {
        .file = program,
        .args = arguments,
        .env = environment,
        .exit_cb = on_ended,
        .stdio = files,
        .stdio_count = 3,
        .flags = user->is_switched ? UV_PROCESS_SETUID | UV_PROCESS_SETGID : 0,
        .uid = user->uid,
        .gid = user->gid,
    };
    psql->process.data = psql;
    psql->errors.data = psql;
    uv_pipe_init(&sandbox->loop, &psql->errors, 0);
    return uv_spawn(&sandbox->loop, &psql->process, &options);
}

static void await(Psql *psql, Sandbox *sandbox)
{
    bool is_told = false;
    while (!psql->has_ended) {
        uv_run(&sandbox->loop, UV_RUN_ONCE);
        if (sandbox->is_stopping && !is_told && !psql->has_ended) {
            is_told = true;
            uv_process_kill(&psql->process, SIGTERM);
        }
    }
}

/* Takes what psql left in the pipe, which a process of the seed may hold open (and fill) for ever.
 */
static void read_rest(Psql *psql, Sandbox *sandbox)
{
    bool is_more = true;
    for (int i = 0; i < PSQL_REST_ROUNDS && is_more && !psql->is_read; i++) {
        size_t before = psql->read_bytes;
        uv_run(&sandbox->loop, UV_RUN_NOWAIT);
        is_more = psql->read_bytes != before;
    }
}

static void close_handles(Psql *psql, Sandbox *sandbox)
{
    psql->handles = 2;
    uv_close((uv_handle_t *)&psql->process, on_closed);
    uv_close((uv_handle_t *)&psql->errors, on_closed);
    while (psql->handles > 0) {
        uv_run(&sandbox->loop, UV_RUN_ONCE);
    }
}

bool psql_run_file(Sandbox *sandbox, const Endpoint *endpoint, const Role *role,
                   const char *database, const char *file, char *ret_error, size_t error_bytes)
{
    Psql psql = {0};
    SpawnUser user;
    if (!spawn_find_user(sandbox->options.user, &user, ret_error, error_bytes)) {
        return false;
    }
    set_environment(&psql, sandbox, endpoint, role, database);
    int error = start(&psql, sandbox, &user, file);
    sodium_memzero(psql.variables, sizeof(psql.variables));
    if (error == 0) {
        uv_read_start((uv_stream_t *)&psql.errors, on_allocate, on_read);
        await(&psql, sandbox);
        read_rest(&psql, sandbox);
    }
    close_handles(&psql, sandbox);
    if (error != 0) {
        text_format(ret_error, error_bytes, "psql can't be run: %s", uv_strerror(error));
        return false;
    }
    if (psql.status != 0) {
        hear_line(&psql);
        text_format(ret_error, error_bytes, "%s (psql ended with %lld)",
                    psql.complaint[0] == '\0' ? file : psql.complaint, (long long)psql.status);
        return false;
    }
    return true;
}
