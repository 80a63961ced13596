#include "sys/memory.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unit.h"

static void the_functions_do_what_mallocs_do(void **state)
{
    (void)state;
    char *text = memory_strdup("text");
    assert_string_equal(text, "text");
    text = memory_realloc(text, 10000);
    assert_string_equal(text, "text");
    text = memory_realloc(text, 2);
    assert_memory_equal(text, "te", 2);
    memory_free(text);
    unsigned char *zeroed = memory_calloc(3, 5);
    for (size_t i = 0; i < 15; i++) {
        assert_int_equal(zeroed[i], 0);
    }
    memory_free(zeroed);
    memory_free(NULL);
    void *fresh = memory_realloc(NULL, 8);
    assert_non_null(fresh);
    free(fresh);
    memory_free(malloc(7));
}

#if !UNIT_SANITIZED
static const char SECRET[] = "0123456789abcdef0123456789abcdef-secret";

// malloc keeps its lists in the first two words of what was freed; the secret stands behind them.
// The address sanitizer forbids the look, and so does the compiler unless it is led astray.
static void assert_gone(uintptr_t address)
{
    const volatile char *freed = (const volatile char *)address;
    for (size_t i = 16; i < sizeof SECRET; i++) {
        assert_int_equal(freed[i], 0);
    }
}

static void freed_memory_holds_no_secret(void **state)
{
    (void)state;
    char *text = memory_strdup(SECRET);
    uintptr_t address = (uintptr_t)text;
    memory_free(text);
    assert_gone(address);
    text = memory_strdup(SECRET);
    address = (uintptr_t)text;
    char *larger = memory_realloc(text, 100000);
    assert_gone(address);
    assert_string_equal(larger, SECRET);
    memory_free(larger);
}
#endif

static void libraries_take_them(void **state)
{
    (void)state;
    Error err = ERROR_INIT;
    json_malloc_t taken_malloc = NULL;
    json_free_t taken_free = NULL;
    assert_true(memory_install(&err));
    json_get_alloc_funcs(&taken_malloc, &taken_free);
    assert_ptr_equal(taken_malloc, memory_malloc);
    assert_ptr_equal(taken_free, memory_free);
    json_t *json = json_pack("{s:s}", "key", "value");
    assert_string_equal(json_string_value(json_object_get(json, "key")), "value");
    json_decref(json);
    CURL *handle = curl_easy_init();
    assert_non_null(handle);
    char *escaped = curl_easy_escape(handle, "a b", 0);
    assert_string_equal(escaped, "a%20b");
    curl_free(escaped);
    curl_easy_cleanup(handle);
    memory_uninstall();
    json_get_alloc_funcs(&taken_malloc, &taken_free);
    assert_ptr_equal(taken_free, free);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_functions_do_what_mallocs_do),
#if !UNIT_SANITIZED
        cmocka_unit_test(freed_memory_holds_no_secret),
#endif
        cmocka_unit_test(libraries_take_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
