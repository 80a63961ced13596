// libprovision leaves the choice of the partition to librdkafka, the worker and watches compute it:
// all must agree.
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>

#include "base/murmur2.h"
#include "unit.h"

enum { KEYS = 5000 };

static void librdkafka_and_the_worker_choose_the_same_partition(void **state)
{
    (void)state;
    static const int32_t COUNTS[] = {1, 2, 3, 6, 12, 48, 100, 997};
    for (int key = 0; key < KEYS; key++) {
        char text[32];
        (void)snprintf(text, sizeof(text), "%s%d", key % 2 == 0 ? "shop-" : "a.b_", key);
        for (size_t i = 0; i < UNIT_COUNT(COUNTS); i++) {
            int32_t theirs = rd_kafka_msg_partitioner_murmur2_random(NULL, text, strlen(text),
                                                                     COUNTS[i], NULL, NULL);
            assert_int_equal(murmur2_partition(bytes_of(text), COUNTS[i]), theirs);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(librdkafka_and_the_worker_choose_the_same_partition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
