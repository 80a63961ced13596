#include "run/locks.h"

#include "unit.h"

typedef struct Holder {
    LockEntry entry;
    int granted;
} Holder;

static void on_granted(LockEntry *entry)
{
    LIST_ENTRY(entry, Holder, entry)->granted++;
}

static Holder holder(void)
{
    return (Holder){.entry = {.granted = on_granted}};
}

static void a_free_project_is_held_at_once_and_again(void **state)
{
    (void)state;
    Locks *locks = locks_new();
    Holder one = holder();
    assert_true(locks_acquire(locks, "p", &one.entry));
    assert_true(locks_acquire(locks, "p", &one.entry));
    locks_release(locks, &one.entry);
    locks_release(locks, &one.entry); // nothing to release
    assert_int_equal(one.granted, 0);
    locks_free(locks);
}

static void waiters_are_granted_in_the_order_in_which_they_came(void **state)
{
    (void)state;
    Locks *locks = locks_new();
    Holder all[3] = {holder(), holder(), holder()};
    assert_true(locks_acquire(locks, "p", &all[0].entry));
    assert_false(locks_acquire(locks, "p", &all[1].entry));
    assert_false(locks_acquire(locks, "p", &all[2].entry));
    assert_false(locks_acquire(locks, "p", &all[1].entry)); // asked again: keeps its place
    locks_release(locks, &all[0].entry);
    assert_int_equal(all[1].granted, 1);
    assert_int_equal(all[2].granted, 0);
    assert_true(locks_acquire(locks, "p", &all[1].entry));
    locks_release(locks, &all[1].entry);
    assert_int_equal(all[2].granted, 1);
    locks_release(locks, &all[2].entry);
    locks_free(locks);
}

static void one_that_stops_waiting_grants_nothing(void **state)
{
    (void)state;
    Locks *locks = locks_new();
    Holder all[3] = {holder(), holder(), holder()};
    locks_acquire(locks, "p", &all[0].entry);
    locks_acquire(locks, "p", &all[1].entry);
    locks_acquire(locks, "p", &all[2].entry);
    locks_release(locks, &all[1].entry);
    assert_int_equal(all[2].granted, 0);
    locks_release(locks, &all[0].entry);
    assert_int_equal(all[1].granted, 0);
    assert_int_equal(all[2].granted, 1);
    locks_release(locks, &all[2].entry);
    locks_free(locks);
}

static void another_project_lets_go_of_the_one_before(void **state)
{
    (void)state;
    Locks *locks = locks_new();
    Holder one = holder();
    Holder two = holder();
    assert_true(locks_acquire(locks, "p", &one.entry));
    assert_false(locks_acquire(locks, "p", &two.entry));
    assert_true(locks_acquire(locks, "q", &one.entry));
    assert_int_equal(two.granted, 1);
    locks_release(locks, &one.entry);
    locks_release(locks, &two.entry);
    locks_free(locks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_free_project_is_held_at_once_and_again),
        cmocka_unit_test(waiters_are_granted_in_the_order_in_which_they_came),
        cmocka_unit_test(one_that_stops_waiting_grants_nothing),
        cmocka_unit_test(another_project_lets_go_of_the_one_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
