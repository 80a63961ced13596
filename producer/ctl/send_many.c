#include "ctl/send_many.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/table.h"
#include "ctl/exit_code.h"
#include "ctl/print_event.h"
#include "ctl/progress.h"
#include "ctl/report.h"

enum {
    CONTACT_MS = 10000,
    FLUSH_MS = 60000, // above message.timeout.ms: each is reported by then
    POLL_MS = 200,
    SERVE_MS = 10,
    ID_BYTES = 40,
};

typedef struct Bulk {
    const SendOptions *options;
    ProvisionClient *client;
    ProvisionWatch *watch; // NULL: nobody waits
    Table *waiting;        // command ids whose outcome has not come; with a watch
    Screen screen;
    Progress progress;
    int code; // what counts most so far
} Bulk;

// A command that was posted.
typedef struct Post {
    Bulk *bulk;
    ProvisionCommand *command;
} Post;

static void free_event(ProvisionEvent **event)
{
    provision_event_free(*event);
}

// The first trouble with the input or with Kafka counts, else the worst outcome.
static void note_code(Bulk *bulk, int code)
{
    if (bulk->code < EXIT_CODE_USAGE && (code >= EXIT_CODE_USAGE || code > bulk->code)) {
        bulk->code = code;
    }
}

// As events name it, whatever the case in the input.
static const char *key_of(const char *command_id, char ret_key[ID_BYTES])
{
    size_t size = 0;
    for (; command_id[size] != '\0' && size < ID_BYTES - 1; size++) {
        ret_key[size] = (char)tolower((unsigned char)command_id[size]);
    }
    ret_key[size] = '\0';
    return ret_key;
}

static void on_posted(void *context, const ProvisionReceipt *receipt, const ProvisionError *err)
{
    Post *post = context;
    Bulk *bulk = post->bulk;
    char key[ID_BYTES];
    if (receipt == NULL) {
        progress_wipe(&bulk->progress);
        (void)table_remove(bulk->waiting, key_of(provision_command_id(post->command), key));
        note_code(bulk, report_command_error(bulk->options->connection->json, err, post->command));
    } else {
        bulk->progress.sent++;
        if (!bulk->options->quiet && (!bulk->progress.is_shown || !bulk->options->wait)) {
            progress_wipe(&bulk->progress);
            send_tell_sent(bulk->options, post->command, receipt);
            (void)fflush(stdout);
        }
    }
    provision_command_free(post->command);
    free(post);
}

static void show_outcome(Bulk *bulk, const ProvisionEvent *event)
{
    const SendOptions *options = bulk->options;
    progress_wipe(&bulk->progress);
    if (options->show != NULL && event->outcome == PROVISION_OUTCOME_SUCCEEDED) {
        note_code(bulk, options->show(options->show_context, event));
    } else if (options->connection->json) {
        print_event_json(stdout, event);
    } else {
        print_event_line(&bulk->screen, event);
    }
    bulk->progress.ended[event->outcome]++;
    note_code(bulk, report_outcome(event->outcome));
}

// Takes one event, if one comes in time. False: none did, or none can be read any more.
static bool take_event(Bulk *bulk, int timeout_ms)
{
    ProvisionError error;
    char key[ID_BYTES];
    ProvisionEvent *event CLEANUP(free_event) = NULL;
    if (!provision_watch_next(bulk->watch, timeout_ms, &event, &error)) {
        progress_wipe(&bulk->progress);
        note_code(bulk, report_error(bulk->options->connection->json, &error));
        return error.kind == PROVISION_ERROR_INVALID; // passed over
    }
    if (event != NULL && event->outcome != PROVISION_OUTCOME_NONE &&
        table_remove(bulk->waiting, key_of(event->command_id, key)) != NULL) {
        show_outcome(bulk, event);
    }
    progress_show(&bulk->progress, false);
    return event != NULL;
}

static bool post(Bulk *bulk, ProvisionCommand *command)
{
    char key[ID_BYTES];
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    Post *posted = alloc_zeroed(1, sizeof(*posted));
    *posted = (Post){bulk, command};
    if (bulk->watch != NULL) {
        (void)table_put(bulk->waiting, key_of(provision_command_id(command), key), bulk);
    }
    if (!provision_client_post(bulk->client, command, on_posted, posted, &error)) {
        on_posted(posted, NULL, &error);
        return false;
    }
    progress_show(&bulk->progress, false);
    while (bulk->watch != NULL && take_event(bulk, 0)) {
    }
    return true;
}

// False: nothing more is sent.
static bool send_one(Bulk *bulk, ProvisionCommand *command)
{
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    if (!send_complete(bulk->options, command, &error)) {
        provision_command_free(command);
        progress_wipe(&bulk->progress);
        note_code(bulk, report_error(bulk->options->connection->json, &error));
        return false;
    }
    if (bulk->options->dry_run) {
        send_print_form(bulk->options, command);
        provision_command_free(command);
        return true;
    }
    return post(bulk, command);
}

// Reports and outcomes come while the input has nothing.
static void serve(Bulk *bulk)
{
    ProvisionError ignored;
    if (bulk->client != NULL) {
        (void)provision_client_flush(bulk->client, SERVE_MS, &ignored);
    }
    while (bulk->watch != NULL && take_event(bulk, 0)) {
    }
    (void)fflush(stdout);
}

static void send_all(Bulk *bulk, const SendSource *source)
{
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    ProvisionCommand *command = NULL;
    SendNext got = SEND_NEXT_LATER;
    do {
        got = source->next(source->context, &command, &error);
        if (got == SEND_NEXT_COMMAND && !send_one(bulk, command)) {
            return;
        }
        if (got == SEND_NEXT_LATER) {
            serve(bulk);
        }
    } while (got == SEND_NEXT_COMMAND || got == SEND_NEXT_LATER);
    if (got == SEND_NEXT_FAULT) {
        progress_wipe(&bulk->progress);
        note_code(bulk, report_error(bulk->options->connection->json, &error));
    }
}

// --timeout counts from the last outcome: many take longer than one.
static void await_outcomes(Bulk *bulk)
{
    int64_t quiet_ms = 0;
    while (table_count(bulk->waiting) > 0) {
        bool came = take_event(bulk, POLL_MS);
        quiet_ms = came ? 0 : quiet_ms + POLL_MS;
        if (quiet_ms >= bulk->options->timeout_ms) {
            progress_wipe(&bulk->progress);
            note_code(bulk, report_problem(
                                bulk->options->connection->json, EXIT_CODE_TIMEOUT, "WAIT_TIMEOUT",
                                "no outcome came for %lld ms; %zu commands have none "
                                "yet and go on: look whether a provision-worker runs",
                                (long long)bulk->options->timeout_ms, table_count(bulk->waiting)));
            return;
        }
    }
}

static void run(Bulk *bulk, const SendSource *source)
{
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    send_all(bulk, source);
    if (bulk->client != NULL && !provision_client_flush(bulk->client, FLUSH_MS, &error)) {
        note_code(bulk, report_error(bulk->options->connection->json, &error));
    }
    if (bulk->watch != NULL) {
        await_outcomes(bulk);
    }
    if (!bulk->options->dry_run) {
        progress_end(&bulk->progress);
    }
}

static void end_watch(ProvisionWatch **watch)
{
    provision_watch_end(*watch);
}

int send_many(const SendOptions *options, const SendSource *source)
{
    Table *waiting CLEANUP(table_free_at) = table_new();
    Bulk bulk = {.options = options, .waiting = waiting, .screen = screen_stdout()};
    progress_begin(&bulk.progress, options->wait);
    if (options->dry_run) {
        run(&bulk, source);
        return bulk.code;
    }
    int code = EXIT_CODE_OK;
    ProvisionClient *client CLEANUP(connection_free_client) =
        connection_open(options->connection, &code);
    if (client == NULL) {
        return code;
    }
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    ProvisionWatchOptions from_now = {.application_id = options->application_id,
                                      .start = PROVISION_START_NOW};
    ProvisionWatch *watch CLEANUP(end_watch) =
        options->wait ? provision_watch_begin(client, &from_now, CONTACT_MS, &error) : NULL;
    if (options->wait && watch == NULL) {
        return report_error(options->connection->json, &error);
    }
    bulk.client = client;
    bulk.watch = watch;
    run(&bulk, source);
    return bulk.code;
}
