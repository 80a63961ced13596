/*
 * Commands to the workers: through libprovision as a backend service would send them, or as bare
 * records where the test wants what libprovision would not send.
 */
#ifndef E2E_COMMANDS_H
#define E2E_COMMANDS_H

#include "support/world.h"

// Where a record landed.
typedef struct Place {
    int32_t partition;
    int64_t offset;
} Place;

// Sends a command of the application and returns its id, kept until the program ends. `format`
// gives its members in JSON, single quotes for double ones:
//     command_send(world, "shop", "'deleteEnvironment': {'environment': '%s'}", environment)
// A 'commandId' may be among them.
const char *command_send(World *world, const char *application, const char *format, ...)
    PRINTF_LIKE(3, 4);
// Sends it and waits for its outcome, which has to be of this type ("EnvironmentCreated").
const Seen *command_run(World *world, const char *application, const char *type, const char *format,
                        ...) PRINTF_LIKE(4, 5);
// The same for a command that is to be refused: type CommandRejected or CommandFailed, its code,
// and a message that isn't empty.
const Seen *command_refused(World *world, const char *application, const char *type,
                            const char *code, const char *format, ...) PRINTF_LIKE(5, 6);
// ConnectAccount with a key in a sealed box; returns the id.
const char *command_connect(World *world, const char *application, const char *account,
                            const char *api_key);
// ConnectAccount "main" with the world's key, waited for.
void command_connect_main(World *world, const char *application);
// Waits for the outcome of a command that was sent; fails unless it has this type.
const Seen *command_await(World *world, const char *command_id, const char *type);

// The packed message of a command; `format` as above, but complete ('applicationId' and all).
// Freed by the caller with buffer_clear.
// command_quote turns the quotes of a value that is JSON itself; kept until the program ends.
Buffer command_pack(const char *format, ...) PRINTF_LIKE(1, 2);
const char *command_quote(const char *members);
// Sends bytes as they are. `partition` -1: by the key. `key` NULL: none.
Place command_send_bytes(World *world, const char *key, int32_t partition, Bytes value);
// The same with so many bytes in a header.
Place command_send_padded(World *world, const char *key, int32_t partition, Bytes value,
                          size_t padding_bytes);
// The same with headers, which belong to the record from then on.
Place command_send_headers(World *world, const char *key, int32_t partition, Bytes value,
                           rd_kafka_headers_t *headers);
// A new UUID, kept until the program ends.
const char *command_new_id(void);

#endif
