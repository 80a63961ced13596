/* The HTTP side: libmicrohttpd on the loop, one request from its bytes to its reply, with the
 * faults that come between. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "sandbox.h"

typedef struct Server Server;

/* Listens on 127.0.0.1. NULL with a sentence in ret_error. */
Server *server_open(Sandbox *sandbox, char *ret_error, size_t error_bytes);
int server_port(const Server *server);
/* Drops what is under way and stops listening; the loop has to run once more before it is freed. */
void server_close(Server *server);
