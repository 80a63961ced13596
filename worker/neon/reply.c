#include "neon/reply.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "neon/body.h"
#include "neon/message.h"
#include "neon/retry_after.h"

// Statuses without a reading of the body; the first row that fits.
static const struct {
    int first;
    int last;
    NeonMeaning meaning;
} MEANINGS[] = {
    {300, 399, NEON_REFUSED},      {401, 401, NEON_DENIED},  {403, 403, NEON_DENIED},
    {404, 404, NEON_NOT_FOUND},    {408, 408, NEON_UNKNOWN}, {409, 409, NEON_EXISTS},
    {412, 412, NEON_PRECONDITION}, {423, 423, NEON_LOCKED},  {429, 429, NEON_RATE_LIMITED},
    {503, 503, NEON_AWAY},         {400, 499, NEON_REFUSED},
};

static NeonMeaning meaning_of_status(int status)
{
    for (size_t i = 0; i < sizeof MEANINGS / sizeof MEANINGS[0]; i++) {
        if (status >= MEANINGS[i].first && status <= MEANINGS[i].last) {
            return MEANINGS[i].meaning;
        }
    }
    return NEON_UNKNOWN;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

static NeonMeaning meaning_of_422(const NeonReply *reply)
{
    if (strcasestr(reply->message, "not ready") != NULL) {
        return NEON_LOCKED;
    }
    bool limit = ends_with(reply->code, "_LIMIT_EXCEEDED") ||
                 strcasestr(reply->message, "limit exceeded") != NULL;
    return limit ? NEON_LIMIT : NEON_REFUSED;
}

static const char *text_member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

static void read_success(const NeonRawReply *raw, NeonReply *reply)
{
    bool needs_body = raw->status == 200 || raw->status == 201;
    reply->meaning = NEON_OK;
    if (raw->status == 204 || (raw->body.size == 0 && !needs_body)) {
        return;
    }
    const char *why = "";
    reply->body = neon_body_parse(raw->content_type, raw->body, &why);
    if (reply->body == NULL) {
        reply->meaning = NEON_UNKNOWN;
        (void)snprintf(reply->message, sizeof reply->message, "the reply can't be used: %s", why);
    }
}

static void explain_without_body(const NeonRawReply *raw, NeonReply *reply)
{
    if (raw->status >= 300 && raw->status < 400) {
        neon_message_copy(reply->message, sizeof reply->message,
                          "redirected, and redirects are not followed: check neon.api_url");
    } else {
        neon_message_copy(reply->message, sizeof reply->message,
                          "the reply is not one of Neon's API");
    }
}

static void read_failure(const NeonRawReply *raw, NeonReply *reply)
{
    const char *why = "";
    json_t *body = neon_body_parse(raw->content_type, raw->body, &why);
    neon_message_copy_token(reply->code, sizeof reply->code, text_member(body, "code"));
    neon_message_copy(reply->message, sizeof reply->message, text_member(body, "message"));
    if (reply->request_id[0] == '\0') {
        neon_message_copy_token(reply->request_id, sizeof reply->request_id,
                                text_member(body, "request_id"));
    }
    json_decref(body);
    reply->meaning = meaning_of_status(raw->status);
    bool foreign = reply->message[0] == '\0';
    if (foreign) {
        explain_without_body(raw, reply);
    }
    // Only Neon can say that something is not there: not a proxy on the way, nor a wrong URL.
    bool no_route = strstr(reply->message, "this route does not exist") != NULL;
    if (raw->status == 404 && (foreign || no_route)) {
        reply->meaning = NEON_REFUSED;
    }
    if (raw->status == 422) {
        reply->meaning = meaning_of_422(reply);
    }
}

void neon_reply_read(const NeonRawReply *raw, NeonReply *ret_reply)
{
    *ret_reply = (NeonReply){.meaning = NEON_UNKNOWN, .status = raw->status};
    neon_message_copy_token(ret_reply->request_id, sizeof ret_reply->request_id, raw->request_id);
    ret_reply->retry_after_ms = neon_retry_after_ms(raw->retry_after, raw->now_ms);
    if (raw->status == 0) {
        bool said = raw->transport_error[0] != '\0';
        neon_message_copy(ret_reply->message, sizeof ret_reply->message,
                          said ? raw->transport_error : "no reply");
    } else if (raw->status >= 200 && raw->status < 300) {
        read_success(raw, ret_reply);
    } else {
        read_failure(raw, ret_reply);
    }
}

void neon_reply_clear(NeonReply *reply)
{
    json_decref(reply->body);
    *reply = (NeonReply){.meaning = NEON_UNKNOWN};
}

static const struct {
    ErrorKind kind;
    const char *code;
    const char *sentence;
} ENDINGS[] = {
    [NEON_NOT_FOUND] = {ERROR_CONFLICT, "NEON_NOT_FOUND",
                        "it does not exist, or the API key may not see it"},
    [NEON_EXISTS] = {ERROR_CONFLICT, "NEON_EXISTS", "the name is taken"},
    [NEON_PRECONDITION] = {ERROR_CONFLICT, "NEON_PRECONDITION",
                           "the project does not allow it (does it store passwords?)"},
    [NEON_LOCKED] = {ERROR_BUSY, "NEON_LOCKED", "the project is busy"},
    [NEON_RATE_LIMITED] = {ERROR_BUSY, "NEON_RATE_LIMITED", "too many requests"},
    [NEON_AWAY] = {ERROR_UNAVAILABLE, "NEON_AWAY", "Neon's API is away"},
    [NEON_UNKNOWN] = {ERROR_UNAVAILABLE, "NEON_UNKNOWN", "no answer that tells what happened"},
    [NEON_DENIED] = {ERROR_DENIED, "NEON_DENIED", "the API key was not accepted"},
    [NEON_LIMIT] = {ERROR_DENIED, "NEON_LIMIT", "the Neon plan does not allow more"},
    [NEON_REFUSED] = {ERROR_INVALID, "NEON_REFUSED", "Neon refused it"},
};

static bool is_error_code(const char *code)
{
    size_t length = strlen(code);
    return length > 0 && length < sizeof((Error){0}).code &&
           strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == length;
}

bool neon_reply_error(const NeonReply *reply, const char *what, Error *err)
{
    assert(reply->meaning != NEON_OK);
    const char *code = ENDINGS[reply->meaning].code;
    if (reply->meaning == NEON_LIMIT && is_error_code(reply->code)) {
        code = reply->code;
    }
    char status[32] = "no status";
    if (reply->status != 0) {
        (void)snprintf(status, sizeof status, "status %d", reply->status);
    }
    (void)error_set(err, ENDINGS[reply->meaning].kind, code, "%s: %s (%s%s%s%s%s): %s", what,
                    ENDINGS[reply->meaning].sentence, status, reply->code[0] == '\0' ? "" : ", ",
                    reply->code, reply->request_id[0] == '\0' ? "" : ", request ",
                    reply->request_id, reply->message);
    if (err != NULL) {
        err->retry_after_ms = reply->retry_after_ms;
    }
    return false;
}
