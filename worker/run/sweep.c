#include "run/sweep.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "run/ledger_session.h"
#include "run/sweep_ledger.h"
#include "run/sweep_report.h"
#include "run/sweep_send.h"
#include "sys/clock.h"

enum { LOOK_AGAIN_MS = 200 };

typedef Provisioning__V1__Event Event;

typedef struct Sweep {
    const SweepOptions *options;
    PGconn *ledger;
    SweepTargets targets;
    SweepTargets removals; // commands that sweeps have sent; without an account
    SweepReport report;
    int64_t until_boot_ms;
    Error refusal; // of the first account that could not be swept
} Sweep;

static void close_at(Sweep *sweep)
{
    ledger_session_close_at(&sweep->ledger);
    sweep_targets_clear_at(&sweep->targets);
    sweep_targets_clear_at(&sweep->removals);
}

static void free_event_at(Event **event)
{
    provisioning__v1__event__free_unpacked(*event, NULL);
}

// Splits "APPLICATION/ACCOUNT".
static bool split(const char *text, char ret_application_id[NAME_APPLICATION_BYTES],
                  const char **ret_account)
{
    const char *slash = strchr(text, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - text);
    if (length == 0 || length >= NAME_APPLICATION_BYTES) {
        return false;
    }
    memcpy(ret_application_id, text, length);
    ret_application_id[length] = '\0';
    *ret_account = slash + 1;
    return true;
}

bool sweep_check_account(const char *text, Error *err)
{
    char application_id[NAME_APPLICATION_BYTES];
    const char *account = "";
    if (!split(text, application_id, &account)) {
        return error_set(err, ERROR_INVALID, "INVALID_ACCOUNT",
                         "APPLICATION/ACCOUNT is needed, as in shop/main");
    }
    return name_check_application(application_id, "--account", err) &&
           name_check_account(account, "--account", err);
}

static bool is_among(const SweepTargets *targets, const char *name)
{
    char application_id[NAME_APPLICATION_BYTES];
    const char *account = "";
    (void)split(name, application_id, &account);
    for (size_t i = 0; i < targets->count; i++) {
        if (strcmp(targets->list[i].application_id, application_id) == 0 &&
            strcmp(targets->list[i].account, account) == 0) {
            return true;
        }
    }
    return false;
}

// The accounts that were named, each once; all that there are where none was.
static bool choose(Sweep *sweep, Error *err)
{
    const SweepOptions *options = sweep->options;
    SweepTargets all CLEANUP(sweep_targets_clear_at) = {.list = NULL};
    SweepTargets *targets = options->account_count == 0 ? &sweep->targets : &all;
    if (!sweep_ledger_accounts(sweep->ledger, false, targets, err)) {
        return false;
    }
    for (size_t i = 0; i < options->account_count; i++) {
        const char *name = options->accounts[i];
        if (!is_among(&all, name)) {
            return error_set(err, ERROR_INVALID, "ACCOUNT_UNKNOWN", "%s is not connected", name);
        }
        if (!is_among(&sweep->targets, name)) {
            char application_id[NAME_APPLICATION_BYTES];
            const char *account = "";
            (void)split(name, application_id, &account);
            sweep_targets_add(&sweep->targets, application_id, account);
        }
    }
    return true;
}

static void fail_late(const SweepTarget *target, bool is_begun, Error *err)
{
    error_set(err, ERROR_BUSY, "SWEEP_TIMEOUT",
              is_begun ? "command %s of %s has not ended yet: the workers go on with it, and its "
                         "event tells what it found"
                       : "command %s of %s has not begun: no worker runs or has come to it, or it "
                         "was refused before its execution (as one that is not signed as the "
                         "workers require): `provisionctl dead-letters list` tells. Otherwise the "
                         "workers will go on with it, and its event tells what it found",
              target->command_id, target->application_id);
}

// Waits for the outcome of a command; NULL: an error.
static Event *await(const Sweep *sweep, const SweepTarget *target, Error *err)
{
    OutcomeMessage *outcome CLEANUP(outcome_message_free_at) = NULL;
    bool is_begun = false;
    while (sweep_ledger_outcome(sweep->ledger, target->application_id, target->command_id,
                                &is_begun, &outcome, err)) {
        if (outcome != NULL) {
            Event *event = sweep_report_event(outcome);
            if (event == NULL) {
                error_set(err, ERROR_INTERNAL, "LEDGER_ROW_INVALID",
                          "the outcome of command %s of %s holds no event", target->command_id,
                          target->application_id);
            }
            return event;
        }
        if (clock_boot_ms() >= sweep->until_boot_ms) {
            fail_late(target, is_begun, err);
            return NULL;
        }
        (void)poll(NULL, 0, LOOK_AGAIN_MS);
    }
    return NULL;
}

static void note_refusal(Sweep *sweep, const SweepTarget *target, const Event *event)
{
    bool is_rejected = event->body_case == PROVISIONING__V1__EVENT__BODY_COMMAND_REJECTED;
    bool is_failed = event->body_case == PROVISIONING__V1__EVENT__BODY_COMMAND_FAILED;
    const char *code = is_rejected ? event->command_rejected->code
                       : is_failed ? event->command_failed->code
                                   : "STOPPED";
    const char *message = is_rejected ? event->command_rejected->message
                          : is_failed ? event->command_failed->message
                                      : "another command has stopped it";
    bool has_changed = strcmp(code, "LEDGER_CHANGED") == 0;
    if (sweep->refusal.kind == ERROR_NONE) {
        error_set(&sweep->refusal, has_changed ? ERROR_CONFLICT : ERROR_UNAVAILABLE,
                  has_changed ? code : "SWEEP_REFUSED", "%s/%s: %s%s%s", target->application_id,
                  target->account, has_changed ? "" : code, has_changed ? "" : ": ", message);
    }
}

static void note_removals(Sweep *sweep, const Event *event)
{
    const Provisioning__V1__AccountSwept *swept = event->account_swept;
    for (size_t i = 0; i < swept->n_findings; i++) {
        const char *id = swept->findings[i]->sent_command_id;
        if (id[0] != '\0') {
            sweep_targets_add(&sweep->removals, event->application_id, "");
            bool fits = text_copy(sweep->removals.list[sweep->removals.count - 1].command_id,
                                  sizeof sweep->removals.list[0].command_id, id);
            sweep->removals.count -= fits ? 0 : 1; // not an id
        }
    }
}

static bool await_all(Sweep *sweep, Error *err)
{
    for (size_t i = 0; i < sweep->targets.count; i++) {
        Event *event CLEANUP(free_event_at) = await(sweep, &sweep->targets.list[i], err);
        if (event == NULL) {
            return false;
        }
        if (event->body_case == PROVISIONING__V1__EVENT__BODY_ACCOUNT_SWEPT) {
            sweep_report_swept(&sweep->report, event);
            note_removals(sweep, event);
        } else {
            note_refusal(sweep, &sweep->targets.list[i], event);
        }
        (void)fflush(sweep->report.out);
    }
    for (size_t i = 0; i < sweep->removals.count; i++) {
        Event *event CLEANUP(free_event_at) = await(sweep, &sweep->removals.list[i], err);
        if (event == NULL) {
            return false;
        }
        sweep_report_removal(&sweep->report, event);
    }
    return true;
}

bool sweep_run(const Settings *settings, const SweepOptions *options, FILE *out, bool *ret_is_clean,
               Error *err)
{
    Sweep sweep CLEANUP(close_at) = {
        .options = options,
        .ledger = ledger_session_open(settings, "provision-worker sweep", err),
        .report = {.out = out, .json = options->json},
        .until_boot_ms = clock_boot_ms() + options->timeout_ms,
    };
    *ret_is_clean = false;
    if (sweep.ledger == NULL || !choose(&sweep, err) ||
        !sweep_send(settings, &sweep.targets, options->deletes, err) || !await_all(&sweep, err)) {
        return false;
    }
    sweep_report_totals(&sweep.report, options->deletes);
    if (sweep.refusal.kind != ERROR_NONE) {
        *err = sweep.refusal;
        return false;
    }
    *ret_is_clean = sweep_report_is_clean(&sweep.report);
    return true;
}

bool sweep_confirm(const Settings *settings, FILE *out, Error *err)
{
    char old_identity[SWEEP_IDENTITY_BYTES];
    char new_identity[SWEEP_IDENTITY_BYTES];
    PGconn *ledger CLEANUP(ledger_session_close_at) =
        ledger_session_open(settings, "provision-worker sweep", err);
    if (ledger == NULL || !sweep_ledger_confirm(ledger, old_identity, new_identity, err)) {
        return false;
    }
    (void)fprintf(out, "was: %s\nis:  %s\n", old_identity[0] == '\0' ? "unknown" : old_identity,
                  new_identity);
    return true;
}
