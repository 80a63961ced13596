/*
 * curl's sockets on the loop. Each is polled for as long as it is open, also between two requests,
 * so that one costs no epoll_ctl.
 */
#ifndef DRIVE_HTTP_SOCKETS_H
#define DRIVE_HTTP_SOCKETS_H

#include <curl/curl.h>

#include "drive/loop.h"

typedef struct HttpSockets HttpSockets;

// `events`: bits CURL_CSELECT_…
typedef void HttpSocketEvent(void *context, curl_socket_t fd, int events);

HttpSockets *http_sockets_new(Loop *loop, HttpSocketEvent *on_event, void *context);
void http_sockets_free(HttpSockets *sockets); // all of them closed
// What curl waits for on it: CURL_POLL_…
void http_sockets_want(HttpSockets *sockets, curl_socket_t fd, int what);
// Closes it, too; returns what close(2) does.
int http_sockets_close(HttpSockets *sockets, curl_socket_t fd);

#endif
