#include "ctl/secret_file.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/settings.h"
#include "lib/fault.h"

enum { SECRET_MAX_BYTES = 4096 };

static void close_file(FILE **file)
{
    (void)fclose(*file);
}

static void set_trimmed(Secret *secret, const char *text, size_t size)
{
    while (size > 0 && isspace((unsigned char)text[size - 1])) {
        size--;
    }
    while (size > 0 && isspace((unsigned char)text[0])) {
        text++;
        size--;
    }
    secret_set(secret, (Bytes){(const uint8_t *)text, size});
}

bool secret_file_read(const char *path, Secret *ret_secret, ProvisionError *err)
{
    FILE *opened = fopen(path, "re");
    if (opened == NULL) {
        return fault_set(err, PROVISION_ERROR_INVALID, "FILE_UNREADABLE", "%s: %s", path,
                         strerror(errno));
    }
    FILE *file CLEANUP(close_file) = opened;
    char text[SECRET_MAX_BYTES];
    (void)setvbuf(file, NULL, _IONBF, 0); // no copy that stays
    size_t size = fread(text, 1, sizeof(text), file);
    bool fits = size < sizeof(text) && ferror(file) == 0;
    if (fits) {
        set_trimmed(ret_secret, text, size);
    }
    secret_zero(text, sizeof(text));
    return fits ||
           fault_set(err, PROVISION_ERROR_INVALID, "FILE_UNREADABLE",
                     "%s can't be read, or holds more than %d bytes", path, SECRET_MAX_BYTES - 1);
}

bool secret_file_of_setting(const char *name, Secret *ret_secret, ProvisionError *err)
{
    Text variable CLEANUP(text_clear) = TEXT_INIT(128);
    settings_environment_name(name, &variable);
    const char *value = getenv(text_get(&variable));
    if (value != NULL && value[0] != '\0') {
        set_trimmed(ret_secret, value, strlen(value));
        return true;
    }
    text_append(&variable, "_FILE");
    const char *path = getenv(text_get(&variable));
    return path == NULL || path[0] == '\0' || secret_file_read(path, ret_secret, err);
}
