#include "contract/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "contract/allocator.h"
#include "contract/wire.h"
#include "kinds.pb-c.h"
#include "kit.h"

// JSON that is read, and what is written again; NULL: the same.
typedef struct RoundTrip {
    const char *in;
    const char *out;
} RoundTrip;

static const RoundTrip ROUND_TRIPS[] = {
    {"{}", NULL},
    // Integers of every kind, at their ends.
    {"{'int32Field':2147483647}", NULL},
    {"{'int32Field':-2147483648}", NULL},
    {"{'sint32Field':-2147483648}", NULL},
    {"{'sint32Field':2147483647}", NULL},
    {"{'sfixed32Field':-1}", NULL},
    {"{'int64Field':'9223372036854775807'}", NULL},
    {"{'int64Field':'-9223372036854775808'}", NULL},
    {"{'int64Field':-5}", "{'int64Field':'-5'}"},
    {"{'sint64Field':'-9223372036854775808'}", NULL},
    {"{'sint64Field':'9223372036854775807'}", NULL},
    {"{'sfixed64Field':'-1'}", NULL},
    {"{'uint32Field':4294967295}", NULL},
    {"{'fixed32Field':4294967295}", NULL},
    {"{'uint64Field':'18446744073709551615'}", NULL},
    {"{'fixed64Field':'18446744073709551615'}", NULL},
    {"{'fixed64Field':7}", "{'fixed64Field':'7'}"},
    {"{'int32Field':'12'}", "{'int32Field':12}"},
    {"{'int32Field':1e3}", "{'int32Field':1000}"},
    {"{'uint32Field':2.0}", "{'uint32Field':2}"},
    // Other scalars.
    {"{'floatField':0.5}", NULL},
    {"{'doubleField':0.25}", NULL},
    {"{'doubleField':3}", "{'doubleField':3.0}"},
    {"{'doubleField':'2.5e-1'}", "{'doubleField':0.25}"},
    {"{'doubleField':'NaN'}", NULL},
    {"{'doubleField':'Infinity'}", NULL},
    {"{'floatField':'-Infinity'}", NULL},
    {"{'boolField':true}", NULL},
    {"{'colour':'COLOUR_RED'}", NULL},
    {"{'colour':2}", "{'colour':'COLOUR_GREEN'}"},
    {"{'colour':99}", NULL},
    {"{'text':'gr\xc3\xbc\xc3\x9f'}", NULL},
    {"{'raw':'AAECAw=='}", NULL},
    {"{'raw':'-_8'}", "{'raw':'+/8='}"},
    {"{'raw':'+/8='}", NULL},
    {"{'raw':'++++'}", NULL},
    // Defaults are the same as nothing, but in a oneof.
    {"{'int32Field':0,'int64Field':'0','doubleField':0,'boolField':false,'colour':0,'text':'',"
     "'raw':'','texts':[],'floatField':0}",
     "{}"},
    {"{'choiceNumber':0}", NULL},
    {"{'choiceText':''}", NULL},
    {"{'otherFlag':false}", NULL},
    {"{'otherRaw':'AA=='}", NULL},
    {"{'choiceInner':{}}", NULL},
    {"{'choiceText':'a','otherFlag':true}", NULL},
    {"{'choiceText':null,'choiceNumber':1,'inner':null,'text':null}", "{'choiceNumber':1}"},
    // Repeated.
    {"{'int32s':[0,1,-1]}", NULL},
    {"{'fixed64s':['0','1']}", NULL},
    {"{'doubles':[0.0,1.5]}", NULL},
    {"{'colours':['COLOUR_UNSPECIFIED','COLOUR_RED']}", NULL},
    {"{'texts':['','a']}", NULL},
    {"{'raws':['','AA==']}", NULL},
    {"{'inners':[{},{'text':'a'}]}", NULL},
    {"{'inner':{'inner':{'text':'a'}}}", NULL},
    // Both names.
    {"{'int32_field':1,'int64_field':2}", "{'int32Field':1,'int64Field':'2'}"},
    // Well-known messages.
    {"{'timestamp':'2026-11-22T08:07:00.250Z'}", NULL},
    {"{'timestamp':'2026-11-22T09:07:00+01:00'}", "{'timestamp':'2026-11-22T08:07:00.000Z'}"},
    {"{'timestamp':'1969-12-31T23:59:59.500Z'}", NULL},
    {"{'timestamp':'1970-01-01T00:00:00.000Z'}", NULL},
    {"{'duration':'3.5s'}", "{'duration':'3.500s'}"},
    {"{'duration':'-3.500s'}", NULL},
    {"{'duration':'-0.500s'}", NULL},
    {"{'duration':'0s'}", NULL},
    {"{'duration':'1.000001s'}", NULL},
    {"{'duration':'1.000000001s'}", NULL},
    {"{'duration':'315576000000s'}", NULL},
    {"{'mask':'autoscalingLimitMinCu,a.bC'}", NULL},
    {"{'mask':''}", NULL},
    {"{'mask':'snake_case'}", "{'mask':'snakeCase'}"},
    {"{'int64Value':5}", "{'int64Value':'5'}"},
    {"{'int64Value':'0'}", NULL},
    {"{'stringValue':''}", NULL},
    {"{'stringValue':'a'}", NULL},
    {"{'boolValue':false}", NULL},
};

// What is written as JSON after it was packed; single quotes.
static void expect_json(Bytes packed, const char *expected)
{
    ProtobufCAllocator allocator = allocator_zeroing();
    Provision__Test__Kinds *kinds =
        provision__test__kinds__unpack(&allocator, packed.size, packed.data);
    assert_non_null(kinds);
    json_t *written CLEANUP(kit_free_json) = json_from_message(&kinds->base);
    json_t *wanted CLEANUP(kit_free_json) = kit_json(expected);
    if (!json_equal(written, wanted)) {
        fail_msg("%s instead of %s", json_dumps(written, 0), expected);
    }
    allocator_free_message(&kinds->base);
}

static void what_is_read_is_written_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < KIT_COUNT(ROUND_TRIPS); i++) {
        Buffer packed CLEANUP(buffer_clear) =
            kit_pack(&provision__test__kinds__descriptor, ROUND_TRIPS[i].in);
        Error err = ERROR_INIT;
        if (packed.size > 0 &&
            !wire_scan(&provision__test__kinds__descriptor, buffer_view(&packed), &err)) {
            fail_msg("%s: %s", ROUND_TRIPS[i].in, err.text);
        }
        expect_json(buffer_view(&packed),
                    ROUND_TRIPS[i].out == NULL ? ROUND_TRIPS[i].in : ROUND_TRIPS[i].out);
    }
}

typedef struct Refusal {
    const char *json;
    const char *path;
} Refusal;

static const Refusal REFUSALS[] = {
    {"[]", ""},
    {"'text'", ""},
    {"{'wrong':1}", "wrong"},
    {"{'inner':{'wrong':1}}", "inner.wrong"},
    {"{'inner':[]}", "inner"},
    {"{'inners':{}}", "inners"},
    {"{'inners':[{},{'text':1}]}", "inners[1].text"},
    {"{'inners':[null]}", "inners[0]"},
    {"{'int32Field':1,'int32_field':1}", "int32Field"},
    {"{'choiceText':'a','choice_number':1}", "choiceNumber"},
    {"{'choice_text':'a','choiceInner':{}}", "choiceInner"},
    {"{'int32Field':2147483648}", "int32Field"},
    {"{'int32Field':-2147483649}", "int32Field"},
    {"{'int32Field':1.5}", "int32Field"},
    {"{'int32Field':true}", "int32Field"},
    {"{'int32Field':''}", "int32Field"},
    {"{'int32Field':'-'}", "int32Field"},
    {"{'int32Field':' 1'}", "int32Field"},
    {"{'int32Field':'1 '}", "int32Field"},
    {"{'int64Field':'9223372036854775808'}", "int64Field"},
    {"{'int64Field':1e300}", "int64Field"},
    {"{'uint32Field':-1}", "uint32Field"},
    {"{'uint32Field':4294967296}", "uint32Field"},
    {"{'uint64Field':'18446744073709551616'}", "uint64Field"},
    {"{'uint64Field':'-1'}", "uint64Field"},
    {"{'uint64Field':'+1'}", "uint64Field"},
    {"{'uint64Field':''}", "uint64Field"},
    {"{'floatField':1e39}", "floatField"},
    {"{'floatField':'x'}", "floatField"},
    {"{'doubleField':''}", "doubleField"},
    {"{'doubleField':'nan'}", "doubleField"},
    {"{'doubleField':'1.5.'}", "doubleField"},
    {"{'doubleField':'1e999'}", "doubleField"},
    {"{'doubleField':true}", "doubleField"},
    {"{'boolField':1}", "boolField"},
    {"{'colour':'COLOUR_BLUE'}", "colour"},
    {"{'colour':1.5}", "colour"},
    {"{'text':1}", "text"},
    {"{'raw':'*'}", "raw"},
    {"{'raw':'A='}", "raw"},
    {"{'raw':1}", "raw"},
    {"{'timestamp':'today'}", "timestamp"},
    {"{'timestamp':1}", "timestamp"},
    {"{'timestamp':'0000-12-31T23:59:59Z'}", "timestamp"},
    {"{'timestamp':'9999-12-31T23:59:59-01:00'}", "timestamp"},
    {"{'duration':'3.5'}", "duration"},
    {"{'duration':'s'}", "duration"},
    {"{'duration':'3.s'}", "duration"},
    {"{'duration':'3.1234567890s'}", "duration"},
    {"{'duration':'315576000001s'}", "duration"},
    {"{'duration':'1234567890123s'}", "duration"},
    {"{'duration':3}", "duration"},
    {"{'mask':'a,,b'}", "mask"},
    {"{'mask':['a']}", "mask"},
    {"{'int64Value':{'value':1}}", "int64Value"},
};

static void what_does_not_fit_is_refused_with_its_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < KIT_COUNT(REFUSALS); i++) {
        json_t *json CLEANUP(kit_free_json) = kit_json(REFUSALS[i].json);
        Buffer packed CLEANUP(buffer_clear) = {NULL, 0};
        Error err = ERROR_INIT;
        if (json_to_message(json, &provision__test__kinds__descriptor, &packed, &err)) {
            fail_msg("taken: %s", REFUSALS[i].json);
        }
        assert_string_equal(err.code, "JSON_INVALID");
        assert_string_equal(err.field, REFUSALS[i].path);
        assert_null(packed.data);
    }
}

static void a_text_with_nul_is_refused(void **state)
{
    (void)state;
    json_t *json CLEANUP(kit_free_json) = json_pack("{s:s%}", "text", "a\0b", (size_t)3);
    Buffer packed CLEANUP(buffer_clear) = {NULL, 0};
    assert_false(json_to_message(json, &provision__test__kinds__descriptor, &packed, NULL));
}

static json_t *nest(unsigned depth)
{
    json_t *json = json_object();
    for (unsigned i = 0; i < depth; i++) {
        json = json_pack("{s:o}", "inner", json);
    }
    return json;
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    json_t *deep CLEANUP(kit_free_json) = nest(JSON_DEPTH_MAX);
    json_t *deeper CLEANUP(kit_free_json) = nest(JSON_DEPTH_MAX + 1);
    Buffer packed CLEANUP(buffer_clear) = {NULL, 0};
    Error err = ERROR_INIT;
    assert_true(json_to_message(deep, &provision__test__kinds__descriptor, &packed, &err));
    assert_false(json_to_message(deeper, &provision__test__kinds__descriptor, &packed, &err));
    assert_non_null(strstr(err.text, "too deeply"));
}

static void size_is_bounded(void **state)
{
    (void)state;
    size_t half = JSON_PACKED_MAX_BYTES / 2;
    char *text = malloc(half + 1);
    assert_non_null(text);
    memset(text, 'x', half);
    text[half] = '\0';
    json_t *large CLEANUP(kit_free_json) = json_pack("{s:{s:[s,s]}}", "inner", "texts", text, text);
    Buffer packed CLEANUP(buffer_clear) = {NULL, 0};
    Error err = ERROR_INIT;
    assert_false(json_to_message(large, &provision__test__kinds__descriptor, &packed, &err));
    assert_string_equal(err.text, "the JSON is too large");
    free(text);
}

static void a_name_in_a_mask_is_bounded(void **state)
{
    (void)state;
    Text text CLEANUP(text_clear) = TEXT_INIT(1024);
    text_append(&text, "{'mask':'");
    for (unsigned i = 0; i < 257; i++) {
        text_append_char(&text, 'x');
    }
    text_append(&text, "'}");
    json_t *json CLEANUP(kit_free_json) = kit_json(text_get(&text));
    Buffer packed CLEANUP(buffer_clear) = {NULL, 0};
    Error err = ERROR_INIT;
    assert_false(json_to_message(json, &provision__test__kinds__descriptor, &packed, &err));
    assert_string_equal(err.field, "mask");
}

// Messages that didn't come through the wire scanner are written, too.
static void what_is_out_of_range_is_written_as_near_as_possible(void **state)
{
    (void)state;
    static const struct {
        Bytes packed;
        const char *json;
    } CASES[] = {
        {KIT_BYTES("\x7a\x01\xff"), "{'text':'\xef\xbf\xbd'}"},
        {KIT_BYTES("\xc2\x02\x0a\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
         "{'timestamp':'9999-12-31T23:59:59.000Z'}"},
        {KIT_BYTES("\xc2\x02\x0b\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"),
         "{'timestamp':'0001-01-01T00:00:00.000Z'}"},
        {KIT_BYTES("\xca\x02\x0b\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"),
         "{'duration':'-9223372036854775808s'}"},
        {KIT_BYTES("\xd2\x02\x03\x0a\x01\xff"), "{'mask':'\xef\xbf\xbd'}"},
    };
    for (size_t i = 0; i < KIT_COUNT(CASES); i++) {
        expect_json(CASES[i].packed, CASES[i].json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_is_written_again),
        cmocka_unit_test(what_does_not_fit_is_refused_with_its_path),
        cmocka_unit_test(a_text_with_nul_is_refused),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(size_is_bounded),
        cmocka_unit_test(a_name_in_a_mask_is_bounded),
        cmocka_unit_test(what_is_out_of_range_is_written_as_near_as_possible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
