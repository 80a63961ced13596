#include "ctl/connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/crypto.h"
#include "ctl/exit_code.h"
#include "ctl/properties.h"
#include "ctl/report.h"
#include "ctl/secret_file.h"
#include "lib/fault.h"

enum {
    OPTION_SERVERS = 'b',
    OPTION_PROPERTY = 'X',
    OPTION_CONFIG = 0x100,
    OPTION_COMMANDS,
    OPTION_EVENTS,
    OPTION_STATE,
    OPTION_DEAD_LETTERS,
    OPTION_SIGNING_KEY,
    OPTION_JSON,
};

static const struct argp_option OPTIONS[] = {
    {NULL, 0, NULL, 0, "Connection and output:", 100},
    {"bootstrap-servers", OPTION_SERVERS, "HOST:PORT,…", 0,
     "Kafka brokers (default: KAFKA_BOOTSTRAP_SERVERS)", 100},
    {NULL, OPTION_PROPERTY, "NAME=VALUE", 0, "Property of librdkafka; passwords go into --config",
     100},
    {"config", OPTION_CONFIG, "FILE", 0, "File with lines NAME = VALUE, as for -X", 100},
    {"commands-topic", OPTION_COMMANDS, "TOPIC", 0, "Default: provisioning.commands", 100},
    {"events-topic", OPTION_EVENTS, "TOPIC", 0, "Default: provisioning.events", 100},
    {"state-topic", OPTION_STATE, "TOPIC", 0, "Default: provisioning.state", 100},
    {"dead-letters-topic", OPTION_DEAD_LETTERS, "TOPIC", 0, "Default: provisioning.dead-letters",
     100},
    {"signing-key-file", OPTION_SIGNING_KEY, "FILE", 0,
     "Sign commands with this key (default: PROVISION_SIGNING_KEY_FILE; neither: unsigned)", 100},
    {"json", OPTION_JSON, NULL, 0, "Output for programs: one JSON object a line", 100},
    {0},
};

static void add_property(Connection *connection, const char *name, size_t name_length,
                         const char *value, struct argp_state *state)
{
    if (connection->property_count == CONNECTION_PROPERTIES_MAX) {
        argp_error(state, "more than %d properties: put them into a file (--config)",
                   CONNECTION_PROPERTIES_MAX);
        return;
    }
    size_t value_size = strlen(value) + 1;
    char *pair = alloc_bytes(name_length + 1 + value_size);
    memcpy(pair, name, name_length);
    pair[name_length] = '\0';
    memcpy(pair + name_length + 1, value, value_size);
    connection->properties[connection->property_count++] = pair;
}

// The command line of a process is open to everybody on the machine.
static void add_assignment(Connection *connection, const char *text, struct argp_state *state)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL) {
        argp_error(state, "-X takes NAME=VALUE");
        return;
    }
    size_t name_length = (size_t)(equals - text);
    add_property(connection, text, name_length, equals + 1, state);
    const char *name = connection->properties[connection->property_count - 1];
    if (properties_is_secret(name)) {
        argp_error(state, "%s doesn't belong on a command line: put it into a file (--config)",
                   name);
    }
}

static void add_named(Connection *connection, const char *name, const char *value,
                      struct argp_state *state)
{
    add_property(connection, name, strlen(name), value, state);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    Connection *connection = state->input;
    switch (key) {
    case OPTION_SERVERS:
        add_named(connection, "bootstrap.servers", text, state);
        return 0;
    case OPTION_PROPERTY:
        add_assignment(connection, text, state);
        return 0;
    case OPTION_CONFIG:
        connection->config_path = text;
        return 0;
    case OPTION_COMMANDS:
        add_named(connection, "topics.commands", text, state);
        return 0;
    case OPTION_EVENTS:
        add_named(connection, "topics.events", text, state);
        return 0;
    case OPTION_STATE:
        add_named(connection, "topics.state", text, state);
        return 0;
    case OPTION_DEAD_LETTERS:
        add_named(connection, "topics.dead_letters", text, state);
        return 0;
    case OPTION_SIGNING_KEY:
        connection->signing_key_path = text;
        return 0;
    case OPTION_JSON:
        connection->json = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp CONNECTION_ARGP = {.options = OPTIONS, .parser = parse};

void connection_clear(Connection *connection)
{
    for (size_t i = 0; i < connection->property_count; i++) {
        free(connection->properties[i]);
    }
    connection->property_count = 0;
}

static void free_options(ProvisionOptions **options)
{
    provision_options_free(*options);
}

static bool set_signing_key(const Connection *connection, ProvisionOptions *options,
                            ProvisionError *err)
{
    const char *path = connection->signing_key_path != NULL ? connection->signing_key_path
                                                            : getenv("PROVISION_SIGNING_KEY_FILE");
    if (path == NULL || path[0] == '\0') {
        return true;
    }
    Secret hex CLEANUP(secret_clear) = SECRET_INIT;
    uint8_t key[PROVISION_KEY_BYTES];
    if (!secret_file_read(path, &hex, err)) {
        return false;
    }
    bool is_key = crypto_hex_decode(secret_reveal(&hex), key, sizeof(key));
    if (is_key) {
        provision_options_set_signing_key(options, key);
    }
    secret_zero(key, sizeof(key));
    return is_key || fault_set_field(err, "KEY_INVALID", "signing-key-file",
                                     "%s holds no key of 64 hex digits; provisionctl keygen "
                                     "--signing makes one",
                                     path);
}

static bool set_all(const Connection *connection, ProvisionOptions *options, ProvisionError *err)
{
    if (connection->config_path != NULL &&
        !properties_read(connection->config_path, options, err)) {
        return false;
    }
    const char *servers = getenv("KAFKA_BOOTSTRAP_SERVERS");
    if (servers != NULL && servers[0] != '\0' &&
        !provision_options_set(options, "bootstrap.servers", servers, err)) {
        return false;
    }
    if (!set_signing_key(connection, options, err)) {
        return false;
    }
    for (size_t i = 0; i < connection->property_count; i++) {
        const char *name = connection->properties[i];
        if (!provision_options_set(options, name, name + strlen(name) + 1, err)) {
            return false;
        }
    }
    return true;
}

void connection_default(Connection *connection, const char *name, const char *value)
{
    if (connection->property_count == CONNECTION_PROPERTIES_MAX) {
        return;
    }
    size_t name_size = strlen(name) + 1;
    size_t value_size = strlen(value) + 1;
    char *pair = alloc_bytes(name_size + value_size);
    memcpy(pair, name, name_size);
    memcpy(pair + name_size, value, value_size);
    memmove(&connection->properties[1], &connection->properties[0],
            connection->property_count * sizeof(connection->properties[0]));
    connection->properties[0] = pair;
    connection->property_count++;
}

ProvisionClient *connection_try(const Connection *connection, ProvisionError *err)
{
    ProvisionOptions *options CLEANUP(free_options) = provision_options_new();
    return set_all(connection, options, err) ? provision_client_new(options, err) : NULL;
}

ProvisionClient *connection_open(const Connection *connection, int *ret_exit_code)
{
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    ProvisionClient *client = connection_try(connection, &error);
    *ret_exit_code = EXIT_CODE_OK;
    if (client == NULL) {
        if (strcmp(error.field, "bootstrap.servers") == 0) {
            *ret_exit_code = report_problem(connection->json, EXIT_CODE_USAGE, error.code,
                                            "where is Kafka? Give --bootstrap-servers HOST:PORT or "
                                            "set KAFKA_BOOTSTRAP_SERVERS");
        } else {
            int code = report_error(connection->json, &error);
            *ret_exit_code = code == EXIT_CODE_FILE ? code : EXIT_CODE_USAGE;
        }
    }
    return client;
}

void connection_free_client(ProvisionClient **client)
{
    provision_client_free(*client);
}
