/*
 * A small HTTP server for tests, a thread a connection. The path says how it behaves:
 *   /ok         200, a small JSON body, connection kept
 *   /status/N   status N with a Retry-After and an x-neon-ret-request-id header
 *   /redirect   302 to /ok
 *   /lost       reads the whole request, then closes without a reply
 *   /deaf       reads the head of the request and nothing more
 *   /endless    a body without an end
 *   /drip       a byte of body now and then, without an end
 *   /silent     reads the whole request and never replies
 */
#ifndef DRIVE_TEST_SERVER_H
#define DRIVE_TEST_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Server Server;

typedef struct ServerRequest {
    int connection; // counted from 1
    char method[16];
    char path[128];
    char head[2048];   // all of it
    size_t body_bytes; // that came in; a request that stayed incomplete is noted as well
    bool whole;
} ServerRequest;

Server *server_start(void);
void server_stop(Server *server);
const char *server_url(const Server *server);
size_t server_count(Server *server, const char *path); // whole requests of this path
bool server_last(Server *server, ServerRequest *ret_request);
int server_connections(Server *server);

#endif
