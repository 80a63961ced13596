/*
 * What every subcommand that talks to Kafka takes: servers, properties, topics, --json. Settings
 * come from the
 * --config file, then KAFKA_BOOTSTRAP_SERVERS, then the command line; the later one wins.
 */
#ifndef CTL_CONNECTION_H
#define CTL_CONNECTION_H

#include <argp.h>
#include <stdbool.h>

#include "provision/provision.h"

enum { CONNECTION_PROPERTIES_MAX = 64 };

typedef struct Connection {
    bool json;
    const char *config_path;
    const char *signing_key_path; // NULL: what PROVISION_SIGNING_KEY_FILE names, if anything
    char *properties[CONNECTION_PROPERTIES_MAX]; // "name\0value", owned
    size_t property_count;
} Connection;

// A child parser; its input is the Connection.
extern const struct argp CONNECTION_ARGP;

void connection_clear(Connection *connection);

// The client, or NULL: the problem was reported and *ret_exit_code is to be returned by main.
ProvisionClient *connection_open(const Connection *connection, int *ret_exit_code);

// The same without a word: NULL and the error.
ProvisionClient *connection_try(const Connection *connection, ProvisionError *err);

// A property for where the command line says nothing else.
void connection_default(Connection *connection, const char *name, const char *value);

void connection_free_client(ProvisionClient **client); // for CLEANUP

#endif
