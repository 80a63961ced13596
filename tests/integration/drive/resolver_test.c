#include "support.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/text.h"

typedef struct Fixture {
    Loop *loop;
    Resolver *resolver;
} Fixture;

typedef struct Address {
    bool done;
    char text[64];
    char code[64];
} Address;

static int set_up(void **state)
{
    Fixture *f = alloc_zeroed(1, sizeof(*f));
    f->loop = loop_new();
    f->resolver = resolver_new(f->loop);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    Fixture *f = *state;
    bool was_quick = test_loop_was_quick(f->loop);
    resolver_free(f->resolver);
    loop_free(f->loop);
    free(f);
    return was_quick ? 0 : 1;
}

static void on_address(void *context, const char *address, const Error *err)
{
    Address *kept = context;
    kept->done = true;
    assert_true(text_copy(kept->text, sizeof(kept->text), address != NULL ? address : ""));
    assert_true(text_copy(kept->code, sizeof(kept->code), err->code));
}

static void names_are_resolved(void **state)
{
    Fixture *f = *state;
    static const struct {
        const char *name, *address, *code;
    } CASES[] = {{"127.0.0.9", "127.0.0.9", ""},
                 {"::1", "::1", ""},
                 {"localhost", "127.0.0.1", ""},
                 {"ep-a-1.LOCALHOST", "127.0.0.1", ""},
                 {"nothing.invalid", "", "NAME_NOT_RESOLVED"},
                 {"", "", "NAME_NOT_RESOLVED"}};
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        Address answer = {.done = false};
        resolver_ask(f->resolver, CASES[i].name, on_address, &answer);
        assert_false(answer.done);
        test_await_flag(f->loop, &answer.done);
        assert_string_equal(answer.text, CASES[i].address);
        assert_string_equal(answer.code, CASES[i].code);
    }
}

static void a_cancelled_question_is_not_answered(void **state)
{
    Fixture *f = *state;
    Address first = {.done = false};
    Address second = {.done = false};
    ResolverQuery *query = resolver_ask(f->resolver, "localhost", on_address, &first);
    resolver_ask(f->resolver, "localhost", on_address, &second);
    resolver_cancel(query);
    test_await_flag(f->loop, &second.done);
    assert_false(first.done);
}

static void freeing_forgets_what_is_being_looked_up(void **state)
{
    Fixture *f = *state;
    Address answer = {.done = false};
    resolver_ask(f->resolver, "nothing.invalid", on_address, &answer);
    resolver_free(f->resolver);
    f->resolver = NULL;
    test_pass(f->loop, 50);
    assert_false(answer.done);
}

int main(void)
{
#define WITH_RESOLVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_RESOLVER(names_are_resolved),
        WITH_RESOLVER(a_cancelled_question_is_not_answered),
        WITH_RESOLVER(freeing_forgets_what_is_being_looked_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
