/*
 * Whatever comes from Neon's API: the first byte picks what reads the rest.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/utf8.h"
#include "neon/body.h"
#include "neon/member.h"
#include "neon/message.h"
#include "neon/reply.h"
#include "neon/retry_after.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "does not hold: %s\n", what);
        abort();
    }
}

// What may stand in a log line or an event.
static void must_be_clean(const char *text)
{
    must(utf8_is_valid(bytes_of(text)), "UTF-8");
    for (; *text != '\0'; text++) {
        must((unsigned char)*text >= 0x20 && *text != 0x7f, "no control characters");
    }
}

static void must_be_refused(bool decoded, const Error *err)
{
    must(decoded == (err->kind == ERROR_NONE), "an error where decoding failed");
    must(decoded || strcmp(err->code, "UNEXPECTED_REPLY") == 0, "UNEXPECTED_REPLY");
    must_be_clean(err->text);
}

static void auth(const json_t *body)
{
    NeonAccountInfo info;
    Error err = ERROR_INIT;
    must_be_refused(neon_decode_auth(body, &info, &err), &err);
}

static void organizations(const json_t *body)
{
    NeonOrganization list[4];
    size_t count = 0;
    Error err = ERROR_INIT;
    must_be_refused(neon_decode_organizations(body, list, 4, &count, &err), &err);
    for (size_t i = 0; i < count && i < 4; i++) {
        must_be_clean(list[i].name);
    }
}

static void regions(const json_t *body)
{
    bool has = false;
    Error err = ERROR_INIT;
    must_be_refused(neon_decode_has_region(body, "aws-eu-central-1", &has, &err), &err);
    NeonRegion list[4];
    size_t count = 0;
    err = ERROR_INIT;
    must_be_refused(neon_decode_regions(body, list, 4, &count, &err), &err);
    for (size_t i = 0; err.kind == ERROR_NONE && i < count && i < 4; i++) {
        must_be_clean(list[i].id);
        must_be_clean(list[i].name);
    }
}

static void projects(const json_t *body)
{
    NeonPage page;
    NeonProject project;
    Error err = ERROR_INIT;
    must_be_refused(neon_decode_project(body, &project, &err), &err);
    err = ERROR_INIT;
    bool decoded = neon_decode_projects(body, "c1", &page, &err);
    must_be_refused(decoded, &err);
    for (size_t i = 0; decoded && i < json_array_size(page.items); i++) {
        err = ERROR_INIT;
        must_be_refused(neon_decode_project_item(json_array_get(page.items, i), &project, &err),
                        &err);
        must(err.kind != ERROR_NONE || name_check_neon_id(project.id, "id", NULL), "an id");
    }
}

static void branches(const json_t *body)
{
    NeonPage page;
    NeonBranch branch;
    Error err = ERROR_INIT;
    must_be_refused(neon_decode_branch(body, &branch, &err), &err);
    err = ERROR_INIT;
    bool decoded = neon_decode_branches(body, "c1", &page, &err);
    must_be_refused(decoded, &err);
    must(!decoded || strcmp(page.cursor, "c1") != 0, "another cursor");
    for (size_t i = 0; decoded && i < json_array_size(page.items); i++) {
        err = ERROR_INIT;
        must_be_refused(neon_decode_branch_item(body, json_array_get(page.items, i), &branch, &err),
                        &err);
        must(neon_mark_is_empty(&branch.mark) || neon_mark_equal(&branch.mark, &branch.mark),
             "a mark is whole or empty");
    }
}

static void endpoints(const json_t *body)
{
    NeonEndpoint endpoint;
    bool found = false;
    Error err = ERROR_INIT;
    must_be_refused(neon_decode_endpoints(body, &endpoint, &found, &err), &err);
    must(!found || neon_member_is_host(endpoint.host), "a host name");
}

static void operations(const json_t *body)
{
    json_t *ids = NULL;
    NeonOperation operation;
    Error err = ERROR_INIT;
    bool decoded = neon_decode_operation_ids(body, &ids, &err);
    must_be_refused(decoded, &err);
    must(decoded == (ids != NULL), "ids where decoding succeeded");
    json_decref(ids);
    err = ERROR_INIT;
    must_be_refused(neon_decode_operation(body, &operation, &err), &err);
    must_be_clean(operation.error);
}

static void roles(const json_t *body)
{
    Error err = ERROR_INIT;
    const json_t *list = neon_decode_roles(body, &err);
    must_be_refused(list != NULL, &err);
    for (size_t i = 0; i < json_array_size(list); i++) {
        NeonRole role;
        err = ERROR_INIT;
        must_be_refused(neon_decode_role_item(json_array_get(list, i), &role, &err), &err);
    }
    err = ERROR_INIT;
    list = neon_decode_databases(body, &err);
    must_be_refused(list != NULL, &err);
    for (size_t i = 0; i < json_array_size(list); i++) {
        NeonDatabase database;
        err = ERROR_INIT;
        must_be_refused(neon_decode_database_item(json_array_get(list, i), &database, &err), &err);
    }
}

static void secrets(const json_t *body)
{
    CLEANUP(secret_clear) Secret secret = SECRET_INIT;
    Error err = ERROR_INIT;
    must_be_refused(neon_decode_password(body, &secret, &err), &err);
    err = ERROR_INIT;
    must_be_refused(neon_decode_uri(body, &secret, &err), &err);
    NeonUri uri;
    char pooled_host[64];
    bool found = false;
    err = ERROR_INIT;
    must_be_refused(
        neon_decode_connection(body, &uri, pooled_host, sizeof pooled_host, &secret, &found, &err),
        &err);
}

static void uri(const char *text)
{
    CLEANUP(secret_clear) Secret password = SECRET_INIT;
    NeonUri parts;
    Error err = ERROR_INIT;
    bool parsed = neon_uri_parse(text, &parts, &password, &err);
    must_be_refused(parsed, &err);
    must(!parsed || (neon_member_is_host(parts.host) && parts.port >= 1 && parts.port <= 65535 &&
                     parts.database[0] != '\0' && parts.role[0] != '\0'),
         "a whole address");
    must(utf8_is_valid(bytes_of(parts.database)) && utf8_is_valid(bytes_of(parts.role)), "UTF-8");
    must(parsed || secret_is_empty(&password), "no password of a refused URI");
}

static void message(const char *text)
{
    char copy[64];
    neon_message_copy(copy, sizeof copy, text);
    must_be_clean(copy);
    must(neon_retry_after_ms(text, 0) <= NEON_RETRY_AFTER_MS_MAX, "at most an hour");
    neon_message_copy_token(copy, sizeof copy, text);
    must_be_clean(copy);
}

// The second byte picks a status.
static void reply(Bytes input)
{
    static const int STATUSES[] = {0,   200, 201, 202, 204, 302, 400, 401, 404,
                                   409, 412, 422, 423, 429, 500, 503, 524, 600};
    NeonRawReply raw = {.content_type = "application/json",
                        .request_id = "",
                        .retry_after = "",
                        .transport_error = ""};
    if (input.size > 0) {
        raw.status = STATUSES[input.data[0] % (sizeof STATUSES / sizeof STATUSES[0])];
        raw.body = (Bytes){input.data + 1, input.size - 1};
    }
    CLEANUP(neon_reply_clear) NeonReply read;
    neon_reply_read(&raw, &read);
    must_be_clean(read.message);
    must_be_clean(read.code);
    must_be_clean(read.request_id);
    must(read.body == NULL || read.meaning == NEON_OK, "a body only of a good reply");
    if (read.meaning != NEON_OK) {
        Error err = ERROR_INIT;
        must(!neon_reply_error(&read, "fuzzing", &err) && err.kind != ERROR_NONE, "an error");
        must_be_clean(err.text);
    }
}

static const struct {
    char key;
    void (*read)(const json_t *body);
} JSON_READERS[] = {
    {'a', auth},      {'g', organizations}, {'n', regions}, {'p', projects}, {'b', branches},
    {'e', endpoints}, {'o', operations},    {'r', roles},   {'s', secrets},
};

static const struct {
    char key;
    void (*read)(const char *text);
} TEXT_READERS[] = {{'u', uri}, {'m', message}};

static void read_json(void (*read)(const json_t *), Bytes input)
{
    const char *why = "";
    json_t *body = neon_body_parse("application/json", input, &why);
    must((body == NULL) == (why[0] != '\0'), "a reason where there is no body");
    read(body);
    json_decref(body);
}

static void read_text(void (*read)(const char *), Bytes input)
{
    CLEANUP(buffer_clear) Buffer text = {0};
    buffer_set(&text, input);
    read(text.data == NULL ? "" : (const char *)text.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    Bytes rest = {data + 1, size - 1};
    if (data[0] == 'x') {
        reply(rest);
    }
    for (size_t i = 0; i < sizeof JSON_READERS / sizeof JSON_READERS[0]; i++) {
        if (data[0] == (uint8_t)JSON_READERS[i].key) {
            read_json(JSON_READERS[i].read, rest);
        }
    }
    for (size_t i = 0; i < sizeof TEXT_READERS / sizeof TEXT_READERS[0]; i++) {
        if (data[0] == (uint8_t)TEXT_READERS[i].key) {
            read_text(TEXT_READERS[i].read, rest);
        }
    }
    return 0;
}
