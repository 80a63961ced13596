#include "ctl/properties.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "lib/fault.h"

bool properties_is_secret(const char *name)
{
    return strstr(name, "password") != NULL || strstr(name, "secret") != NULL ||
           strcmp(name, "ssl.key.pem") == 0 || strcmp(name, "sasl.oauthbearer.config") == 0;
}

static char *trim(char *text)
{
    while (isspace((unsigned char)*text)) {
        text++;
    }
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1])) {
        text[--length] = '\0';
    }
    return text;
}

static bool set_line(char *line, ProvisionOptions *options, ProvisionError *err)
{
    char *name = trim(line);
    if (name[0] == '\0' || name[0] == '#') {
        return true;
    }
    char *equals = strchr(name, '=');
    if (equals == NULL) {
        return fault_set_field(err, "OPTION_INVALID", "", "a line must be NAME = VALUE");
    }
    *equals = '\0';
    return provision_options_set(options, trim(name), trim(equals + 1), err);
}

static void close_file(FILE **file)
{
    (void)fclose(*file);
}

static void free_text(char **text)
{
    free(*text);
}

bool properties_read(const char *path, ProvisionOptions *options, ProvisionError *err)
{
    FILE *opened = fopen(path, "re");
    if (opened == NULL) {
        return fault_set(err, PROVISION_ERROR_INVALID, "FILE_UNREADABLE", "%s: %s", path,
                         strerror(errno));
    }
    FILE *file CLEANUP(close_file) = opened;
    char *line CLEANUP(free_text) = NULL;
    size_t capacity = 0;
    for (int number = 1; getline(&line, &capacity, file) >= 0; number++) {
        ProvisionError error = {.kind = PROVISION_ERROR_NONE};
        if (!set_line(line, options, &error)) {
            return fault_set_field(err, error.code, error.field, "%s:%d: %s", path, number,
                                   error.text);
        }
    }
    return true;
}
