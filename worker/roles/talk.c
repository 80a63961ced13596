#include "roles/talk.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/backoff.h"
#include "roles/talk_parts.h"

enum { PING_MS = 10000 };
static const Backoff RETRY = {.first_ms = 100, .max_ms = 3000};

// The second argument tells the two kinds of conversations apart: the maintenance database may be
// one of the environment's. Only reading doesn't keep others from reading.
#define LOCK_SQL(function, kind)                                                                   \
    "SELECT pg_catalog." function "(pg_catalog.hashtextextended($1::text || ':roles" kind "', 0))"

RolesTalk *roles_talk_new(const RolesTask *task, const char *database)
{
    RolesTalk *talk = alloc_zeroed(1, sizeof(*talk));
    talk->task = task;
    talk->database = database != NULL ? alloc_text(database) : NULL;
    talk->done = json_object();
    talk->failed = json_object();
    talk->missing = json_array();
    talk->report = ROLES_REPORT_INIT;
    talk->err = ERROR_INIT;
    talk->holder = TEXT_INIT(TALK_HOLDER_BYTES);
    talk_look_begin(talk);
    return talk;
}

void roles_talk_free(RolesTalk *talk)
{
    if (talk == NULL) {
        return;
    }
    talk_look_clear(talk);
    talk_batch_clear(&talk->batch);
    roles_report_clear(&talk->report);
    json_decref(talk->done);
    json_decref(talk->failed);
    json_decref(talk->missing);
    text_clear(&talk->holder);
    free(talk->verdicts);
    free(talk->database);
    free(talk);
}

void talk_go(RolesTalk *talk, TalkState state)
{
    talk->state = state;
    talk->is_built = false;
    talk->wait_ms = 0;
}

void talk_fail(RolesTalk *talk, const Error *err)
{
    talk->err = *err;
    talk_go(talk, TALK_FAILED);
}

static void build_open(RolesTalk *talk)
{
    bool shares = talk->task->mode == ROLES_MODE_PLAN;
    bool is_cluster = talk->database == NULL;
    const char *lock = is_cluster ? (shares ? LOCK_SQL("pg_advisory_lock_shared", "")
                                            : LOCK_SQL("pg_advisory_lock", ""))
                                  : (shares ? LOCK_SQL("pg_advisory_lock_shared", ":database")
                                            : LOCK_SQL("pg_advisory_lock", ":database"));
    // the verifiers may be refused without any harm to the rest
    talk_batch_begin(&talk->batch, is_cluster, false);
    talk_batch_add_with(&talk->batch, lock, roles_spec_prefix(talk->task->spec));
    talk_look_add_pad(talk);
    talk_look_restart(talk);
    talk_look_add(talk, true, true);
}

static void build_look(RolesTalk *talk)
{
    talk_batch_begin(&talk->batch, false, false);
    if (!talk->is_compared) {
        talk_look_restart(talk);
    }
    talk_look_add(talk, !talk->is_compared, true);
}

static void build(RolesTalk *talk)
{
    switch (talk->state) {
    case TALK_OPENS:
        build_open(talk);
        break;
    case TALK_ASKS:
        talk_holder_build(talk);
        break;
    case TALK_LOOKS:
        build_look(talk);
        break;
    case TALK_APPLIES:
        talk_apply_build(talk);
        break;
    case TALK_CREATES:
        talk_cluster_build_create(talk);
        break;
    case TALK_PINGS:
        talk_batch_begin(&talk->batch, false, false);
        talk_batch_add(&talk->batch, "SELECT 1");
        break;
    case TALK_VERIFIES:
    case TALK_HOLDS:
    case TALK_WAITS:
    case TALK_DONE:
    case TALK_FAILED:
        break;
    }
    talk->is_built = true;
}

static uint32_t chosen_wait_ms(RolesTalk *talk, uint32_t random)
{
    if (talk->wait_ms == 0) {
        talk->wait_ms = backoff_delay_ms(RETRY, talk->attempts - 1, random);
    }
    return talk->wait_ms;
}

RolesTalkNext roles_talk_next(RolesTalk *talk, uint32_t random)
{
    if (!talk->is_built) {
        build(talk);
    }
    switch (talk->state) {
    case TALK_VERIFIES:
        return (RolesTalkNext){
            .action = ROLES_TALK_VERIFY, .checks = talk->checks, .check_count = talk->check_count};
    case TALK_HOLDS:
        return (RolesTalkNext){.action = ROLES_TALK_HOLD, .wait_ms = PING_MS};
    case TALK_WAITS:
        return (RolesTalkNext){.action = ROLES_TALK_WAIT, .wait_ms = chosen_wait_ms(talk, random)};
    case TALK_DONE:
        return (RolesTalkNext){.action = ROLES_TALK_DONE};
    case TALK_FAILED:
        return (RolesTalkNext){.action = ROLES_TALK_FAILED, .err = &talk->err};
    case TALK_OPENS:
    case TALK_ASKS:
    case TALK_LOOKS:
    case TALK_APPLIES:
    case TALK_CREATES:
    case TALK_PINGS:
        break;
    }
    return (RolesTalkNext){.action = ROLES_TALK_SEND, .batch = talk_batch_get(&talk->batch)};
}

static void decide(RolesTalk *talk)
{
    if (talk->database != NULL) {
        talk_database_decide(talk);
    } else {
        talk_cluster_decide(talk);
    }
}

static void look_again(RolesTalk *talk)
{
    talk->is_compared = true;
    talk_go(talk, TALK_LOOKS);
}

static void compared(RolesTalk *talk)
{
    if (talk_look_verified(talk)) {
        look_again(talk);
    } else {
        decide(talk);
    }
}

// A look that was made with what the comparison showed needs none.
static void learn_look(RolesTalk *talk, PGresult *const *results)
{
    bool was_compared = talk->is_compared;
    talk->is_compared = false;
    if (!talk_look_learn(talk, results)) {
        return;
    }
    if (was_compared) {
        decide(talk);
    } else if (talk->check_count > 0) {
        talk_go(talk, TALK_VERIFIES);
    } else {
        compared(talk);
    }
}

// The first failed result but that of the verifiers; NULL: none.
static const PGresult *find_failed(const RolesTalk *talk, PGresult *const *results, int count)
{
    for (int i = 0; i < count; i++) {
        bool is_verifiers =
            talk->verifies && i == talk->look_at && talk->looks[0] == ROLES_QUERY_VERIFIERS;
        if (talk_has_failed(results[i]) && !is_verifiers) {
            return results[i];
        }
    }
    return NULL;
}

static void learn_open(RolesTalk *talk, PGresult *const *results, int count)
{
    const PGresult *failed = find_failed(talk, results, count);
    if (failed != NULL) {
        Error err;
        talk_read_failure(failed, &err);
        talk_stumble(talk, &err);
        return;
    }
    if (!talk_look_learn_pad(talk, results)) {
        return;
    }
    bool is_refused = talk->verifies && talk_has_failed(results[talk->look_at]);
    if (is_refused && talk_look_unreadable(talk)) {
        look_again(talk);
    } else {
        learn_look(talk, results);
    }
}

void roles_talk_learn(RolesTalk *talk, PGresult *const *results, int count, const Error *err)
{
    if (err->kind != ERROR_NONE) {
        talk_stumble(talk, err);
        return;
    }
    assert(count == talk->batch.count);
    switch (talk->state) {
    case TALK_OPENS:
        learn_open(talk, results, count);
        break;
    case TALK_ASKS:
        talk_holder_learn(talk, results);
        break;
    case TALK_LOOKS:
        learn_look(talk, results);
        break;
    case TALK_APPLIES:
        talk_apply_learn(talk, results);
        learn_look(talk, results);
        break;
    case TALK_CREATES:
        talk_cluster_learn_create(talk, results);
        break;
    case TALK_PINGS:
    case TALK_VERIFIES:
    case TALK_HOLDS:
    case TALK_WAITS:
    case TALK_DONE:
    case TALK_FAILED:
        assert(talk->state == TALK_PINGS); // nothing is sent in the others
        talk_go(talk, TALK_HOLDS);
        break;
    }
}

void roles_talk_verified(RolesTalk *talk)
{
    assert(talk->state == TALK_VERIFIES);
    compared(talk);
}

void roles_talk_waited(RolesTalk *talk)
{
    assert(talk->state == TALK_WAITS || talk->state == TALK_HOLDS);
    talk_go(talk, talk->state == TALK_HOLDS ? TALK_PINGS : talk->after_wait);
}

void roles_talk_end(RolesTalk *talk)
{
    assert(talk->state == TALK_HOLDS);
    talk_go(talk, TALK_DONE);
}

void roles_talk_move_report(RolesTalk *talk, RolesReport *report)
{
    roles_report_merge(report, &talk->report);
}
