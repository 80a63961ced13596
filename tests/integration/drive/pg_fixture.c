#include "pg_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void pg_on_state(void *context, PgState state, const Error *err)
{
    PgFixture *f = context;
    f->state = state;
    if (state == PG_READY) {
        f->ready++;
    } else if (state == PG_FAILED) {
        f->failure = *err;
        if (f->close_on_failure) {
            pg_close(f->pg);
            f->pg = NULL;
        }
    }
}

void pg_on_answer(void *context, PGresult *const *results, int count, const Error *err)
{
    PgAnswer *answer = context;
    assert_false(answer->done);
    answer->done = true;
    answer->count = count;
    answer->err = *err;
    if (count > 0 && PQntuples(results[count - 1]) > 0) {
        const char *value = PQgetvalue(results[count - 1], 0, 0);
        size_t length = strnlen(value, sizeof(answer->value) - 1);
        memcpy(answer->value, value, length);
        answer->value[length] = '\0';
    }
    if (answer->to_close != NULL) {
        pg_close(answer->to_close);
    }
}

int pg_set_up_alone(void **state)
{
    PgFixture *f = alloc_zeroed(1, sizeof(*f));
    f->loop = loop_new();
    f->resolver = resolver_new(f->loop);
    f->options = (PgOptions){
        .uri = &f->uri,
        .connect_timeout_ms = 5000,
        .statement_timeout_ms = 2000,
        .application_name = "drive-test",
    };
    *state = f;
    return 0;
}

int pg_set_up(void **state)
{
    (void)pg_set_up_alone(state);
    PgFixture *f = *state;
    secret_set_text(&f->uri, getenv("PROVISION_TEST_LEDGER"));
    return 0;
}

int pg_tear_down(void **state)
{
    PgFixture *f = *state;
    bool was_quick = test_loop_was_quick(f->loop);
    pg_close(f->pg);
    resolver_free(f->resolver);
    loop_free(f->loop);
    secret_clear(&f->uri);
    free(f);
    return was_quick ? 0 : 1;
}

void pg_fixture_open(PgFixture *f)
{
    f->state = PG_CONNECTING;
    f->pg = pg_open(f->loop, f->resolver, &f->options, pg_on_state, f);
}

bool pg_fixture_is_ready(void *context)
{
    const PgFixture *f = context;
    return f->state == PG_READY;
}

bool pg_fixture_has_failed(void *context)
{
    const PgFixture *f = context;
    return f->state == PG_FAILED;
}

void pg_fixture_run(PgFixture *f, const char *sql, PgAnswer *ret_answer)
{
    PgStatement statement = {.sql = sql};
    *ret_answer = (PgAnswer){.done = false};
    pg_run(f->pg, &statement, 1, pg_on_answer, ret_answer);
    assert_false(ret_answer->done);
    test_await_flag(f->loop, &ret_answer->done);
}

const char *pg_fixture_value(PgFixture *f, const char *sql, PgAnswer *answer)
{
    pg_fixture_run(f, sql, answer);
    assert_int_equal(answer->err.kind, ERROR_NONE);
    return answer->value;
}
