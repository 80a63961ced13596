#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/instant.h"
#include "ctl/exit_code.h"
#include "ctl/report.h"
#include "ctl/screen.h"
#include "ctl/send_many.h"
#include "ctl/span.h"
#include "ctl/subcommands.h"

enum {
    OPTION_APPLICATION = 'a',
    OPTION_REASON = 0x500,
    OPTION_SINCE,
    OPTION_ALL,
    LETTERS_MAX = 256, // that are named on one command line
    READ_MS = 60000,
    REASON_WIDTH = 20,
    NAME_WIDTH = 24,
    PLACE_WIDTH = 10,
    FIRST_ROOM = 64,
};

typedef enum Verb { VERB_NONE, VERB_LIST, VERB_SHOW, VERB_REPLAY } Verb;

typedef struct Place {
    int32_t partition;
    int64_t offset;
    bool found;
} Place;

typedef struct Letters {
    SendOptions options; // of replay; its application filters
    ProvisionWatchOptions from;
    const char *reason; // NULL: any
    bool all;
    Verb verb;
    Place places[LETTERS_MAX];
    size_t place_count;
    Screen screen;
    size_t count;
    ProvisionCommand **commands; // to replay
    size_t room;                 // for them
    size_t next;
    ProvisionError error; // of a named letter that can't be replayed
    int left_out;         // exit code of those that --all left out; 0: none
} Letters;

static const struct argp_option OPTIONS[] = {
    {"application", OPTION_APPLICATION, "ID", 0, "Only letters whose key is this application", 0},
    {"reason", OPTION_REASON, "CODE", 0, "Only letters with this reason, such as CRASH_LOOP", 0},
    {"since", OPTION_SINCE, "TIME", 0, "From a time (RFC 3339), or so long ago (90s, 5m, 2h)", 0},
    {"all", OPTION_ALL, NULL, 0,
     "replay: every letter that fits the filters; those that hold no command are told and left out",
     0},
    {0},
};

static const char DOC[] =
    "Shows the records that no worker executed, and sends their commands again.\v"
    "  list                       one line each: where the letter is, what was wrong\n"
    "  show PARTITION:OFFSET      all that is known of one\n"
    "  replay PARTITION:OFFSET …  send their commands again, once what was wrong is mended\n"
    "\n"
    "A replay is a new command without a deadline, whose replay_of names the first one; a letter "
    "that is replayed twice is executed once.";

static bool parse_place(const char *text, Place *ret_place)
{
    char *rest = NULL;
    long partition = strtol(text, &rest, 10);
    if (rest == text || *rest != ':' || partition < 0 || partition > INT32_MAX) {
        return false;
    }
    const char *offset = rest + 1;
    long long number = strtoll(offset, &rest, 10);
    *ret_place = (Place){.partition = (int32_t)partition, .offset = number};
    return rest != offset && *rest == '\0' && number >= 0;
}

static void take_word(Letters *letters, const char *word, struct argp_state *state)
{
    static const char *const VERBS[] = {
        [VERB_LIST] = "list", [VERB_SHOW] = "show", [VERB_REPLAY] = "replay"};
    if (letters->verb == VERB_NONE) {
        for (Verb verb = VERB_LIST; verb <= VERB_REPLAY; verb++) {
            letters->verb = strcmp(VERBS[verb], word) == 0 ? verb : letters->verb;
        }
        if (letters->verb == VERB_NONE) {
            argp_error(state, "dead-letters takes list, show or replay, not %s", word);
        }
        return;
    }
    size_t most = letters->verb == VERB_REPLAY ? LETTERS_MAX : letters->verb == VERB_SHOW ? 1 : 0;
    if (letters->place_count == most ||
        !parse_place(word, &letters->places[letters->place_count])) {
        argp_error(state, "%s is no PARTITION:OFFSET as list shows it, or one too many", word);
        return;
    }
    letters->place_count++;
}

static void check_words(const Letters *letters, struct argp_state *state)
{
    bool named = letters->place_count > 0;
    if (letters->verb == VERB_NONE) {
        argp_usage(state);
    } else if (letters->verb == VERB_SHOW && !named) {
        argp_error(state, "show takes a PARTITION:OFFSET as list shows it");
    } else if (letters->verb == VERB_REPLAY && named == letters->all) {
        argp_error(state, "replay takes PARTITION:OFFSET as list shows it, or --all");
    }
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    Letters *letters = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &letters->options;
        return 0;
    case OPTION_APPLICATION:
        letters->options.application_id = text;
        return 0;
    case OPTION_REASON:
        letters->reason = text;
        return 0;
    case OPTION_ALL:
        letters->all = true;
        return 0;
    case OPTION_SINCE:
        letters->from.start = PROVISION_START_SINCE;
        if (!span_parse_instant(text, -1, &letters->from.since_ms)) {
            argp_error(state, "--since takes a time such as 2026-11-22T08:07:00Z, or 90s, 5m, 2h");
        }
        return 0;
    case ARGP_KEY_ARG:
        take_word(letters, text, state);
        return 0;
    case ARGP_KEY_END:
        check_words(letters, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static json_t *text_json(const char *text)
{
    return text[0] != '\0' ? json_string(text) : NULL;
}

static void print_json(const ProvisionDeadLetter *letter)
{
    char at[INSTANT_TEXT_BYTES];
    instant_format(letter->failed_at_ms, at);
    json_t *object = json_pack(
        "{s:i, s:I, s:s, s:o*, s:o*, s:o*, s:o*, s:s, s:o*, s:o*, s:I, s:o*}", "partition",
        (int)letter->partition, "offset", (json_int_t)letter->offset, "failedAt", at,
        "applicationId", text_json(letter->application_id), "reason", text_json(letter->reason),
        "detail", text_json(letter->detail), "worker", text_json(letter->worker), "record",
        letter->record, "action", text_json(letter->action), "commandId",
        text_json(letter->command_id), "valueBytes", (json_int_t)letter->value_bytes, "command",
        letter->json[0] != '\0' ? json_loads(letter->json, 0, NULL) : NULL);
    (void)json_dumpf(object, stdout, JSON_COMPACT);
    (void)printf("\n");
    json_decref(object);
}

static void print_line(const Letters *letters, const ProvisionDeadLetter *letter)
{
    const Screen *screen = &letters->screen;
    char place[64];
    char at[INSTANT_TEXT_BYTES];
    instant_format(letter->failed_at_ms, at);
    (void)snprintf(place, sizeof place, "%d:%lld", (int)letter->partition,
                   (long long)letter->offset);
    screen_print(screen, SCREEN_PLAIN, place, PLACE_WIDTH);
    screen_print(screen, SCREEN_DIM, at, INSTANT_TEXT_BYTES + 1);
    screen_print(screen, SCREEN_RED, letter->reason, REASON_WIDTH);
    (void)fputc(' ', screen->file);
    screen_print(screen, SCREEN_PLAIN, letter->application_id, NAME_WIDTH);
    (void)fputc(' ', screen->file);
    screen_print(screen, SCREEN_PLAIN, letter->action, NAME_WIDTH);
    (void)fputc(' ', screen->file);
    screen_print(screen, SCREEN_DIM, letter->command_id, 0);
    (void)fputc('\n', screen->file);
}

static void print_field(const Letters *letters, const char *name, const char *value)
{
    if (value[0] != '\0') {
        screen_print(&letters->screen, SCREEN_DIM, name, PLACE_WIDTH + 4);
        screen_print(&letters->screen, SCREEN_PLAIN, value, 0);
        (void)fputc('\n', letters->screen.file);
    }
}

static const char *value_of(const ProvisionDeadLetter *letter, const char *size)
{
    if (letter->value_bytes > 0) {
        return size;
    }
    return strcmp(letter->reason, "SKIPPED") == 0 ? "left out: it was skipped, never looked into"
                                                  : "left out";
}

static void print_whole(const Letters *letters, const ProvisionDeadLetter *letter)
{
    char at[INSTANT_TEXT_BYTES];
    char size[32];
    instant_format(letter->failed_at_ms, at);
    (void)snprintf(size, sizeof size, "%zu bytes", letter->value_bytes);
    print_field(letters, "reason", letter->reason);
    print_field(letters, "detail", letter->detail);
    print_field(letters, "failed at", at);
    print_field(letters, "worker", letter->worker);
    print_field(letters, "record", letter->record);
    print_field(letters, "application", letter->application_id);
    print_field(letters, "action", letter->action);
    print_field(letters, "command id", letter->command_id);
    print_field(letters, "value", value_of(letter, size));
    print_field(letters, "command", letter->json);
}

static bool is_named(Letters *letters, const ProvisionDeadLetter *letter)
{
    for (size_t i = 0; i < letters->place_count; i++) {
        Place *place = &letters->places[i];
        if (place->partition == letter->partition && place->offset == letter->offset) {
            place->found = true;
            return true;
        }
    }
    return letters->place_count == 0;
}

static void add(Letters *letters, ProvisionCommand *command)
{
    if (letters->count == letters->room) {
        letters->room = 2 * letters->room + FIRST_ROOM;
        ProvisionCommand **commands = alloc_zeroed(letters->room, sizeof(void *));
        for (size_t i = 0; i < letters->count; i++) {
            commands[i] = letters->commands[i];
        }
        free(letters->commands);
        letters->commands = commands;
    }
    letters->commands[letters->count++] = command;
}

// All are read before the first is sent. One that was named and can't be replayed stops it all; of
// --all it is told and left out.
static bool keep(Letters *letters, const ProvisionDeadLetter *letter)
{
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    ProvisionCommand *command = provision_dead_letter_replay(letter, &error);
    if (command != NULL) {
        add(letters, command);
        return true;
    }
    if (letters->all) {
        letters->left_out = report_error(letters->options.connection->json, &error);
        return true;
    }
    letters->error = error;
    return false;
}

static bool visit(void *context, const ProvisionDeadLetter *letter)
{
    Letters *letters = context;
    if (!is_named(letters, letter) ||
        (letters->reason != NULL && strcmp(letters->reason, letter->reason) != 0)) {
        return true;
    }
    if (letters->verb == VERB_REPLAY) {
        return keep(letters, letter);
    }
    letters->count++;
    if (letters->options.connection->json) {
        print_json(letter);
    } else if (letters->verb == VERB_SHOW) {
        print_whole(letters, letter);
    } else {
        print_line(letters, letter);
    }
    return true;
}

static SendNext next(void *context, ProvisionCommand **ret_command, ProvisionError *err)
{
    Letters *letters = context;
    (void)err;
    if (letters->next == letters->count) {
        return SEND_NEXT_END;
    }
    *ret_command = letters->commands[letters->next];
    letters->commands[letters->next++] = NULL;
    return SEND_NEXT_COMMAND;
}

static void free_letters(Letters *letters)
{
    for (size_t i = 0; letters->commands != NULL && i < letters->count; i++) {
        provision_command_free(letters->commands[i]);
    }
    free(letters->commands);
}

// Exit code.
static int end(Letters *letters)
{
    bool json = letters->options.connection->json;
    if (letters->error.kind != PROVISION_ERROR_NONE) {
        return report_error(json, &letters->error);
    }
    for (size_t i = 0; i < letters->place_count; i++) {
        if (!letters->places[i].found) {
            return report_problem(json, EXIT_CODE_NOT_FOUND, "LETTER_MISSING",
                                  "there is no letter %d:%lld (of this application and reason); "
                                  "dead-letters list shows what there is",
                                  (int)letters->places[i].partition,
                                  (long long)letters->places[i].offset);
        }
    }
    if (letters->verb != VERB_REPLAY) {
        return EXIT_CODE_OK;
    }
    letters->options.application_id = NULL; // a letter's key need not be its command's application
    SendSource source = {next, letters};
    int code = send_many(&letters->options, &source);
    return letters->left_out != EXIT_CODE_OK && code < EXIT_CODE_USAGE ? letters->left_out : code;
}

int dead_letters_run(int argc, char **argv, Connection *connection)
{
    Letters letters CLEANUP(free_letters) = {.from.start = PROVISION_START_BEGINNING,
                                             .screen = screen_stdout()};
    send_options_init(&letters.options, connection);
    const struct argp_child children[] = {{&SEND_ENVELOPE_ARGP, 0, NULL, 0}, {0}};
    const struct argp argp = {.options = OPTIONS,
                              .parser = parse,
                              .args_doc = "list\nshow PARTITION:OFFSET\nreplay PARTITION:OFFSET …",
                              .doc = DOC,
                              .children = children};
    argp_parse(&argp, argc, argv, 0, NULL, &letters);
    int code = EXIT_CODE_OK;
    ProvisionClient *client CLEANUP(connection_free_client) = connection_open(connection, &code);
    if (client == NULL) {
        return code;
    }
    ProvisionError error;
    letters.from.application_id = letters.options.application_id;
    if (!provision_client_read_dead_letters(client, &letters.from, READ_MS, visit, &letters,
                                            &error)) {
        return report_error(connection->json, &error);
    }
    return end(&letters);
}
