#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "ctl/answer.h"
#include "ctl/event_report.h"
#include "ctl/exit_code.h"
#include "ctl/print_event.h"
#include "ctl/report.h"
#include "ctl/send.h"

enum { CONTACT_MS = 10000 };

static void free_command(ProvisionCommand **command)
{
    provision_command_free(*command);
}

static void free_text(char **text)
{
    free(*text);
}

static void end_watch(ProvisionWatch **watch)
{
    provision_watch_end(*watch);
}

static bool add_label(ProvisionCommand *command, const char *label, ProvisionError *err)
{
    char *key CLEANUP(free_text) = alloc_text(label);
    char *equals = strchr(key, '=');
    *equals = '\0';
    return provision_command_add_label(command, key, equals + 1, err);
}

bool send_complete(const SendOptions *options, ProvisionCommand *command, ProvisionError *err)
{
    for (size_t i = 0; i < options->label_count; i++) {
        if (!add_label(command, options->labels[i], err)) {
            return false;
        }
    }
    return (options->command_id == NULL ||
            provision_command_set_id(command, options->command_id, err)) &&
           (options->deadline_ms == 0 ||
            provision_command_set_deadline(command, options->deadline_ms, err)) &&
           (options->requested_by == NULL ||
            provision_command_set_requested_by(command, options->requested_by, err)) &&
           (options->traceparent == NULL ||
            provision_command_set_traceparent(command, options->traceparent, err));
}

int send_print_form(const SendOptions *options, const ProvisionCommand *command)
{
    char *json CLEANUP(free_text) = provision_command_json(command);
    if (!options->connection->json) {
        (void)printf("%s\n", json);
        return EXIT_CODE_OK;
    }
    json_t *form = json_loads(json, 0, NULL);
    (void)json_dumpf(form, stdout, JSON_COMPACT);
    (void)printf("\n");
    json_decref(form);
    return EXIT_CODE_OK;
}

void send_tell_sent(const SendOptions *options, const ProvisionCommand *command,
                    const ProvisionReceipt *receipt)
{
    const char *id = provision_command_id(command);
    if (!options->connection->json) {
        (void)fprintf(options->wait ? stderr : stdout,
                      "sent command %s (%s, partition %d, offset %lld)\n", id, receipt->topic,
                      (int)receipt->partition, (long long)receipt->offset);
    } else if (!options->wait) {
        json_t *object =
            json_pack("{s:s, s:s, s:s, s:i, s:I}", "commandId", id, "applicationId",
                      provision_command_application(command), "topic", receipt->topic, "partition",
                      (int)receipt->partition, "offset", (json_int_t)receipt->offset);
        (void)json_dumpf(object, stdout, JSON_COMPACT);
        (void)printf("\n");
        json_decref(object);
    }
}

typedef struct Shown {
    const SendOptions *options;
    int code; // of the last event
} Shown;

static void show_event(void *context, const ProvisionEvent *event)
{
    Shown *shown = context;
    const SendOptions *options = shown->options;
    if (options->show != NULL && event->outcome == PROVISION_OUTCOME_SUCCEEDED) {
        shown->code = options->show(options->show_context, event);
        return;
    }
    if (options->connection->json) {
        print_event_json(stdout, event);
    } else {
        Screen screen = screen_stdout();
        print_event_line(&screen, event);
        event_report_print(&screen, event);
    }
    shown->code = report_outcome(event->outcome);
}

static int show_outcome(const SendOptions *options, const ProvisionCommand *command,
                        ProvisionWatch *watch)
{
    ProvisionError error;
    Shown shown = {.options = options};
    return answer_await(watch, provision_command_id(command), options->timeout_ms, show_event,
                        &shown, &error)
               ? shown.code
               : report_command_error(options->connection->json, &error, command);
}

// The watch begins before the command is sent, so that an outcome can't come too early.
static int send_and_wait(const SendOptions *options, const ProvisionCommand *command,
                         ProvisionClient *client)
{
    ProvisionError error;
    ProvisionReceipt receipt;
    ProvisionWatchOptions from_now = {
        .application_id = provision_command_application(command),
        .start = PROVISION_START_NOW,
    };
    ProvisionWatch *watch CLEANUP(end_watch) =
        options->wait ? provision_watch_begin(client, &from_now, CONTACT_MS, &error) : NULL;
    if ((options->wait && watch == NULL) ||
        !provision_client_send(client, command, &receipt, &error)) {
        return report_command_error(options->connection->json, &error, command);
    }
    if (!options->quiet) {
        send_tell_sent(options, command, &receipt);
    }
    return options->wait ? show_outcome(options, command, watch) : EXIT_CODE_OK;
}

int send_command(const SendOptions *options, ProvisionCommand *command, ProvisionError *error)
{
    ProvisionCommand *owned CLEANUP(free_command) = command;
    if (owned == NULL || !send_complete(options, owned, error)) {
        return report_error(options->connection->json, error);
    }
    if (options->dry_run) {
        return send_print_form(options, owned);
    }
    int code = EXIT_CODE_OK;
    ProvisionClient *client CLEANUP(connection_free_client) =
        connection_open(options->connection, &code);
    return client == NULL ? code : send_and_wait(options, owned, client);
}
