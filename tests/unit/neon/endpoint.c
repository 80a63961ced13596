#include "neon/reply.h"
#include "unit.h"

#define ENDPOINT(id, type)                                                                         \
    "{'id':'" id "','branch_id':'br-1','host':'" id ".eu.neon.tech','type':'" type "',"            \
    "'current_state':'init','pending_state':'active','autoscaling_limit_min_cu':0.25,"             \
    "'autoscaling_limit_max_cu':2,'suspend_timeout_seconds':-1,'settings':{}}"

static void the_first_read_write_endpoint_is_taken(void **state)
{
    (void)state;
    CLEANUP(unit_free_at)
    json_t *body = unit_json("{'endpoints':[" ENDPOINT("ep-1", "read_only") "," ENDPOINT(
        "ep-2", "read_write") "," ENDPOINT("ep-3", "read_write") "]}");
    NeonEndpoint endpoint;
    bool found = false;
    assert_true(neon_decode_endpoints(body, &endpoint, &found, NULL));
    assert_true(found);
    assert_string_equal(endpoint.id, "ep-2");
    assert_string_equal(endpoint.branch_id, "br-1");
    assert_string_equal(endpoint.host, "ep-2.eu.neon.tech");
    assert_string_equal(endpoint.type, "read_write");
    assert_string_equal(endpoint.current_state, "init");
    assert_string_equal(endpoint.pending_state, "active");
    assert_true(endpoint.min_cu == 0.25);
    assert_true(endpoint.max_cu == 2.0);
    assert_int_equal(endpoint.suspend_timeout_seconds, -1);
}

static void a_created_endpoint_stands_alone(void **state)
{
    (void)state;
    CLEANUP(unit_free_at)
    json_t *body = unit_json("{'endpoint':" ENDPOINT("ep-1", "read_write") ",'operations':[]}");
    NeonEndpoint endpoint;
    bool found = false;
    assert_true(neon_decode_endpoints(body, &endpoint, &found, NULL));
    assert_true(found);
    assert_string_equal(endpoint.id, "ep-1");
}

static void there_may_be_no_read_write_endpoint(void **state)
{
    (void)state;
    static const char *const CASES[] = {
        "{'endpoints':[]}",
        "{'endpoints':[" ENDPOINT("ep-1", "read_only") "]}",
        "{'endpoint':" ENDPOINT("ep-1", "something_new") "}",
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        CLEANUP(unit_free_at) json_t *body = unit_json(CASES[i]);
        NeonEndpoint endpoint;
        bool found = true;
        assert_true(neon_decode_endpoints(body, &endpoint, &found, NULL));
        assert_false(found);
        assert_string_equal(endpoint.id, "");
    }
}

static void what_may_be_missing_may(void **state)
{
    (void)state;
    CLEANUP(unit_free_at) json_t *item = unit_json(ENDPOINT("ep-1", "read_write"));
    static const char *const NAMES[] = {"pending_state", "autoscaling_limit_min_cu",
                                        "autoscaling_limit_max_cu", "suspend_timeout_seconds"};
    for (size_t i = 0; i < UNIT_COUNT(NAMES); i++) {
        unit_change(item, (UnitChange){NAMES[i], NULL});
    }
    CLEANUP(unit_free_at) json_t *body = json_pack("{s:O}", "endpoint", item);
    NeonEndpoint endpoint;
    bool found = false;
    assert_true(neon_decode_endpoints(body, &endpoint, &found, NULL));
    assert_true(found);
    assert_string_equal(endpoint.pending_state, "");
    assert_true(endpoint.min_cu == 0 && endpoint.max_cu == 0);
    assert_int_equal(endpoint.suspend_timeout_seconds, 0);
}

static void what_does_not_fit_is_named(void **state)
{
    (void)state;
    static const UnitChange CASES[] = {
        {"id", NULL},
        {"branch_id", NULL},
        {"host", NULL},
        {"host", "'/tmp'"},
        {"host", "'a,b'"},
        {"host", "'-x'"},
        {"host", "'.x'"},
        {"host", "'" UNIT_LONG_256 "'"},
        {"type", NULL},
        {"current_state", NULL},
        {"pending_state", "7"},
        {"autoscaling_limit_min_cu", "'1'"},
        {"autoscaling_limit_min_cu", "-0.25"},
        {"autoscaling_limit_max_cu", "1e7"},
        {"suspend_timeout_seconds", "-2"},
        {"suspend_timeout_seconds", "300.5"},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        CLEANUP(unit_free_at) json_t *item = unit_json(ENDPOINT("ep-1", "read_write"));
        unit_change(item, CASES[i]);
        CLEANUP(unit_free_at) json_t *body = json_pack("{s:[O]}", "endpoints", item);
        NeonEndpoint endpoint;
        bool found = false;
        Error err = ERROR_INIT;
        assert_false(neon_decode_endpoints(body, &endpoint, &found, &err));
        assert_false(found);
        unit_assert_refused(&err, CASES[i].member);
    }
    CLEANUP(unit_free_at) json_t *none = unit_json("{'operations':[]}");
    NeonEndpoint endpoint;
    bool found = false;
    Error err = ERROR_INIT;
    assert_false(neon_decode_endpoints(none, &endpoint, &found, &err));
    unit_assert_refused(&err, "endpoints");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_read_write_endpoint_is_taken),
        cmocka_unit_test(a_created_endpoint_stands_alone),
        cmocka_unit_test(there_may_be_no_read_write_endpoint),
        cmocka_unit_test(what_may_be_missing_may),
        cmocka_unit_test(what_does_not_fit_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
