#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "run/flight.h"
#include "run/mask.h"
#include "run/progress.h"
#include "run/tally.h"
#include "sys/clock.h"
#include "sys/crash.h"
#include "sys/log.h"
#include "sys/random.h"

enum { UNSENT_WAIT_MS = 1000, RATE_LIMIT_WAIT_MS = 1000 };

static const char *bucket_key(const Flight *flight)
{
    const LedgerAccount *account = &flight->work->claimed.account;
    // a key that is being connected belongs to an account that isn't known yet
    return account->found && account->neon_account_id[0] != '\0' ? account->neon_account_id
                                                                 : flight->command->application_id;
}

static void pass(const Flight *flight, CrashPoint point)
{
    if (flight->work->decision.mutating) {
        crash_point(point, flight->command->action_name, flight->work->decision.step->name);
    }
}

static void go_on(Flight *flight, Lesson lesson)
{
    bool waits = lesson == LESSON_WAIT || lesson == LESSON_UNKNOWN;
    if (waits && flight->work->saga.wait_ms <= FLIGHT_LOOK_MS) {
        flight_after(flight, flight_cap_wait(flight, flight->work->saga.wait_ms), flight_advance);
    } else {
        flight_advance(flight); // which waits, too, and looks meanwhile
    }
}

// A flight without an assignment parks at once instead of sitting out a timer.
static void go_on_or_park(Flight *flight, Lesson lesson)
{
    if (!flight_may_act(flight)) {
        flight_advance(flight);
    } else {
        go_on(flight, lesson);
    }
}

static void on_closed(LedgerOp *op)
{
    Flight *flight = LIST_ENTRY(op, Flight, op);
    LedgerClosed closed = op->answer.closed;
    pass(flight, CRASH_RESULT_AFTER);
    if (!flight_landed(flight)) {
        return;
    }
    if (closed.written && !closed.current) {
        flight_stale(flight);
        return;
    }
    flight_progress(flight);
    // not written: this very statement was sent twice, or another owner has replaced the intent;
    // its next write tells
    go_on_or_park(flight, flight->lesson);
}

static void close_intent(Flight *flight)
{
    flight->texts[0] = journal_pack(&flight->work->saga.journal);
    flight->texts[1] = journal_pack_delta(&flight->work->saga.journal);
    flight->op.ask.close = (LedgerClose){.key = flight_key(flight),
                                         .number = flight->intent_number,
                                         .goes_on = !flight->work->saga.is_stuck,
                                         .result = flight->texts[1],
                                         .journal = flight->texts[0]};
    pass(flight, CRASH_RESULT_BEFORE);
    flight_put(flight, LEDGER_OP_CLOSE, on_closed);
}

// Nothing was sent under the intent, and nothing will be.
static void close_unsent(Flight *flight)
{
    saga_not_sent(&flight->work->saga, flight_now());
    flight->work->saga.wait_ms = UNSENT_WAIT_MS;
    flight->lesson = LESSON_WAIT;
    close_intent(flight);
}

// Why it failed, or what it waits for.
static const Error *reason_of(const Flight *flight, const Answer *answer)
{
    return flight->lesson == LESSON_FAILED ? &flight->work->saga.failure.error : answer->error;
}

void flight_learn(Flight *flight, const Answer *answer)
{
    flight->lesson =
        saga_learn(&flight->work->saga, flight->work->decision.step, answer, flight_now());
    tally_step(flight);
    if (answer->reply != NULL) {
        tally_wait(flight, answer->reply->meaning);
    }
    if (flight->work->decision.mutating && flight->lesson == LESSON_UNKNOWN) {
        tally_intent(flight->worker, "left_unknown");
    }
    progress_learnt(flight, flight->work->decision.step, flight->lesson);
    LogFields fields = flight_log(flight);
    fields.error = reason_of(flight, answer);
    log_write(flight->lesson == LESSON_FAILED ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG, &fields, "%s",
              flight->lesson == LESSON_LEARNT ? "learnt"
              : flight->lesson == LESSON_WAIT ? "waits"
              : flight->lesson == LESSON_UNKNOWN
                  ? "the result is unknown; it is settled before anything is repeated"
                  : "failed");
    if (flight->work->decision.mutating && flight->lesson != LESSON_UNKNOWN) {
        close_intent(flight);
    } else {
        go_on_or_park(flight, flight->lesson);
    }
}

// What Neon, or whoever answers in its place, may have put our own secrets into. The key is never
// part of a good answer; a password is.
static void read_reply(Flight *flight, const HttpReply *reply, NeonReply *ret_answer)
{
    CLEANUP(buffer_clear) Buffer without_key = {.data = NULL};
    CLEANUP(buffer_clear) Buffer without_password = {.data = NULL};
    bool is_good = reply->status >= 200 && reply->status < 300;
    bool has_key_in_id = mask_finds(bytes_of(reply->request_id), &flight->api_key);
    NeonRawReply raw = {.status = reply->status,
                        .content_type = reply->content_type,
                        .request_id = has_key_in_id ? "" : reply->request_id,
                        .retry_after = reply->retry_after,
                        .now_ms = clock_wall_ms(),
                        .transport_error = reply->error,
                        .body = mask_bytes(reply->body, &flight->api_key, &without_key)};
    if (!is_good) {
        raw.body = mask_bytes(raw.body, &flight->work->saga.connection.password, &without_password);
    }
    neon_reply_read(&raw, ret_answer);
}

static void on_reply(void *context, const HttpReply *reply)
{
    Flight *flight = context;
    flight->call = NULL;
    tally_reply(flight, reply);
    pass(flight, CRASH_CALL_AFTER);
    NeonReply answer;
    read_reply(flight, reply, &answer);
    LogFields fields = flight_log(flight);
    log_write(LOG_LEVEL_DEBUG, &fields, "%s: %d in %.1f ms, request %s",
              neon_route_name(flight->work->decision.effect.request.route), reply->status,
              (double)reply->took_us / 1000, answer.request_id);
    if (answer.meaning == NEON_RATE_LIMITED) {
        uint32_t wait_ms = answer.retry_after_ms > 0 ? answer.retry_after_ms : RATE_LIMIT_WAIT_MS;
        uint32_t longest_ms = flight->worker->saga_rules.max_wait_ms;
        buckets_limited(flight->worker->buckets, bucket_key(flight), flight->sent_boot_ms,
                        clock_boot_ms(), wait_ms < longest_ms ? wait_ms : longest_ms);
    }
    // one that was dropped learns, too: closing its intent saves the next owner the wait
    if (flight->work->decision.mutating && reply->status == 0 && !reply->written) {
        close_unsent(flight);
    } else {
        flight_learn(flight, &(Answer){.reply = &answer});
    }
    neon_reply_clear(&answer);
}

static void send_request(Flight *flight)
{
    const NeonRequest *request = &flight->work->decision.effect.request;
    char request_id[UUID_TEXT_BYTES];
    random_uuid(request_id);
    HttpRequest http = {.method = request->method,
                        .path = text_get(&request->path),
                        .body = text_bytes(&request->body),
                        .bearer = &flight->api_key,
                        .request_id = request_id,
                        .send_limit_boot_ms =
                            flight->work->decision.mutating ? flight->send_limit_ms : 0};
    pass(flight, CRASH_CALL_BEFORE);
    gate_work(flight->worker->gate, &flight->place);
    flight->sent_boot_ms = clock_boot_ms();
    flight->call = http_send(flight->worker->http, &http, on_reply, flight);
}

static void on_not_opened(Flight *flight, const LedgerOpened *opened)
{
    if (!flight_landed(flight)) {
        return;
    }
    if (opened->stop[0] != '\0') {
        saga_stop(&flight->work->saga, opened->stop, opened->stopped_by);
        flight_advance(flight);
    } else {
        flight_stale(flight);
    }
}

static void on_opened(LedgerOp *op)
{
    Flight *flight = LIST_ENTRY(op, Flight, op);
    LedgerOpened opened = op->answer.opened;
    pass(flight, CRASH_INTENT_AFTER);
    if (!opened.written) {
        on_not_opened(flight, &opened);
        return;
    }
    flight_free_texts(flight);
    tally_intent(flight->worker, "opened");
    const IntentTimes *times = &flight->worker->intent_times;
    flight->intent_number = opened.number;
    flight_progress(flight);
    flight->send_limit_ms = intent_send_limit_ms(times, op->handed_boot_ms);
    saga_opened(&flight->work->saga, flight->work->decision.step, flight->work->decision.settles,
                intent_settled_ms(times, clock_boot_ms()));
    if (!flight_may_act(flight)) {
        close_unsent(flight); // taken away meanwhile: its next owner calls
    } else if (flight->work->decision.effect.kind == EFFECT_ROLES) {
        pass(flight, CRASH_CALL_BEFORE);
        flight_run_roles(flight);
    } else {
        send_request(flight);
    }
}

static void open_intent(Flight *flight)
{
    const IntentTimes *times = &flight->worker->intent_times;
    flight->texts[0] = journal_pack(&flight->work->saga.journal);
    flight->op.ask.open = (LedgerOpen){.key = flight_key(flight),
                                       .step = flight->work->decision.step->name,
                                       .settles = flight->work->decision.settles,
                                       .send_window_ms = times->send_window_ms,
                                       .settle_after_ms = times->settle_after_ms,
                                       .is_final = saga_is_final(&flight->work->saga),
                                       .goes_on = !flight->work->saga.is_stuck,
                                       .journal = flight->texts[0]};
    pass(flight, CRASH_INTENT_BEFORE);
    flight_put(flight, LEDGER_OP_OPEN, on_opened);
}

// The token is taken: its time has come.
static void call_neon(Flight *flight)
{
    tally_went_on(flight);
    if (flight->work->decision.mutating) {
        open_intent(flight);
    } else {
        send_request(flight);
    }
}

static void perform_neon(Flight *flight)
{
    const char *project_id = flight->work->decision.effect.project_id;
    if (flight->work->decision.mutating && project_id[0] != '\0' &&
        !locks_acquire(flight->worker->locks, project_id, &flight->lock)) {
        gate_rest(flight->worker->gate, &flight->place);
        tally_went_on(flight); // to wait for another command
        return;                // flight_perform is called when it is free
    }
    if (buckets_take(flight->worker->buckets, bucket_key(flight), &flight->token,
                     clock_boot_ms())) {
        call_neon(flight);
    } else {
        tally_bucket_wait(flight);
        // meanwhile a deadline may turn it; else it keeps its place
        flight_after(flight, flight_cap_wait(flight, UINT32_MAX), flight_advance);
    }
}

void flight_on_token(BucketEntry *entry)
{
    Flight *flight = LIST_ENTRY(entry, Flight, token);
    loop_timer_stop(flight->timer);
    // one that is about to be detached or freed asks again, if ever
    if (flight_may_act(flight)) {
        call_neon(flight);
    }
}

static void end_login(Flight *flight, const Error *err)
{
    pg_close(flight->login);
    flight->login = NULL;
    flight_learn(flight, &(Answer){.error = err});
}

static void on_selected(void *context, PGresult *const *results, int count, const Error *err)
{
    (void)results;
    (void)count;
    Error copy = *err;
    end_login(context, &copy);
}

static void on_login_state(void *context, PgState state, const Error *err)
{
    static const PgStatement SELECT_ONE = {.sql = "SELECT 1"};
    Flight *flight = context;
    if (state == PG_READY && !flight->login_asked) {
        flight->login_asked = true;
        pg_run(flight->login, &SELECT_ONE, 1, on_selected, flight);
    } else if (state == PG_FAILED && !flight->login_asked) {
        Error copy = *err;
        end_login(flight, &copy);
    }
}

static void perform_login(Flight *flight)
{
    const Settings *settings = flight->worker->settings;
    const SagaConnection *connection = &flight->work->saga.connection;
    PgOptions options = {
        .host = connection->host,
        .port = connection->port,
        .database = connection->database,
        .user = connection->role,
        .password = &connection->password,
        .ca_file = settings_text(settings, SETTING_POSTGRES_CA_FILE),
        .public_only = !settings_api_is_local(settings),
        .connect_timeout_ms = (uint32_t)settings_number(settings, SETTING_POSTGRES_TIMEOUT),
        .statement_timeout_ms = (uint32_t)settings_number(settings, SETTING_POSTGRES_TIMEOUT),
        .application_name = "provision-worker",
    };
    gate_work(flight->worker->gate, &flight->place);
    flight->login_asked = false;
    flight->login =
        pg_open(flight->worker->loop, flight->worker->resolver, &options, on_login_state, flight);
}

// False: it waits for a place, and is performed when there is one.
static bool take_role_run(Flight *flight)
{
    if (flight->role_run.works) {
        return true;
    }
    gate_wait(flight->worker->role_runs, &flight->role_run, flight->command->application_id);
    // meanwhile a deadline may turn it; else it keeps its place in the queue
    flight_after(flight, flight_cap_wait(flight, UINT32_MAX), flight_advance);
    return false;
}

void flight_on_role_run(Flight *flight)
{
    loop_timer_stop(flight->timer);
    if (flight_may_act(flight)) {
        flight_perform(flight);
    } else { // one that is about to be detached or freed asks again, if ever
        gate_rest(flight->worker->role_runs, &flight->role_run);
    }
}

void flight_perform(Flight *flight)
{
    EffectKind kind = flight->work->decision.effect.kind;
    if (kind != EFFECT_NEON) {
        buckets_leave(flight->worker->buckets, &flight->token);
    }
    if (kind != EFFECT_ROLES) {
        gate_rest(flight->worker->role_runs, &flight->role_run);
    } else if (!take_role_run(flight)) {
        return;
    }
    if (kind == EFFECT_NEON) {
        perform_neon(flight);
    } else if (kind == EFFECT_LOGIN) {
        perform_login(flight);
    } else if (flight->work->decision.mutating) {
        open_intent(flight);
    } else if (kind == EFFECT_ROLES) {
        flight_run_roles(flight);
    } else {
        flight_perform_ledger(flight);
    }
}
