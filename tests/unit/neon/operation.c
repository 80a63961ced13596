#include "neon/reply.h"
#include "unit.h"

#define OPERATION                                                                                  \
    "{'id':'d6ad21e4-0000-4000-8000-000000000001','action':'start_compute','status':'running',"    \
    "'failures_count':0}"

static void ids_are_copied_in_order(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *ids;
    } CASES[] = {
        {"{'operations':[{'id':'a'},{'id':'b','status':'x'}]}", "['a','b']"},
        {"{'operations':[]}", "[]"},
        {"{'operations':null}", "[]"},
        {"{'project':{}}", "[]"},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        CLEANUP(unit_free_at) json_t *body = unit_json(CASES[i].body);
        CLEANUP(unit_free_at) json_t *expected = unit_json(CASES[i].ids);
        json_t *ids = NULL;
        assert_true(neon_decode_operation_ids(body, &ids, NULL));
        assert_true(json_equal(ids, expected));
        json_decref(ids);
    }
    json_t *none = NULL;
    assert_true(neon_decode_operation_ids(NULL, &none, NULL));
    assert_int_equal(json_array_size(none), 0);
    json_decref(none);
}

static void ids_that_are_none_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *member;
    } CASES[] = {
        {"{'operations':{}}", "operations"},
        {"{'operations':[{'id':'a'},{}]}", "id"},
        {"{'operations':['a']}", "id"},
        {"{'operations':[{'id':'" UNIT_LONG_64 "'}]}", "id"},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        CLEANUP(unit_free_at) json_t *body = unit_json(CASES[i].body);
        json_t *ids = NULL;
        Error err = ERROR_INIT;
        assert_false(neon_decode_operation_ids(body, &ids, &err));
        assert_null(ids);
        unit_assert_refused(&err, CASES[i].member);
    }
}

static void each_status_has_its_state(void **state)
{
    (void)state;
    static const struct {
        const char *status;
        NeonOperationState state;
    } CASES[] = {
        {"'scheduling'", NEON_OPERATION_RUNNING},  {"'running'", NEON_OPERATION_RUNNING},
        {"'cancelling'", NEON_OPERATION_RUNNING},  {"'something_new'", NEON_OPERATION_RUNNING},
        {"'finished'", NEON_OPERATION_DONE},       {"'skipped'", NEON_OPERATION_DONE},
        {"'failed'", NEON_OPERATION_FAILING},      {"'error'", NEON_OPERATION_FAILING},
        {"'cancelled'", NEON_OPERATION_CANCELLED},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        CLEANUP(unit_free_at) json_t *item = unit_json(OPERATION);
        unit_change(item, (UnitChange){"status", CASES[i].status});
        CLEANUP(unit_free_at) json_t *body = json_pack("{s:O}", "operation", item);
        NeonOperation operation;
        assert_true(neon_decode_operation(body, &operation, NULL));
        assert_int_equal(operation.state, CASES[i].state);
        assert_string_equal(operation.id, "d6ad21e4-0000-4000-8000-000000000001");
        assert_string_equal(operation.action, "start_compute");
        assert_string_equal(operation.error, "");
    }
}

static void an_operation_tells_its_failures(void **state)
{
    (void)state;
    CLEANUP(unit_free_at) json_t *item = unit_json(OPERATION);
    unit_change(item, (UnitChange){"failures_count", "3"});
    unit_change(item, (UnitChange){"error", "'boom \\n postgresql://u:S3cret@h/d'"});
    CLEANUP(unit_free_at) json_t *body = json_pack("{s:O}", "operation", item);
    NeonOperation operation;
    assert_true(neon_decode_operation(body, &operation, NULL));
    assert_int_equal(operation.failures_count, 3);
    assert_string_equal(operation.error, "boom   postgresql://***@h/d");
}

static void what_does_not_fit_is_named(void **state)
{
    (void)state;
    static const UnitChange CASES[] = {
        {"id", NULL},
        {"id", "'" UNIT_LONG_64 "'"},
        {"action", NULL},
        {"status", NULL},
        {"status", "'" UNIT_LONG_64 "'"},
        {"error", "7"},
        {"failures_count", "-1"},
        {"failures_count", "'many'"},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        CLEANUP(unit_free_at) json_t *item = unit_json(OPERATION);
        unit_change(item, CASES[i]);
        CLEANUP(unit_free_at) json_t *body = json_pack("{s:O}", "operation", item);
        NeonOperation operation;
        Error err = ERROR_INIT;
        assert_false(neon_decode_operation(body, &operation, &err));
        unit_assert_refused(&err, CASES[i].member);
    }
    CLEANUP(unit_free_at) json_t *none = unit_json("{'operations':[]}");
    NeonOperation operation;
    Error err = ERROR_INIT;
    assert_false(neon_decode_operation(none, &operation, &err));
    unit_assert_refused(&err, "operation");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_copied_in_order),
        cmocka_unit_test(ids_that_are_none_are_refused),
        cmocka_unit_test(each_status_has_its_state),
        cmocka_unit_test(an_operation_tells_its_failures),
        cmocka_unit_test(what_does_not_fit_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
