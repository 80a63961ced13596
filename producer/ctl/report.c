#include "ctl/report.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ctl/exit_code.h"

static int exit_code_of(const ProvisionError *error)
{
    switch (error->kind) {
    case PROVISION_ERROR_UNAVAILABLE:
        return EXIT_CODE_UNAVAILABLE;
    case PROVISION_ERROR_TIMEOUT:
        return EXIT_CODE_TIMEOUT;
    case PROVISION_ERROR_NONE:
    case PROVISION_ERROR_INVALID:
    default:
        return strcmp(error->code, "FILE_UNREADABLE") == 0 ? EXIT_CODE_FILE : EXIT_CODE_DATA;
    }
}

// `command_id` may be NULL.
static void print_json(const char *code, const char *field, const char *text,
                       const char *command_id)
{
    json_t *error = json_pack("{s:{s:s, s:s, s:s, s:s*}}", "error", "code", code, "field", field,
                              "message", text, "commandId", command_id);
    if (error != NULL) {
        (void)json_dumpf(error, stderr, JSON_COMPACT);
        (void)fputc('\n', stderr);
    }
    json_decref(error);
}

static void print(bool json, const char *code, const char *field, const char *text)
{
    if (json) {
        print_json(code, field, text, NULL);
    } else {
        (void)fprintf(stderr, "provisionctl: %s (%s)\n", text, code);
    }
}

int report_error(bool json, const ProvisionError *error)
{
    print(json, error->code, error->field, error->text);
    return exit_code_of(error);
}

int report_command_error(bool json, const ProvisionError *error, const ProvisionCommand *command)
{
    const char *id = provision_command_id(command);
    if (json) {
        print_json(error->code, error->field, error->text, id);
        return exit_code_of(error);
    }
    (void)fprintf(stderr, "provisionctl: %s (%s)\n", error->text, error->code);
    if (error->kind == PROVISION_ERROR_UNAVAILABLE) {
        (void)fprintf(stderr,
                      "provisionctl: send it again with --command-id %s: it won't run twice\n", id);
    } else if (error->kind == PROVISION_ERROR_TIMEOUT) {
        (void)fprintf(stderr, "provisionctl: later: provisionctl wait %s --application %s\n", id,
                      provision_command_application(command));
    }
    return exit_code_of(error);
}

int report_problem(bool json, int exit_code, const char *code, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    print(json, code, "", text);
    return exit_code;
}

int report_outcome(ProvisionOutcome outcome)
{
    switch (outcome) {
    case PROVISION_OUTCOME_REJECTED:
        return EXIT_CODE_REJECTED;
    case PROVISION_OUTCOME_FAILED:
        return EXIT_CODE_FAILED;
    case PROVISION_OUTCOME_CANCELLED:
    case PROVISION_OUTCOME_SUPERSEDED:
        return EXIT_CODE_STOPPED;
    case PROVISION_OUTCOME_NONE:
    case PROVISION_OUTCOME_SUCCEEDED:
    default:
        return EXIT_CODE_OK;
    }
}
