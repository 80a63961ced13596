#include "neon/reply.h"

#include <stdio.h>

#include "unit.h"

#define JSON "application/json; charset=utf-8"
#define NOW INT64_C(1763798400000) // 2025-11-22T08:00:00Z

static NeonRawReply raw_reply(int status, const char *content_type, const char *body)
{
    return (NeonRawReply){.status = status,
                          .content_type = content_type,
                          .request_id = "",
                          .retry_after = "",
                          .now_ms = NOW,
                          .transport_error = "",
                          .body = bytes_of(body)};
}

static NeonReply read_reply(int status, const char *content_type, const char *body)
{
    NeonRawReply raw = raw_reply(status, content_type, body);
    NeonReply reply;
    neon_reply_read(&raw, &reply);
    assert_int_equal(reply.status, status);
    assert_int_equal(reply.body != NULL,
                     reply.meaning == NEON_OK && body[0] != '\0' && status != 204);
    return reply;
}

#define SAYS(code, message)                                                                        \
    "{\"request_id\":\"r-1\",\"code\":\"" code "\",\"message\":\"" message "\"}"

static void each_status_has_its_meaning(void **state)
{
    (void)state;
    static const struct {
        int status;
        NeonMeaning meaning;
        const char *body;
    } CASES[] = {
        {200, NEON_OK, "{}"},
        {201, NEON_OK, "[]"},
        {202, NEON_OK, "{}"},
        {202, NEON_OK, ""},
        {204, NEON_OK, ""},
        {204, NEON_OK, "ignored"},
        {200, NEON_UNKNOWN, ""},
        {201, NEON_UNKNOWN, ""},
        {201, NEON_UNKNOWN, "{"},
        {202, NEON_UNKNOWN, "{"},
        {100, NEON_UNKNOWN, ""},
        {302, NEON_REFUSED, ""},
        {307, NEON_REFUSED, SAYS("", "moved")},
        {400, NEON_REFUSED, SAYS("", "org_id is required")},
        {401, NEON_DENIED, SAYS("", "no")},
        {402, NEON_REFUSED, SAYS("", "pay")},
        {403, NEON_DENIED, SAYS("", "no")},
        {404, NEON_NOT_FOUND, SAYS("", "branch not found")},
        {404, NEON_REFUSED, SAYS("", "this route does not exist")},
        {404, NEON_REFUSED, "{}"},
        {404, NEON_REFUSED, ""},
        {406, NEON_REFUSED, SAYS("", "no")},
        {408, NEON_UNKNOWN, SAYS("", "late")},
        {409, NEON_EXISTS, SAYS("BRANCH_ALREADY_EXISTS", "branch already exists")},
        {409, NEON_EXISTS, SAYS("ENDPOINTS_LIMIT_EXCEEDED", "endpoint exists")},
        {412, NEON_PRECONDITION, SAYS("", "passwords")},
        {422, NEON_LOCKED, SAYS("", "branch not ready yet")},
        {422, NEON_LOCKED, SAYS("", "endpoint is Not Ready")},
        {422, NEON_LIMIT, SAYS("BRANCHES_LIMIT_EXCEEDED", "no more")},
        {422, NEON_LIMIT, SAYS("", "branches Limit Exceeded")},
        {422, NEON_REFUSED, SAYS("X_LIMIT_EXCEEDED_Y", "no more")},
        {422, NEON_REFUSED, SAYS("", "cannot delete protected branch")},
        {422, NEON_REFUSED, ""},
        {423, NEON_LOCKED, SAYS("", "running")},
        {429, NEON_RATE_LIMITED, ""},
        {451, NEON_REFUSED, ""},
        {499, NEON_REFUSED, ""},
        {500, NEON_UNKNOWN, SAYS("", "internal")},
        {501, NEON_UNKNOWN, ""},
        {502, NEON_UNKNOWN, ""},
        {503, NEON_AWAY, ""},
        {504, NEON_UNKNOWN, ""},
        {520, NEON_UNKNOWN, ""},
        {524, NEON_UNKNOWN, ""},
        {527, NEON_UNKNOWN, ""},
        {599, NEON_UNKNOWN, ""},
        {600, NEON_UNKNOWN, ""},
        {-1, NEON_UNKNOWN, ""},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        NeonReply reply = read_reply(CASES[i].status, JSON, CASES[i].body);
        if (reply.meaning != CASES[i].meaning) {
            print_error("%d %s\n", CASES[i].status, CASES[i].body);
        }
        assert_int_equal(reply.meaning, CASES[i].meaning);
        neon_reply_clear(&reply);
        assert_null(reply.body);
    }
}

static void only_what_says_it_is_json_is_read_as_json(void **state)
{
    (void)state;
    static const struct {
        const char *content_type;
        NeonMeaning meaning;
    } CASES[] = {
        {"application/json", NEON_OK},
        {"Application/JSON;charset=utf-8", NEON_OK},
        {"application/json ; x", NEON_OK},
        {"application/problem+json", NEON_OK},
        {"application/vnd.x+JSON; v=1", NEON_OK},
        {"", NEON_UNKNOWN},
        {"text/html", NEON_UNKNOWN},
        {"text/json", NEON_UNKNOWN},
        {"application/jsonx", NEON_UNKNOWN},
        {"application/jso", NEON_UNKNOWN},
        {"+json", NEON_UNKNOWN},
        {"application/text", NEON_UNKNOWN},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        NeonReply reply = read_reply(200, CASES[i].content_type, "{}");
        assert_int_equal(reply.meaning, CASES[i].meaning);
        neon_reply_clear(&reply);
    }
    NeonReply html = read_reply(524, "text/html", "<html>524: a timeout occurred</html>");
    assert_int_equal(html.meaning, NEON_UNKNOWN);
    assert_string_equal(html.message, "the reply is not one of Neon's API");
    NeonReply moved = read_reply(302, "text/html", "");
    assert_non_null(strstr(moved.message, "neon.api_url"));
}

static void no_reply_says_why(void **state)
{
    (void)state;
    NeonRawReply raw = raw_reply(0, "", "");
    NeonReply reply;
    neon_reply_read(&raw, &reply);
    assert_int_equal(reply.meaning, NEON_UNKNOWN);
    assert_string_equal(reply.message, "no reply");
    raw.transport_error = "Connection refused\n";
    neon_reply_read(&raw, &reply);
    assert_string_equal(reply.message, "Connection refused ");
}

static void the_request_id_comes_from_the_header_or_else_the_body(void **state)
{
    (void)state;
    NeonRawReply raw = raw_reply(423, JSON, SAYS("", "busy"));
    NeonReply reply;
    neon_reply_read(&raw, &reply);
    assert_string_equal(reply.request_id, "r-1");
    assert_string_equal(reply.message, "busy");
    raw.request_id = "header-1";
    neon_reply_read(&raw, &reply);
    assert_string_equal(reply.request_id, "header-1");
    raw.request_id = "broken\x01id";
    neon_reply_read(&raw, &reply);
    assert_string_equal(reply.request_id, "r-1");
}

static void members_of_other_types_count_as_missing(void **state)
{
    (void)state;
    NeonReply reply = read_reply(423, JSON, "{\"code\":7,\"message\":{},\"request_id\":[]}");
    assert_int_equal(reply.meaning, NEON_LOCKED);
    assert_string_equal(reply.code, "");
    assert_string_equal(reply.request_id, "");
    assert_string_equal(reply.message, "the reply is not one of Neon's API");
}

static void retry_after_is_seconds_or_a_date(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        uint32_t ms;
    } CASES[] = {
        {"", 0},
        {"0", 0},
        {"7", 7000},
        {" 7 ", 7000},
        {"3600", 3600000},
        {"3601", 3600000},
        {"99999999999999999999999999", 3600000},
        {"-1", 0},
        {"1.5", 0},
        {"7x", 0},
        {"soon", 0},
        {"Sat, 22 Nov 2025 08:00:30 GMT", 30000},
        {"Sat, 22 Nov 2025 08:00:30 GMT ", 30000},
        {"Saturday, 22-Nov-25 08:00:31 GMT", 31000},
        {"Sat Nov 22 08:00:32 2025", 32000},
        {"Sat, 22 Nov 2025 10:00:00 GMT", 3600000},
        {"Sat, 22 Nov 2025 07:59:59 GMT", 0},
        {"Sat, 22 Nov 2025 08:00:30 GMTx", 0},
        {"Sat, 22 Nov 2025", 0},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        NeonRawReply raw = raw_reply(429, "", "");
        raw.retry_after = CASES[i].header;
        NeonReply reply;
        neon_reply_read(&raw, &reply);
        assert_int_equal(reply.retry_after_ms, CASES[i].ms);
    }
}

static void each_meaning_ends_a_command_in_its_way(void **state)
{
    (void)state;
    static const struct {
        NeonMeaning meaning;
        ErrorKind kind;
        const char *code;
    } CASES[] = {
        {NEON_NOT_FOUND, ERROR_CONFLICT, "NEON_NOT_FOUND"},
        {NEON_EXISTS, ERROR_CONFLICT, "NEON_EXISTS"},
        {NEON_PRECONDITION, ERROR_CONFLICT, "NEON_PRECONDITION"},
        {NEON_LOCKED, ERROR_BUSY, "NEON_LOCKED"},
        {NEON_RATE_LIMITED, ERROR_BUSY, "NEON_RATE_LIMITED"},
        {NEON_AWAY, ERROR_UNAVAILABLE, "NEON_AWAY"},
        {NEON_UNKNOWN, ERROR_UNAVAILABLE, "NEON_UNKNOWN"},
        {NEON_DENIED, ERROR_DENIED, "NEON_DENIED"},
        {NEON_LIMIT, ERROR_DENIED, "NEON_LIMIT"},
        {NEON_REFUSED, ERROR_INVALID, "NEON_REFUSED"},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        NeonReply reply = {.meaning = CASES[i].meaning, .status = 418, .retry_after_ms = 1500};
        Error err = ERROR_INIT;
        assert_false(neon_reply_error(&reply, "creating branch", &err));
        assert_int_equal(err.kind, CASES[i].kind);
        assert_string_equal(err.code, CASES[i].code);
        assert_int_equal(err.retry_after_ms, 1500);
        assert_non_null(strstr(err.text, "creating branch: "));
        assert_non_null(strstr(err.text, "(status 418): "));
        assert_false(neon_reply_error(&reply, "creating branch", NULL));
    }
}

static void an_error_tells_code_request_and_message(void **state)
{
    (void)state;
    NeonReply reply =
        read_reply(422, JSON, SAYS("BRANCHES_LIMIT_EXCEEDED", "branches limit exceeded"));
    Error err = ERROR_INIT;
    (void)neon_reply_error(&reply, "creating branch", &err);
    assert_string_equal(err.code, "BRANCHES_LIMIT_EXCEEDED");
    assert_string_equal(err.text, "creating branch: the Neon plan does not allow more (status 422, "
                                  "BRANCHES_LIMIT_EXCEEDED, request r-1): branches limit exceeded");
    NeonReply none = read_reply(0, "", "");
    (void)neon_reply_error(&none, "creating branch", &err);
    assert_string_equal(err.text, "creating branch: no answer that tells what happened (no "
                                  "status): no reply");
}

static void a_code_that_is_none_of_ours_is_only_told(void **state)
{
    (void)state;
    static const char *const CODES[] = {
        "", "lower_LIMIT_EXCEEDED", "A_CODE_THAT_IS_LONGER_THAN_AN_ERROR_MAY_BE_LIMIT_EXCEEDED"};
    for (size_t i = 0; i < UNIT_COUNT(CODES); i++) {
        char body[160];
        (void)snprintf(body, sizeof body, "{\"code\":\"%s\",\"message\":\"limit exceeded\"}",
                       CODES[i]);
        NeonReply reply = read_reply(422, JSON, body);
        assert_int_equal(reply.meaning, NEON_LIMIT);
        Error err = ERROR_INIT;
        (void)neon_reply_error(&reply, "x", &err);
        assert_string_equal(err.code, "NEON_LIMIT");
        assert_non_null(strstr(err.text, CODES[i]));
    }
}

static void an_error_never_shows_a_password(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body;
    } CASES[] = {
        {400, SAYS("", "bad postgresql://owner:S3cretPw@host/db")},
        {422, SAYS("", "password:\\\"S3cretPw\\\" is too weak")},
        {500, SAYS("", "npg_S3cretPw leaked")},
        {200, "{\"password\":\"S3cretPw\",}"},
        {201, "{\"password\":\"S3cretPw\""},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        NeonReply reply = read_reply(CASES[i].status, JSON, CASES[i].body);
        Error err = ERROR_INIT;
        (void)neon_reply_error(&reply, "x", &err);
        assert_null(strstr(err.text, "S3cretPw"));
    }
}

static void a_long_message_is_cut_at_a_character(void **state)
{
    (void)state;
    char body[2048] = "{\"message\":\"x";
    for (size_t i = 0; i < 200; i++) {
        strncat(body, "\xe2\x82\xac", 4);
    }
    strncat(body, "\"}", 3);
    NeonReply reply = read_reply(400, JSON, body);
    assert_int_equal(strlen(reply.message), 319);
    assert_string_equal(reply.message + 316, "\xe2\x82\xac");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_status_has_its_meaning),
        cmocka_unit_test(only_what_says_it_is_json_is_read_as_json),
        cmocka_unit_test(no_reply_says_why),
        cmocka_unit_test(the_request_id_comes_from_the_header_or_else_the_body),
        cmocka_unit_test(members_of_other_types_count_as_missing),
        cmocka_unit_test(retry_after_is_seconds_or_a_date),
        cmocka_unit_test(each_meaning_ends_a_command_in_its_way),
        cmocka_unit_test(an_error_tells_code_request_and_message),
        cmocka_unit_test(a_code_that_is_none_of_ours_is_only_told),
        cmocka_unit_test(an_error_never_shows_a_password),
        cmocka_unit_test(a_long_message_is_cut_at_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
