/*
 * A small HTTP server on the loop (libmicrohttpd, no thread of its own) for probes and metrics:
 * GET only, a reply a connection. What others do can't hurt: at most ADMIN_CONNECTIONS_MAX
 * connections, each with ADMIN_CONNECTION_BYTES of memory for its request and at most
 * ADMIN_CONNECTION_MS of life, after which it is cut off; more wait in the kernel's queue.
 *
 * It has no login: it listens on loopback unless told otherwise, and what it serves holds no
 * secret.
 */
#ifndef DRIVE_ADMIN_H
#define DRIVE_ADMIN_H

#include "base/error.h"
#include "base/text.h"
#include "drive/loop.h"

enum {
    ADMIN_CONNECTIONS_MAX = 16,
    ADMIN_CONNECTION_BYTES = 8 * 1024,
    ADMIN_CONNECTION_MS = 5000,
    ADMIN_REPLY_BYTES_MAX = 4 * 1024 * 1024,
};

typedef struct Admin Admin;

// `status` is 404 before the handler: what it doesn't know it leaves alone.
typedef struct AdminReply {
    int status;
    const char *content_type; // static
    Text body;
} AdminReply;

// `path` without its query. Called on the loop.
typedef void AdminHandler(void *context, const char *path, AdminReply *reply);

// `address`: "127.0.0.1:9464", "[::1]:9464"; port 0 takes any that is free. Errors:
// ADMIN_ADDRESS_INVALID, ADMIN_ADDRESS_REFUSED (not ours, or not allowed), ADMIN_ADDRESS_IN_USE
// (kind unavailable).
Admin *admin_open(Loop *loop, const char *address, AdminHandler *handler, void *context,
                  Error *err);
int admin_port(const Admin *admin);
// Connections are cut off; nothing is called any more.
void admin_free(Admin *admin);

#endif
