#include "ctl/api_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "lib/fault.h"

enum {
    OPTION_FILE = 0x400,
    OPTION_VARIABLE,
    OPTION_FLEET_KEY,
    KEY_FILE_MAX_BYTES = 4096,
    HEX_DIGITS = 2 * PROVISION_KEY_BYTES,
};

static const char FLEET_KEY_VARIABLE[] = "PROVISION_FLEET_PUBLIC_KEY";

static const struct argp_option OPTIONS[] = {
    {NULL, 0, NULL, 0, "The Neon API key of connect-account:", 40},
    {"api-key-file", OPTION_FILE, "FILE", 0, "File that holds it; - is standard input", 40},
    {"api-key-env", OPTION_VARIABLE, "NAME", 0, "Environment variable that holds it", 40},
    {"fleet-public-key", OPTION_FLEET_KEY, "FILE|HEX", 0,
     "Public key of the workers, which it is sealed for (default: PROVISION_FLEET_PUBLIC_KEY)", 40},
    {0},
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    ApiKeyOptions *options = state->input;
    switch (key) {
    case OPTION_FILE:
        options->file = text;
        return 0;
    case OPTION_VARIABLE:
        options->variable = text;
        return 0;
    case OPTION_FLEET_KEY:
        options->fleet_public_key = text;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp API_KEY_ARGP = {.options = OPTIONS, .parser = parse};

bool api_key_is_given(const ApiKeyOptions *options)
{
    return options->file != NULL || options->variable != NULL;
}

static void close_descriptor(int *descriptor)
{
    if (*descriptor > STDIN_FILENO) {
        (void)close(*descriptor);
    }
}

static ssize_t read_whole(int descriptor, char *buffer, size_t capacity)
{
    size_t size = 0;
    while (size < capacity) {
        ssize_t count = read(descriptor, buffer + size, capacity - size);
        if (count == 0) {
            break;
        }
        if (count < 0 && errno != EINTR) {
            return -1;
        }
        size += count > 0 ? (size_t)count : 0;
    }
    return (ssize_t)size;
}

static void zero_buffer(char (*buffer)[KEY_FILE_MAX_BYTES])
{
    secret_zero(*buffer, sizeof(*buffer));
}

static bool is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// Without stdio, whose buffer would keep a copy. White space around the text is dropped.
static bool read_file(const char *path, const char *code, Secret *ret_text, ProvisionError *err)
{
    char buffer[KEY_FILE_MAX_BYTES] CLEANUP(zero_buffer);
    int descriptor CLEANUP(close_descriptor) =
        strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = descriptor < 0 ? -1 : read_whole(descriptor, buffer, sizeof(buffer));
    if (size < 0) {
        return fault_set(err, PROVISION_ERROR_INVALID, "FILE_UNREADABLE", "%s: %s", path,
                         strerror(errno));
    }
    if (size == sizeof(buffer)) {
        return fault_set(err, PROVISION_ERROR_INVALID, code, "%s is too long for a key", path);
    }
    Bytes bytes = {.data = (const uint8_t *)buffer, .size = (size_t)size};
    while (bytes.size > 0 && is_white((char)bytes.data[bytes.size - 1])) {
        bytes.size--;
    }
    while (bytes.size > 0 && is_white((char)bytes.data[0])) {
        bytes.data++;
        bytes.size--;
    }
    secret_set(ret_text, bytes);
    return !secret_is_empty(ret_text) ||
           fault_set(err, PROVISION_ERROR_INVALID, code, "%s is empty", path);
}

static bool read_api_key(const ApiKeyOptions *options, Secret *ret_key, ProvisionError *err)
{
    if (options->file != NULL) {
        return read_file(options->file, "API_KEY_UNREADABLE", ret_key, err);
    }
    const char *value = getenv(options->variable);
    if (value == NULL || value[0] == '\0') {
        return fault_set(err, PROVISION_ERROR_INVALID, "API_KEY_UNREADABLE",
                         "the environment variable %s is not set", options->variable);
    }
    secret_set_text(ret_key, value);
    return true;
}

static bool is_hex(const char *text)
{
    return strlen(text) == HEX_DIGITS && strspn(text, "0123456789abcdefABCDEF") == HEX_DIGITS;
}

static bool read_public_key(const ApiKeyOptions *options,
                            uint8_t ret_public_key[PROVISION_KEY_BYTES], ProvisionError *err)
{
    const char *given =
        options->fleet_public_key != NULL ? options->fleet_public_key : getenv(FLEET_KEY_VARIABLE);
    if (given == NULL || given[0] == '\0') {
        return fault_set_field(err, "FIELD_REQUIRED", "fleet_public_key",
                               "the API key is sealed for the workers: give --fleet-public-key "
                               "(FILE.pub of provisionctl keygen)");
    }
    if (is_hex(given)) {
        return provision_public_key_parse(given, ret_public_key, err);
    }
    Secret text CLEANUP(secret_clear) = SECRET_INIT;
    return read_file(given, "KEY_UNREADABLE", &text, err) &&
           provision_public_key_parse(secret_reveal(&text), ret_public_key, err);
}

bool api_key_read(const ApiKeyOptions *options, Secret *ret_key,
                  uint8_t ret_public_key[PROVISION_KEY_BYTES], ProvisionError *err)
{
    if (options->file != NULL && options->variable != NULL) {
        return fault_set_field(err, "FIELD_REQUIRED", "connect_account.api_key",
                               "give --api-key-file or --api-key-env, not both");
    }
    return read_public_key(options, ret_public_key, err) && read_api_key(options, ret_key, err);
}
