#include "run/gate.h"

#include "unit.h"

enum { ENTRIES = 12 };

static void expect_next(Gate *gate, GateEntry *entry)
{
    GateEntry *next = gate_next(gate);
    assert_ptr_equal(next, entry);
    if (entry != NULL) {
        assert_true(entry->works);
        assert_null(entry->queue);
    }
}

static void applications_take_turns_and_each_keeps_its_order(void **state)
{
    (void)state;
    Gate *gate = gate_new(ENTRIES);
    GateEntry busy[8] = {{.works = false}};
    GateEntry other[2] = {{.works = false}};
    for (size_t i = 0; i < UNIT_COUNT(busy); i++) {
        gate_wait(gate, &busy[i], "busy");
    }
    gate_wait(gate, &busy[0], "busy"); // keeps its place
    expect_next(gate, &busy[0]);
    gate_wait(gate, &other[0], "other");
    gate_wait(gate, &other[1], "other");
    assert_int_equal(gate_waiting(gate), 9);
    expect_next(gate, &busy[1]);
    expect_next(gate, &other[0]);
    expect_next(gate, &busy[2]);
    expect_next(gate, &other[1]);
    for (size_t i = 3; i < UNIT_COUNT(busy); i++) {
        expect_next(gate, &busy[i]);
    }
    expect_next(gate, NULL);
    assert_int_equal(gate_working(gate), 10);
    gate_free(gate);
}

static void a_new_application_goes_before_anothers_second(void **state)
{
    (void)state;
    Gate *gate = gate_new(1);
    GateEntry busy[3] = {{.works = false}};
    GateEntry late = {.works = false};
    for (size_t i = 0; i < UNIT_COUNT(busy); i++) {
        gate_wait(gate, &busy[i], "busy");
    }
    expect_next(gate, &busy[0]);
    gate_wait(gate, &late, "late");
    expect_next(gate, NULL); // no place
    gate_rest(gate, &busy[0]);
    expect_next(gate, &busy[1]);
    gate_rest(gate, &busy[1]);
    expect_next(gate, &late);
    gate_rest(gate, &busy[2]); // gone before its turn
    gate_rest(gate, &late);
    expect_next(gate, NULL);
    assert_int_equal(gate_working(gate), 0);
    assert_int_equal(gate_waiting(gate), 0);
    gate_free(gate);
}

static void who_waits_for_something_gives_its_place_and_goes_on_without_one(void **state)
{
    (void)state;
    Gate *gate = gate_new(2);
    GateEntry entries[4] = {{.works = false}};
    for (size_t i = 0; i < UNIT_COUNT(entries); i++) {
        gate_wait(gate, &entries[i], "one");
    }
    expect_next(gate, &entries[0]);
    expect_next(gate, &entries[1]);
    expect_next(gate, NULL);
    gate_rest(gate, &entries[0]);
    gate_rest(gate, &entries[0]);
    expect_next(gate, &entries[2]);
    gate_work(gate, &entries[0]);
    gate_work(gate, &entries[0]);
    assert_int_equal(gate_working(gate), 3);
    gate_rest(gate, &entries[1]);
    expect_next(gate, NULL); // still as many as places
    gate_rest(gate, &entries[2]);
    expect_next(gate, &entries[3]);
    gate_wait(gate, &entries[3], "one"); // back: it doesn't work while it waits
    assert_int_equal(gate_working(gate), 1);
    gate_rest(gate, &entries[3]);
    gate_rest(gate, &entries[0]);
    gate_free(gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(applications_take_turns_and_each_keeps_its_order),
        cmocka_unit_test(a_new_application_goes_before_anothers_second),
        cmocka_unit_test(who_waits_for_something_gives_its_place_and_goes_on_without_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
