#include "base/table.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "unit.h"

static void what_was_put_is_found(void **state)
{
    (void)state;
    CLEANUP(table_free_at) Table *table = table_new();
    int one = 1;
    int two = 2;
    assert_int_equal(table_count(table), 0);
    assert_null(table_get(table, "a"));
    assert_null(table_put(table, "a", &one));
    assert_null(table_put(table, "", &two));
    assert_ptr_equal(table_get(table, "a"), &one);
    assert_ptr_equal(table_get(table, ""), &two);
    assert_null(table_get(table, "b"));
    assert_int_equal(table_count(table), 2);
}

static void putting_again_gives_the_previous(void **state)
{
    (void)state;
    CLEANUP(table_free_at) Table *table = table_new();
    int one = 1;
    int two = 2;
    (void)table_put(table, "a", &one);
    assert_ptr_equal(table_put(table, "a", &two), &one);
    assert_ptr_equal(table_get(table, "a"), &two);
    assert_int_equal(table_count(table), 1);
}

static void removing_gives_what_was_there(void **state)
{
    (void)state;
    CLEANUP(table_free_at) Table *table = table_new();
    int one = 1;
    (void)table_put(table, "a", &one);
    assert_ptr_equal(table_remove(table, "a"), &one);
    assert_null(table_remove(table, "a"));
    assert_null(table_get(table, "a"));
    assert_int_equal(table_count(table), 0);
    assert_null(table_put(table, "a", &one));
}

static void keys_are_copied(void **state)
{
    (void)state;
    CLEANUP(table_free_at) Table *table = table_new();
    int one = 1;
    char key[] = "key";
    (void)table_put(table, key, &one);
    key[0] = 'x';
    assert_ptr_equal(table_get(table, "key"), &one);
    assert_null(table_get(table, "xey"));
}

typedef struct Walk {
    Table *table;
    char keys[32];
} Walk;

static void note(void *context, const char *key, void *value)
{
    Walk *walk = context;
    size_t length = strlen(walk->keys);
    (void)snprintf(walk->keys + length, sizeof walk->keys - length, "%s=%d ", key,
                   *(const int *)value);
}

static void note_and_remove_odd(void *context, const char *key, void *value)
{
    Walk *walk = context;
    note(walk, key, value);
    if (*(const int *)value % 2 == 1) {
        assert_ptr_equal(table_remove(walk->table, key), value);
    }
}

static void a_visit_may_remove_the_entry_it_sees(void **state)
{
    (void)state;
    static int values[] = {1, 2, 3};
    CLEANUP(table_free_at) Table *table = table_new();
    (void)table_put(table, "a", &values[0]);
    (void)table_put(table, "b", &values[1]);
    (void)table_put(table, "c", &values[2]);
    Walk first = {.table = table};
    table_each(table, note_and_remove_odd, &first);
    assert_string_equal(first.keys, "a=1 b=2 c=3 ");
    Walk second = {.table = table};
    table_each(table, note, &second);
    assert_string_equal(second.keys, "b=2 ");
}

static void many_entries_are_kept_apart(void **state)
{
    (void)state;
    enum { ENTRIES = 5000 };
    static int values[ENTRIES];
    CLEANUP(table_free_at) Table *table = table_new();
    char key[16];
    for (int i = 0; i < ENTRIES; i++) {
        (void)snprintf(key, sizeof key, "key-%d", i);
        assert_null(table_put(table, key, &values[i]));
    }
    assert_int_equal(table_count(table), ENTRIES);
    for (int i = 0; i < ENTRIES; i++) {
        (void)snprintf(key, sizeof key, "key-%d", i);
        assert_ptr_equal(table_get(table, key), &values[i]);
    }
}

static void freeing_nothing_is_allowed(void **state)
{
    (void)state;
    table_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_found),
        cmocka_unit_test(putting_again_gives_the_previous),
        cmocka_unit_test(removing_gives_what_was_there),
        cmocka_unit_test(keys_are_copied),
        cmocka_unit_test(a_visit_may_remove_the_entry_it_sees),
        cmocka_unit_test(many_entries_are_kept_apart),
        cmocka_unit_test(freeing_nothing_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
