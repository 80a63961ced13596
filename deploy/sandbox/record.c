#include "record.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "routes.h"

FILE *record_open(const char *path)
{
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return file < 0 ? NULL : fdopen(file, "a");
}

/* json_string answers NULL to what is no UTF-8. */
static json_t *text_or_null(const char *text)
{
    json_t *string = text == NULL ? NULL : json_string(text);
    return string == NULL ? json_null() : string;
}

static json_t *header_or_null(const Request *request, const char *name)
{
    return text_or_null(MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name));
}

/* Whether it came with a key, good or not. */
static bool has_key(const Request *request)
{
    static const char BEARER[] = "Bearer ";
    const char *value = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
                                                    MHD_HTTP_HEADER_AUTHORIZATION);
    return value != NULL && strncmp(value, BEARER, sizeof(BEARER) - 1) == 0;
}

typedef struct Query {
    FILE *stream;
    int count;
} Query;

/* libmicrohttpd has made spaces of pluses, nothing else (server.c keeps escapes). */
static enum MHD_Result add_argument(void *argument, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    (void)kind;
    Query *query = argument;
    if (query->count++ > 0) {
        putc('&', query->stream);
    }
    for (; *name != '\0'; name++) {
        putc(*name == ' ' ? '+' : *name, query->stream);
    }
    if (value != NULL) {
        putc('=', query->stream);
    }
    for (; value != NULL && *value != '\0'; value++) {
        putc(*value == ' ' ? '+' : *value, query->stream);
    }
    return MHD_YES;
}

static json_t *make_query(const Request *request)
{
    char *text = NULL;
    size_t bytes = 0;
    Query query = {open_memstream(&text, &bytes), 0};
    if (query.stream == NULL) {
        abort();
    }
    MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, add_argument, &query);
    fclose(query.stream);
    json_t *made = text_or_null(text);
    free(text);
    return made;
}

static json_t *make_body(const Request *request)
{
    if (request->body_text == NULL) {
        return json_null();
    }
    json_t *body = json_stringn(request->body_text, request->body_bytes);
    return body == NULL ? json_null() : body;
}

static enum MHD_Result add_header(void *argument, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    (void)kind;
    json_object_set_new(argument, name, text_or_null(value));
    return MHD_YES;
}

static json_t *make_line(const Request *request, struct MHD_Response *response, const char *reply)
{
    const Exchange *exchange = &request->exchange;
    json_t *headers = json_object();
    if (response != NULL) {
        MHD_get_response_headers(response, add_header, headers);
    }
    const char *route = exchange->route == NULL ? NULL : exchange->route->name;
    return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:b, s:i, s:o, s:o}", "agent",
                     header_or_null(request, MHD_HTTP_HEADER_USER_AGENT), "method", request->method,
                     "path", text_or_null(request->raw_path), "query", make_query(request),
                     "content_type", header_or_null(request, MHD_HTTP_HEADER_CONTENT_TYPE), "body",
                     make_body(request), "authorized", has_key(request), "route",
                     text_or_null(route), "fault", text_or_null(request->plan.label), "broken",
                     request->plan.has_error, "status", response == NULL ? 0 : exchange->status,
                     "headers", headers, "reply", text_or_null(reply));
}

void record_add(FILE *record, const Request *request, struct MHD_Response *response,
                const char *reply)
{
    const Route *route = request->exchange.route;
    if (route != NULL && (route->flags & ROUTE_ADMIN) != 0) {
        return;
    }
    json_t *line = make_line(request, response, reply);
    json_dumpf(line, record, JSON_COMPACT);
    putc('\n', record);
    /* A kill loses no line that a client has seen the reply of. */
    fflush(record);
    json_decref(line);
}
