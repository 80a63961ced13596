#include "base/list.h"

#include "unit.h"

typedef struct Item {
    int number;
    ListLink link;
} Item;

// The numbers in the list as decimal digits.
static int digits(List *list)
{
    int result = 0;
    LIST_EACH(list, link)
    {
        result = result * 10 + LIST_ENTRY(link, Item, link)->number;
    }
    return result;
}

static void elements_stand_in_the_order_of_their_coming(void **state)
{
    (void)state;
    List list;
    Item items[] = {{.number = 1}, {.number = 2}, {.number = 3}};
    list_init(&list);
    assert_true(list_is_empty(&list));
    assert_null(list_first(&list));
    assert_int_equal(digits(&list), 0);
    for (size_t i = 0; i < UNIT_COUNT(items); i++) {
        list_append(&list, &items[i].link);
    }
    assert_false(list_is_empty(&list));
    assert_ptr_equal(list_first(&list), &items[0].link);
    assert_int_equal(digits(&list), 123);
}

static void an_element_leaves_from_anywhere(void **state)
{
    (void)state;
    List list;
    Item items[] = {{.number = 1}, {.number = 2}, {.number = 3}};
    list_init(&list);
    for (size_t i = 0; i < UNIT_COUNT(items); i++) {
        list_append(&list, &items[i].link);
    }
    list_remove(&items[1].link);
    assert_int_equal(digits(&list), 13);
    assert_false(list_is_linked(&items[1].link));
    assert_true(list_is_linked(&items[0].link));
    list_remove(&items[1].link);
    list_remove(&items[0].link);
    assert_int_equal(digits(&list), 3);
    list_append(&list, &items[0].link);
    assert_int_equal(digits(&list), 31);
    list_remove(&items[2].link);
    list_remove(&items[0].link);
    assert_true(list_is_empty(&list));
}

static void removing_while_walking_skips_nothing(void **state)
{
    (void)state;
    List list;
    Item items[] = {{.number = 1}, {.number = 2}, {.number = 3}, {.number = 4}};
    list_init(&list);
    for (size_t i = 0; i < UNIT_COUNT(items); i++) {
        list_append(&list, &items[i].link);
    }
    int seen = 0;
    LIST_EACH(&list, link)
    {
        int number = LIST_ENTRY(link, Item, link)->number;
        seen = seen * 10 + number;
        if (number != 3) {
            list_remove(link);
        }
    }
    assert_int_equal(seen, 1234);
    assert_int_equal(digits(&list), 3);
}

static void a_link_starts_in_no_list(void **state)
{
    (void)state;
    ListLink link;
    list_link_init(&link);
    assert_false(list_is_linked(&link));
    list_remove(&link);
    assert_false(list_is_linked(&link));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_stand_in_the_order_of_their_coming),
        cmocka_unit_test(an_element_leaves_from_anywhere),
        cmocka_unit_test(removing_while_walking_skips_nothing),
        cmocka_unit_test(a_link_starts_in_no_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
