#include "contract/traceparent.h"

#include "kit.h"

#define TRACE "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

typedef struct Case {
    Bytes value;
    bool valid;
} Case;

static const Case CASES[] = {
    {KIT_BYTES(TRACE), true},
    {KIT_BYTES("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"), true},
    {KIT_BYTES(""), false},
    {KIT_BYTES(TRACE "-"), false},
    {KIT_BYTES("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), false},
    {KIT_BYTES("00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), false},
    {KIT_BYTES("00-00000000000000000000000000000000-b7ad6b7169203331-01"), false},
    {KIT_BYTES("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"), false},
    {KIT_BYTES("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g"), false},
    {KIT_BYTES("00 0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), false},
    {KIT_BYTES("00-0af7651916cd43dd8448eb211c80319c b7ad6b7169203331-01"), false},
    {KIT_BYTES("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331 01"), false},
};

static void only_a_valid_traceparent_is_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < KIT_COUNT(CASES); i++) {
        const RecordHeader headers[] = {{"tracestate", KIT_BYTES(TRACE)},
                                        {"traceparent", CASES[i].value}};
        char found[TRACEPARENT_BYTES];
        traceparent_find(headers, KIT_COUNT(headers), found);
        assert_true(
            bytes_equal(bytes_of(found), CASES[i].valid ? CASES[i].value : (Bytes){NULL, 0}));
    }
}

static void a_command_carries_its_records_trace(void **state)
{
    (void)state;
    Buffer packed CLEANUP(buffer_clear) =
        kit_pack_command(KIT_COMMAND("'deleteEnvironment':{'environment':'staging'}"));
    Record record = kit_record(&packed);
    const RecordHeader headers[] = {{"traceparent", KIT_BYTES(TRACE)}};
    record.headers = headers;
    record.header_count = 1;
    CommandRules rules = kit_rules();
    Rejection rejection;
    Command *command CLEANUP(command_free_at) = command_decode(&record, &rules, &rejection);
    assert_non_null(command);
    assert_string_equal(command->traceparent, TRACE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_valid_traceparent_is_taken),
        cmocka_unit_test(a_command_carries_its_records_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
