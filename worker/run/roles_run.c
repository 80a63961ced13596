#include "run/roles_run.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/unconst.h"
#include "drive/pg.h"
#include "run/roles_verify.h"
#include "sys/random.h"

enum { LINKS = ROLES_RUN_SESSIONS };

typedef struct Link {
    RolesRun *run;
    RolesSession *session; // NULL: free
    Pg *pg;
    LoopTimer *timer;
    RolesVerify *verify; // under way; NULL: none
    bool is_ready;       // it was, at some time: what is lost from then on its statements tell
} Link;

struct RolesRun {
    RolesRunOptions options;
    Secret password;
    RolesSecret *secrets;
    Secret *passwords; // of the secrets
    RolesTalks *talks;
    Link links[LINKS];
    RolesRunDone *done;
    void *context;
};

static void go_on(Link *link);

static void close_link(Link *link)
{
    pg_close(link->pg);
    loop_timer_free(link->timer);
    roles_verify_cancel(link->verify);
    *link = (Link){.run = link->run};
}

static void run_free(RolesRun *run)
{
    for (int i = 0; i < LINKS; i++) {
        if (run->links[i].session != NULL) {
            close_link(&run->links[i]);
        }
    }
    roles_talks_free(run->talks);
    for (size_t i = 0; i < run->options.task.secret_count; i++) {
        secret_clear(&run->passwords[i]);
        free(unconst(run->secrets[i].role));
    }
    free(run->passwords);
    free(run->secrets);
    secret_clear(&run->password);
    free(run);
}

void roles_run_cancel(RolesRun *run)
{
    if (run != NULL) {
        run_free(run);
    }
}

static void finish(RolesRun *run)
{
    RolesReport report = ROLES_REPORT_INIT;
    Error err = ERROR_INIT;
    (void)roles_talks_end(run->talks, &report, &err);
    RolesRunDone *done = run->done;
    void *context = run->context;
    run_free(run);
    done(context, &report, &err);
    roles_report_clear(&report);
}

static void on_answer(void *context, PGresult *const *results, int count, const Error *err)
{
    Link *link = context;
    roles_talk_learn(link->session->talk, results, count, err);
    go_on(link);
}

static void send_batch(Link *link, const RolesBatch *batch)
{
    const RolesRun *run = link->run;
    bool is_limited = batch->changes && link == &run->links[0];
    int64_t limit_ms = is_limited ? run->options.send_limit_boot_ms : 0;
    PgStatement *statements = alloc_zeroed((size_t)batch->count, sizeof(statements[0]));
    for (int i = 0; i < batch->count; i++) {
        const RolesStatement *from = &batch->statements[i];
        statements[i] = (PgStatement){
            .sql = from->sql, .param_count = from->param_count, .params = from->params};
    }
    if (batch->each) {
        pg_run_each(link->pg, statements, batch->count, limit_ms, on_answer, link);
    } else {
        pg_run_until(link->pg, statements, batch->count, limit_ms, on_answer, link);
    }
    free(statements);
}

static void on_timer(void *context)
{
    Link *link = context;
    roles_talk_waited(link->session->talk);
    go_on(link);
}

static void on_verified(void *context)
{
    Link *link = context;
    link->verify = NULL;
    roles_talk_verified(link->session->talk);
    go_on(link);
}

static void advance(Link *link)
{
    RolesRun *run = link->run;
    RolesTalkNext next = roles_talks_next(run->talks, link->session, random_u32());
    switch (next.action) {
    case ROLES_TALK_SEND:
        send_batch(link, &next.batch);
        break;
    case ROLES_TALK_VERIFY:
        link->verify =
            roles_verify_start(run->options.loop, next.checks, next.check_count, on_verified, link);
        break;
    case ROLES_TALK_WAIT:
    case ROLES_TALK_HOLD:
        loop_timer_start(link->timer, next.wait_ms);
        break;
    case ROLES_TALK_DONE:
    case ROLES_TALK_FAILED:
        close_link(link);
        break;
    }
}

static void on_state(void *context, PgState state, const Error *err)
{
    Link *link = context;
    if (state == PG_READY) {
        link->is_ready = true;
    } else if (state != PG_FAILED || link->is_ready) {
        return;
    } else if (roles_talks_refused(link->run->talks, link->session, err)) {
        close_link(link);
        go_on(link);
        return;
    }
    go_on(link);
}

static Link *find_free(RolesRun *run)
{
    int i = 0;
    while (run->links[i].session != NULL) {
        i++;
        assert(i < LINKS);
    }
    return &run->links[i];
}

static void open_link(RolesRun *run, RolesSession *session)
{
    const RolesRunOptions *options = &run->options;
    PgOptions pg = {.host = options->host,
                    .port = options->port,
                    .database = session->database,
                    .user = options->user,
                    .password = &run->password,
                    .ca_file = options->ca_file,
                    .max_answer_bytes = ROLES_RUN_ANSWER_BYTES,
                    .public_only = options->public_only,
                    .answers = options->answers,
                    .connect_timeout_ms = options->connect_timeout_ms,
                    .statement_timeout_ms = ROLES_TALK_STATEMENT_TIMEOUT_MS,
                    .job_timeout_ms = ROLES_TALK_BATCH_TIMEOUT_MS,
                    .session_options = ROLES_TALK_OPTIONS,
                    .application_name = "provision-worker"};
    Link *link = find_free(run);
    link->session = session;
    link->timer = loop_timer_new(options->loop, on_timer, link);
    link->pg = pg_open(options->loop, options->resolver, &pg, on_state, link);
}

static void open_sessions(RolesRun *run)
{
    RolesSession *session;
    while ((session = roles_talks_open(run->talks)) != NULL) {
        open_link(run, session);
    }
}

// What holds the lock for the others may end when the last of them has.
static void advance_holder(RolesRun *run)
{
    Link *holder = &run->links[0];
    bool rests = holder->timer != NULL && loop_timer_is_active(holder->timer);
    if (roles_talks_holder(run->talks) != NULL && rests) {
        loop_timer_stop(holder->timer);
        advance(holder);
    }
}

// The last thing a callback does: the run may be over.
static void go_on(Link *link)
{
    RolesRun *run = link->run;
    if (link->session != NULL) {
        advance(link);
    }
    advance_holder(run);
    open_sessions(run);
    if (roles_talks_is_over(run->talks)) {
        finish(run);
    }
}

static void copy_secrets(RolesRun *run)
{
    RolesTask *task = &run->options.task;
    run->passwords = alloc_zeroed(task->secret_count, sizeof(run->passwords[0]));
    run->secrets = alloc_zeroed(task->secret_count, sizeof(run->secrets[0]));
    for (size_t i = 0; i < task->secret_count; i++) {
        const RolesSecret *from = &task->secrets[i];
        secret_set(&run->passwords[i], secret_bytes(from->password));
        run->secrets[i] = (RolesSecret){
            .role = alloc_text(from->role), .password = &run->passwords[i], .set = from->set};
    }
    task->secrets = run->secrets;
}

RolesRun *roles_run_start(const RolesRunOptions *options, RolesRunDone *done, void *context)
{
    RolesRun *run = alloc_zeroed(1, sizeof(*run));
    run->options = *options;
    run->done = done;
    run->context = context;
    secret_set(&run->password, secret_bytes(options->password));
    run->options.password = &run->password;
    copy_secrets(run);
    for (int i = 0; i < LINKS; i++) {
        run->links[i].run = run;
    }
    run->talks = roles_talks_new(&run->options.task, options->fallback);
    open_sessions(run);
    return run;
}
