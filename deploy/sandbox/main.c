/* neon-sandbox: a Neon API on this machine. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compute.h"
#include "front.h"
#include "kafka.h"
#include "log.h"
#include "record.h"
#include "restart.h"
#include "saved.h"
#include "seed.h"
#include "server.h"
#include "state.h"

enum { EXIT_CANNOT_START = 70, MAIN_ERROR_BYTES = 1024, MAIN_STOP_SECONDS = 60 };

typedef struct Program {
    Sandbox sandbox;
    Server *server;
    Front *front;
    Kafka *kafka;
    uv_signal_t signals[2];
} Program;

/* From here on a second signal ends the process as it does any other, and so does the time: what
 * was told is written already, and clusters end with us. */
static void on_signal(uv_signal_t *handle, int number)
{
    Program *program = handle->data;
    log_line("stopping (signal %d)", number);
    for (int i = 0; i < 2; i++) {
        uv_signal_stop(&program->signals[i]);
    }
    alarm(MAIN_STOP_SECONDS);
    program->sandbox.is_stopping = true;
    uv_stop(handle->loop);
}

static void watch_signals(Program *program)
{
    static const int NUMBERS[] = {SIGTERM, SIGINT};
    for (int i = 0; i < 2; i++) {
        uv_signal_init(&program->sandbox.loop, &program->signals[i]);
        program->signals[i].data = program;
        uv_signal_start(&program->signals[i], on_signal, NUMBERS[i]);
    }
    signal(SIGPIPE, SIG_IGN);
}

/* Thousands of clients and relays: take what the system gives. */
static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static bool load_files(Sandbox *sandbox, char *ret_error)
{
    const Options *options = &sandbox->options;
    char error[MAIN_ERROR_BYTES / 2];
    if (options->keys_file != NULL &&
        !keys_load(&sandbox->keys, options->keys_file, error, sizeof(error))) {
        text_format(ret_error, MAIN_ERROR_BYTES, "--keys %s: %s", options->keys_file, error);
        return false;
    }
    if (options->faults_file != NULL &&
        !faults_load(&sandbox->faults, options->faults_file, error, sizeof(error))) {
        text_format(ret_error, MAIN_ERROR_BYTES, "--faults %s: %s", options->faults_file, error);
        return false;
    }
    if (options->record_file != NULL) {
        sandbox->record = record_open(options->record_file);
        if (sandbox->record == NULL) {
            text_format(ret_error, MAIN_ERROR_BYTES, "--record %s: %s", options->record_file,
                        strerror(errno));
            return false;
        }
    }
    return true;
}

static bool open_parts(Program *program, char *ret_error)
{
    Sandbox *sandbox = &program->sandbox;
    const Options *options = &sandbox->options;
    if (!load_files(sandbox, ret_error) || !restart_load(sandbox, ret_error, MAIN_ERROR_BYTES)) {
        return false;
    }
    if (options->compute) {
        sandbox->compute = compute_open(sandbox, ret_error, MAIN_ERROR_BYTES);
        if (sandbox->compute == NULL) {
            return false;
        }
    }
    if (options->compute && options->postgres_port >= 0) {
        program->front = front_open(sandbox, options->postgres_port, ret_error, MAIN_ERROR_BYTES);
        if (program->front == NULL) {
            return false;
        }
    }
    if (options->kafka) {
        program->kafka = kafka_open(options, ret_error, MAIN_ERROR_BYTES);
        if (program->kafka == NULL) {
            return false;
        }
    }
    if (!restart_resume(sandbox, ret_error, MAIN_ERROR_BYTES) ||
        !seed_apply(sandbox, ret_error, MAIN_ERROR_BYTES)) {
        return false;
    }
    program->server = server_open(sandbox, ret_error, MAIN_ERROR_BYTES);
    return program->server != NULL;
}

static bool announce(const Program *program, char *ret_error)
{
    const Sandbox *sandbox = &program->sandbox;
    char url[64];
    text_build(url, sizeof(url), "http://127.0.0.1:%d/api/v2", server_port(program->server));
    json_t *ready = json_pack("{s:s, s:i}", "api_url", url, "pid", (int)getpid());
    if (sandbox->compute != NULL) {
        json_object_set_new(ready, "ca_file", json_string(compute_ca_file(sandbox->compute)));
    }
    if (program->front != NULL) {
        json_object_set_new(ready, "postgres_port", json_integer(front_port(program->front)));
    }
    char seed_uri[PATH_MAX];
    bool is_seeded = seed_write_uri(sandbox, seed_uri, sizeof(seed_uri));
    if (is_seeded) {
        json_object_set_new(ready, "seed_uri_file", json_string(seed_uri));
    }
    const char *bootstrap = NULL;
    if (program->kafka != NULL) {
        bootstrap = kafka_bootstrap(program->kafka);
        json_object_set_new(ready, "kafka_bootstrap", json_string(bootstrap));
    }
    bool written =
        state_write_ready(sandbox->options.state_dir, ready, ret_error, MAIN_ERROR_BYTES);
    json_decref(ready);
    if (written) {
        printf("neon-sandbox: ready at %s%s%s\n", url, bootstrap == NULL ? "" : ", Kafka at ",
               bootstrap == NULL ? "" : bootstrap);
        if (is_seeded) {
            printf("neon-sandbox: the seeded branch: psql \"$(cat %s)\"\n", seed_uri);
        }
        fflush(stdout);
    }
    return written;
}

static void close_handle(uv_handle_t *handle, void *argument)
{
    (void)argument;
    if (!uv_is_closing(handle)) {
        uv_close(handle, NULL);
    }
}

static void close_parts(Program *program)
{
    Sandbox *sandbox = &program->sandbox;
    if (program->server != NULL) {
        server_close(program->server);
    }
    if (program->front != NULL) {
        front_close(program->front);
    }
    /* What fails from here on, fails because the end has come. */
    if (sandbox->saved != NULL) {
        saved_close(sandbox->saved);
        sandbox->saved = NULL;
    }
    timers_close(&sandbox->timers);
    if (sandbox->compute != NULL) {
        compute_close(sandbox->compute, sandbox->options.ephemeral);
    }
    if (program->kafka != NULL) {
        kafka_close(program->kafka);
    }
    uv_walk(&sandbox->loop, close_handle, NULL);
    uv_run(&sandbox->loop, UV_RUN_DEFAULT);
    uv_loop_close(&sandbox->loop);
    store_free(&sandbox->store);
    faults_free(&sandbox->faults);
    keys_free(&sandbox->keys);
    calls_free(&sandbox->calls);
    if (sandbox->record != NULL) {
        fclose(sandbox->record);
    }
}

static int run(Program *program)
{
    Sandbox *sandbox = &program->sandbox;
    char error[MAIN_ERROR_BYTES] = "";
    int lock =
        state_open(sandbox->options.state_dir, sandbox->options.ephemeral, error, sizeof(error));
    bool started = lock >= 0;
    if (started) {
        started = open_parts(program, error) && announce(program, error);
    }
    if (started) {
        uv_run(&sandbox->loop, UV_RUN_DEFAULT);
    } else {
        fprintf(stderr, "neon-sandbox: %s\n", error);
    }
    close_parts(program);
    if (lock >= 0) {
        seed_remove_uri(sandbox);
        state_close(sandbox->options.state_dir, lock, sandbox->options.ephemeral);
    }
    return started ? 0 : EXIT_CANNOT_START;
}

int main(int argc, char **argv)
{
    static Program program;
    Sandbox *sandbox = &program.sandbox;
    options_parse(argc, argv, &sandbox->options);
    if (sodium_init() < 0) {
        return EXIT_CANNOT_START;
    }
    if (!log_open(sandbox->options.log_file, sandbox->options.quiet)) {
        fprintf(stderr, "neon-sandbox: --log %s: %s\n", sandbox->options.log_file, strerror(errno));
        return EXIT_CANNOT_START;
    }
    raise_file_limit();
    setenv("UV_THREADPOOL_SIZE", "8", 0);
    uv_loop_init(&sandbox->loop);
    timers_init(&sandbox->timers, &sandbox->loop);
    store_init(&sandbox->store);
    keys_init(&sandbox->keys);
    faults_init(&sandbox->faults);
    calls_init(&sandbox->calls);
    watch_signals(&program);
    int status = run(&program);
    log_close();
    return status;
}
