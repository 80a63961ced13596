#include "ctl/send_lines.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "ctl/send_many.h"
#include "lib/fault.h"

enum { POLL_MS = 100 };

typedef struct Lines {
    SendInput *input;
    SendLine *make;
    const void *context; // of make
} Lines;

bool send_lines_is_form(Bytes line)
{
    json_t *form = json_loadb((const char *)line.data, line.size, 0, NULL);
    bool is_object = json_is_object(form);
    json_decref(form);
    return is_object;
}

bool send_lines_is_blank(Bytes line)
{
    for (size_t i = 0; i < line.size; i++) {
        if (strchr(" \t\r\n", line.data[i]) == NULL || line.data[i] == '\0') {
            return false;
        }
    }
    return true;
}

static void free_text(char **text)
{
    free(*text);
}

static SendNext refuse(const Lines *lines, const ProvisionError *error, ProvisionError *err)
{
    *err = *error;
    (void)snprintf(err->text, sizeof err->text,
                   "line %zu: %.400s; neither it nor what follows was sent", lines->input->line,
                   error->text);
    return SEND_NEXT_FAULT;
}

static SendNext take_line(const Lines *lines, Bytes line, ProvisionCommand **ret_command,
                          ProvisionError *err)
{
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    if (memchr(line.data, '\0', line.size) != NULL) {
        fault_set(&error, PROVISION_ERROR_INVALID, "JSON_INVALID", "it has a NUL byte in it");
        return refuse(lines, &error, err);
    }
    char *json CLEANUP(free_text) = alloc_bytes(line.size + 1);
    memcpy(json, line.data, line.size);
    json[line.size] = '\0';
    *ret_command = lines->make(lines->context, json, &error);
    return *ret_command != NULL ? SEND_NEXT_COMMAND : refuse(lines, &error, err);
}

// Blank lines count and are passed over.
static SendNext next(void *context, ProvisionCommand **ret_command, ProvisionError *err)
{
    const Lines *lines = context;
    Bytes line = {NULL, 0};
    SendInputResult result = SEND_INPUT_LINE;
    do {
        result = send_input_line(lines->input, POLL_MS, &line);
    } while (result == SEND_INPUT_LINE && send_lines_is_blank(line));
    switch (result) {
    case SEND_INPUT_LINE:
        return take_line(lines, line, ret_command, err);
    case SEND_INPUT_LATER:
        return SEND_NEXT_LATER;
    case SEND_INPUT_TOO_LONG:
        fault_set(err, PROVISION_ERROR_INVALID, "JSON_INVALID",
                  "line %zu is larger than 1 MiB; neither it nor what follows was sent",
                  lines->input->line + 1);
        return SEND_NEXT_FAULT;
    case SEND_INPUT_FAILED:
        fault_set(err, PROVISION_ERROR_INVALID, "FILE_UNREADABLE",
                  "the input broke off behind line %zu: %s", lines->input->line,
                  strerror(lines->input->problem));
        return SEND_NEXT_FAULT;
    case SEND_INPUT_END:
    default:
        return SEND_NEXT_END;
    }
}

int send_lines(const SendOptions *options, SendInput *input, SendLine *make, const void *context)
{
    Lines lines = {.input = input, .make = make, .context = context};
    SendSource source = {next, &lines};
    return send_many(options, &source);
}
