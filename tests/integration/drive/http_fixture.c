#include "http_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { REPLY_LIMIT = 100000 };

static void copy(char *to, size_t size, const char *from)
{
    size_t length = strnlen(from, size - 1);
    memcpy(to, from, length);
    to[length] = '\0';
}

void http_on_reply(void *context, const HttpReply *reply)
{
    HttpSeen *kept = context;
    assert_false(kept->done);
    kept->done = true;
    kept->status = reply->status;
    kept->written = reply->written;
    copy(kept->content_type, sizeof(kept->content_type), reply->content_type);
    copy(kept->request_id, sizeof(kept->request_id), reply->request_id);
    copy(kept->retry_after, sizeof(kept->retry_after), reply->retry_after);
    copy(kept->error, sizeof(kept->error), reply->error);
    if (reply->body.size > 0 && reply->body.size < sizeof(kept->body)) {
        memcpy(kept->body, reply->body.data, reply->body.size);
        kept->body[reply->body.size] = '\0';
    }
    if (kept->to_cancel != NULL) {
        http_cancel(kept->to_cancel);
    }
}

int http_set_up(void **state)
{
    HttpFixture *f = alloc_zeroed(1, sizeof(*f));
    f->server = server_start();
    f->loop = loop_new();
    f->resolver = resolver_new(f->loop);
    HttpOptions options = {
        .base_url = server_url(f->server),
        .ca_file = "",
        .user_agent = "drive-test",
        .connect_timeout_ms = 2000,
        .request_timeout_ms = 1500,
        .max_reply_bytes = REPLY_LIMIT,
        .max_connections = 4,
    };
    Error err = ERROR_INIT;
    f->http = http_new(f->loop, f->resolver, &options, &err);
    *state = f;
    return f->http == NULL;
}

int http_tear_down(void **state)
{
    HttpFixture *f = *state;
    bool was_quick = test_loop_was_quick(f->loop);
    http_free(f->http);
    resolver_free(f->resolver);
    loop_free(f->loop);
    server_stop(f->server);
    free(f);
    return was_quick ? 0 : 1;
}

void http_exchange(HttpFixture *f, const char *method, const char *path, HttpSeen *ret_reply)
{
    HttpRequest request = {.method = method, .path = path};
    if (strcmp(method, "POST") == 0) {
        request.body = bytes_of("{\"project\":{}}");
    }
    *ret_reply = (HttpSeen){.done = false};
    http_send(f->http, &request, http_on_reply, ret_reply);
    assert_false(ret_reply->done);
    test_await_flag(f->loop, &ret_reply->done);
}
