#include "ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { JOURNAL_BYTES_MAX = 65536 };

void row_begin(Row *row, const Scene *scene, const Command *command)
{
    *row =
        (Row){.scene = scene, .command = command, .state = scene->state, .journal = json_object()};
    must(text_copy(row->project_id, sizeof row->project_id, scene->project_id), "a text that fits");
}

void row_end(Row *row)
{
    json_decref(row->journal);
    json_decref(row->first_error);
    json_decref(row->intent.result);
}

SagaNow owner_now(int64_t now_ms)
{
    return (SagaNow){.boot_ms = now_ms, .wall_ms = now_ms + INT64_C(1795334820000)};
}

static void copy(char *field, size_t bytes, const char *text)
{
    must(text_copy(field, bytes, text), "a text that fits");
}

static void fill_environment(const Row *row, LedgerEnvironment *environment, int64_t now_ms)
{
    const Scene *scene = row->scene;
    environment->state = row->state;
    copy(environment->environment, sizeof environment->environment, row->command->writes.name);
    copy(environment->origin, sizeof environment->origin, scene->origin);
    copy(environment->command_id, sizeof environment->command_id,
         scene->state == LEDGER_STATE_CREATING ? WORLD_COMMAND : WORLD_EARLIER);
    copy(environment->account, sizeof environment->account, "main");
    copy(environment->project_id, sizeof environment->project_id, row->project_id);
    copy(environment->branch_id, sizeof environment->branch_id, scene->branch_id);
    copy(environment->endpoint_id, sizeof environment->endpoint_id,
         scene->state == LEDGER_STATE_READY ? "ep-1" : "");
    environment->details = json_loads(scene->details, 0, NULL);
    must(environment->details != NULL, "details that are JSON");
    environment->unsettled_in_ms = row->unsettled_earlier_at_ms - now_ms;
}

// What a preview branches off.
static void fill_base(LedgerClaimed *claimed)
{
    LedgerEnvironment *base = &claimed->source;
    copy(claimed->preview_base, sizeof claimed->preview_base, "staging");
    base->state = LEDGER_STATE_READY;
    copy(base->environment, sizeof base->environment, "staging");
    copy(base->origin, sizeof base->origin, "created");
    copy(base->account, sizeof base->account, "main");
    copy(base->project_id, sizeof base->project_id, "p-0");
    copy(base->branch_id, sizeof base->branch_id, "br-0");
}

Owner *row_claim(Row *row, const SagaRules *rules, int64_t now_ms)
{
    Owner *owner = alloc_zeroed(1, sizeof *owner);
    LedgerClaimed *claimed = &owner->claimed;
    row->epoch++;
    claimed->epoch = row->epoch;
    claimed->undoing = row->undoing;
    claimed->first_error = json_incref(row->first_error);
    claimed->journal = json_deep_copy(row->journal);
    claimed->had_intent = row->intent.number > 0;
    claimed->intent = row->intent;
    json_incref(row->intent.result);
    claimed->intent.settled_in_ms = row->settled_at_ms - now_ms;
    claimed->unsettled_in_ms = row->unsettled_at_ms - now_ms;
    copy(claimed->stop, sizeof claimed->stop, row->stop);
    fill_environment(row, &claimed->environment, now_ms);
    if (row->command->action == PROVISIONING__V1__COMMAND__ACTION_OPEN_PREVIEW ||
        row->command->action == PROVISIONING__V1__COMMAND__ACTION_SET_PREVIEW_BASE) {
        fill_base(claimed);
    }
    claimed->account.found = true;
    copy(claimed->account.account, sizeof claimed->account.account, "main");
    claimed->subject_sequence = 3;
    claimed->now_ms = owner_now(now_ms).wall_ms;
    saga_begin(&owner->saga, row->command, rules, claimed, owner_now(now_ms));
    return owner;
}

void owner_free(Owner *owner)
{
    if (owner != NULL) {
        saga_clear(&owner->saga);
        ledger_claimed_clear(&owner->claimed);
        neon_reply_clear(&owner->reply);
        free(owner);
    }
}

static void keep_journal(Row *row, const Owner *owner)
{
    char *packed = journal_pack(&owner->saga.journal);
    must(strlen(packed) < JOURNAL_BYTES_MAX, "a journal that does not grow");
    json_decref(row->journal);
    row->journal = json_loads(packed, 0, NULL);
    free(packed);
}

void row_open(Row *row, Owner *owner, const Decision *decision, int64_t now_ms)
{
    LedgerIntent *intent = &row->intent;
    if (intent->status == LEDGER_INTENT_OPEN && intent->settles &&
        row->settled_at_ms > row->unsettled_at_ms) {
        row->unsettled_at_ms = row->settled_at_ms;
    }
    json_decref(intent->result);
    *intent = (LedgerIntent){.status = LEDGER_INTENT_OPEN,
                             .number = intent->number + 1,
                             .epoch = row->epoch,
                             .settles = decision->settles};
    copy(intent->step, sizeof intent->step, decision->step->name);
    row->settled_at_ms = now_ms + WORLD_SETTLE_MS;
    keep_journal(row, owner);
    saga_opened(&owner->saga, decision->step, decision->settles, row->settled_at_ms);
}

bool row_close(Row *row, Owner *owner, int64_t number, bool is_current)
{
    if (row->intent.number != number || row->intent.status != LEDGER_INTENT_OPEN) {
        return false;
    }
    char *delta = journal_pack_delta(&owner->saga.journal);
    row->intent.status = LEDGER_INTENT_CLOSED;
    row->intent.result = json_loads(delta, 0, NULL);
    free(delta);
    if (is_current) {
        keep_journal(row, owner);
    }
    return true;
}

void row_mark(Row *row, const Effect *effect)
{
    row->state = effect->state != LEDGER_STATE_NONE ? effect->state : row->state;
    if (effect->project_id[0] != '\0') {
        copy(row->project_id, sizeof row->project_id, effect->project_id);
    }
}

void row_save(Row *row, Owner *owner)
{
    char *error = saga_first_error(&owner->saga);
    must(error != NULL, "a reason for the turn");
    must(owner->saga.undoing, "a direction to save");
    row->undoing = true;
    if (row->first_error == NULL) {
        row->first_error = json_loads(error, 0, NULL);
    }
    free(error);
    keep_journal(row, owner);
}
