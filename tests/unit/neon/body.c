// What of a reply is read at all.
#include "neon/body.h"

#include "neon/reply.h"
#include "unit.h"

static NeonReply read_bytes(Bytes body)
{
    NeonRawReply raw = {.status = 200,
                        .content_type = "application/json; charset=utf-8",
                        .request_id = "",
                        .retry_after = "",
                        .transport_error = "",
                        .body = body};
    NeonReply reply;
    neon_reply_read(&raw, &reply);
    return reply;
}

static NeonReply read_reply(const char *body)
{
    return read_bytes(bytes_of(body));
}

static void hostile_json_is_not_read(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        NeonMeaning meaning;
    } CASES[] = {
        {"{\"a\":1,\"a\":2}", NEON_UNKNOWN},
        {"{\"a\":\"\\u0000\"}", NEON_UNKNOWN},
        {"{\"a\":\"\xff\"}", NEON_UNKNOWN},
        {"{\"a\":99999999999999999999}", NEON_UNKNOWN},
        {"{} {}", NEON_UNKNOWN},
        {"7", NEON_UNKNOWN},
        {"{\"a\":\"\\", NEON_UNKNOWN},
        {"{\"a", NEON_UNKNOWN},
        {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", NEON_OK},
        {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", NEON_UNKNOWN},
        {"]]]],,[{\"a\":", NEON_UNKNOWN},
        {"[{\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\":[\"{{{{{{{{{{\"]}]", NEON_OK},
        {"[[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],"
         "{},{},{},{},{}]]",
         NEON_OK},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        NeonReply reply = read_reply(CASES[i].body);
        if (reply.meaning != CASES[i].meaning) {
            print_error("%s\n", CASES[i].body);
        }
        assert_int_equal(reply.meaning, CASES[i].meaning);
        assert_int_equal(reply.message[0] == '\0', reply.meaning == NEON_OK);
        neon_reply_clear(&reply);
    }
}

// `outer` arrays of `inner` values each.
static char *many_values(size_t outer, size_t inner, const char *value)
{
    size_t size = outer * (inner * (strlen(value) + 1) + 3) + 3;
    char *body = malloc(size);
    assert_non_null(body);
    char *end = body;
    *end++ = '[';
    for (size_t i = 0; i < outer; i++) {
        *end++ = '[';
        for (size_t k = 0; k < inner; k++) {
            memcpy(end, value, strlen(value));
            end += strlen(value);
            *end++ = ',';
        }
        end[-1] = ']';
        *end++ = ',';
    }
    end[-1] = ']';
    *end = '\0';
    return body;
}

static void values_are_counted(void **state)
{
    (void)state;
    static const struct {
        size_t outer;
        size_t inner;
        const char *value;
        bool fits;
    } CASES[] = {
        {1, NEON_BODY_MEMBERS_MAX, "1", true},
        {1, NEON_BODY_MEMBERS_MAX + 1, "1", false},
        {NEON_BODY_MEMBERS_MAX + 1, 1, "1", false},
        // 25 arrays of 20000, and what is left of the commas between them
        {NEON_BODY_COMMAS_MAX / NEON_BODY_MEMBERS_MAX, NEON_BODY_MEMBERS_MAX, "1", true},
        {NEON_BODY_COMMAS_MAX / NEON_BODY_MEMBERS_MAX + 1, NEON_BODY_MEMBERS_MAX, "1", false},
        // with themselves and the one around them
        {100, NEON_BODY_CONTAINERS_MAX / 100 - 2, "{}", true},
        {100, NEON_BODY_CONTAINERS_MAX / 100, "{}", false},
        {NEON_BODY_MEMBERS_MAX / 2, 1, "{\"a\":[{},[],\",,{[\"]}", true},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        char *body = many_values(CASES[i].outer, CASES[i].inner, CASES[i].value);
        NeonReply reply = read_reply(body);
        if ((reply.meaning == NEON_OK) != CASES[i].fits) {
            fail_msg("case %zu", i);
        }
        neon_reply_clear(&reply);
        free(body);
    }
}

static void a_reply_over_the_limit_is_not_read(void **state)
{
    (void)state;
    size_t size = NEON_REPLY_BYTES_MAX + 1;
    char *body = malloc(size);
    assert_non_null(body);
    memset(body, ' ', size);
    body[0] = '{';
    body[1] = '}';
    NeonReply reply = read_bytes((Bytes){(const uint8_t *)body, size});
    assert_int_equal(reply.meaning, NEON_UNKNOWN);
    reply = read_bytes((Bytes){(const uint8_t *)body, size - 1});
    assert_int_equal(reply.meaning, NEON_OK);
    neon_reply_clear(&reply);
    free(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_json_is_not_read),
        cmocka_unit_test(values_are_counted),
        cmocka_unit_test(a_reply_over_the_limit_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
