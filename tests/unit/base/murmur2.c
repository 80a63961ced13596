#include "base/murmur2.h"

#include "unit.h"

typedef struct Case {
    const char *key;
    int32_t hash; // as Java prints it
} Case;

// Kafka's own: clients, UtilsTest.testMurmur2.
static const Case CASES[] = {
    {"21", -973932308},
    {"foobar", -790332482},
    {"a-little-bit-long-string", -985981536},
    {"a-little-bit-longer-string", -1486304829},
    {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
    {"abc", 479470107},
};

static void hashes_are_those_of_kafka(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        assert_int_equal((int32_t)murmur2_hash(bytes_of(CASES[i].key)), CASES[i].hash);
    }
}

static void every_length_of_the_last_word_counts(void **state)
{
    (void)state;
    // The whole keys are librdkafka's own cases (src/rdmurmur2.c).
    assert_int_equal(murmur2_hash(bytes_of("kafka")), 0xd067cf64);
    assert_int_equal(murmur2_hash(bytes_of("giberish123456789")), 0x8f552b0c);
    assert_int_equal(murmur2_hash(bytes_of("1234")), 0x9fc97b14);
    assert_int_equal(murmur2_hash(bytes_of("234")), 0xe7c009ca);
    assert_int_equal(murmur2_hash(bytes_of("34")), 0x873930da);
    assert_int_equal(murmur2_hash(bytes_of("4")), 0x5a4b5ca1);
    assert_int_equal(murmur2_hash((Bytes){NULL, 0}), 0x106e08d9);
    assert_int_equal(murmur2_hash((Bytes){(const uint8_t *)"\xff\xfe\xfd\xfc\xfb\xfa", 6}),
                     0xae0da0ef);
}

static void a_partition_is_the_positive_hash_modulo_their_number(void **state)
{
    (void)state;
    assert_int_equal(murmur2_partition(bytes_of("21"), 12),
                     (int32_t)((uint32_t)-973932308 & 0x7fffffff) % 12);
    assert_int_equal(murmur2_partition(bytes_of("abc"), 1000), 107);
    assert_int_equal(murmur2_partition(bytes_of("abc"), 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_of_kafka),
        cmocka_unit_test(every_length_of_the_last_word_counts),
        cmocka_unit_test(a_partition_is_the_positive_hash_modulo_their_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
