#include "ctl/send_lines.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "ctl/send_many.h"

typedef struct Lines {
    FILE *input;
    char *line; // owned; the one that comes next, where is_read
    size_t room;
    bool is_read;
    size_t number;
    SendLine *make;
    const void *context; // of make
} Lines;

bool send_lines_is_form(const char *line)
{
    json_t *form = json_loads(line, 0, NULL);
    bool is_object = json_is_object(form);
    json_decref(form);
    return is_object;
}

// Blank lines count and are passed over.
static bool read_line(Lines *lines)
{
    do {
        if (!lines->is_read && getline(&lines->line, &lines->room, lines->input) < 0) {
            return false;
        }
        lines->is_read = false;
        lines->number++;
    } while (lines->line[strspn(lines->line, " \t\r\n")] == '\0');
    return true;
}

static ProvisionCommand *next(void *context, ProvisionError *err)
{
    Lines *lines = context;
    if (!read_line(lines)) {
        if (ferror(lines->input) != 0) {
            *err = (ProvisionError){PROVISION_ERROR_INVALID, "FILE_UNREADABLE", "", ""};
            (void)snprintf(err->text, sizeof err->text, "the input broke off behind line %zu",
                           lines->number);
        }
        return NULL;
    }
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    ProvisionCommand *command = lines->make(lines->context, lines->line, &error);
    if (command == NULL) {
        *err = error;
        (void)snprintf(err->text, sizeof err->text,
                       "line %zu: %.400s; neither it nor what follows was sent", lines->number,
                       error.text);
    }
    return command;
}

static void free_line(Lines *lines)
{
    free(lines->line);
}

int send_lines(const SendOptions *options, FILE *input, char *first, SendLine *make,
               const void *context)
{
    Lines lines CLEANUP(free_line) = {.input = input,
                                      .line = alloc_text(first),
                                      .room = strlen(first) + 1,
                                      .is_read = true,
                                      .make = make,
                                      .context = context};
    SendSource source = {next, &lines};
    return send_many(options, &source);
}
