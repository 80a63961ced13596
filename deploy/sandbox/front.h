/* One port for every endpoint, as Neon's proxy has it: a login is passed on to the endpoint whose
 * name the client asks for in its TLS handshake (SNI), which goes through untouched. For clients
 * that build a connection string from an endpoint's host name alone. Cancel requests carry no name,
 * so they work at an endpoint's own port only. */
#pragma once

#include "sandbox.h"

typedef struct Front Front;

/* Listens on 127.0.0.1. NULL with a sentence in ret_error. */
Front *front_open(Sandbox *sandbox, int port, char *ret_error, size_t error_bytes);
int front_port(const Front *front);
/* Stops listening and closes every connection; freed when the loop has closed its handles. */
void front_close(Front *front);
