/*
 * An HTTP client on a loop, and the scripted server that it talks to.
 */
#ifndef DRIVE_TEST_HTTP_FIXTURE_H
#define DRIVE_TEST_HTTP_FIXTURE_H

#include "drive/http.h"
#include "server.h"
#include "support.h"

typedef struct HttpFixture {
    Server *server;
    Loop *loop;
    Resolver *resolver;
    Http *http;
} HttpFixture;

// What a reply said, and what to do in its callback.
typedef struct HttpSeen {
    bool done;
    int status;
    bool written;
    char content_type[64];
    char request_id[64];
    char retry_after[16];
    char error[256];
    char body[64];
    HttpCall *to_cancel;
} HttpSeen;

int http_set_up(void **state);
// Fails when the loop was blocked.
int http_tear_down(void **state);
void http_on_reply(void *context, const HttpReply *reply); // the context is a HttpSeen
// Sends one request, a POST with a small body, and waits until it has ended.
void http_exchange(HttpFixture *f, const char *method, const char *path, HttpSeen *ret_reply);

#endif
