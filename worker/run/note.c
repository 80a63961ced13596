#include "run/note.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "run/flight.h"
#include "run/ledger_rows.h"
#include "sys/clock.h"

// A row under way takes some kilobytes: one batch at a time.
enum { NOTES_MAX = LEDGER_ROWS_MAX, MORE_MS = 100 };

// One row under way. It outlives its flight.
typedef struct Note {
    ListLink link;
    LedgerOp op;
    Worker *worker;
    NoteMemory *memory; // NULL: the flight is gone
    char application_id[NAME_APPLICATION_BYTES];
    char command_id[UUID_TEXT_BYTES];
    char step[sizeof(((SagaIntent *)NULL)->step)];
} Note;

void note_forget(NoteMemory *memory)
{
    if (memory->under_way != NULL) {
        memory->under_way->memory = NULL;
        memory->under_way = NULL;
    }
}

static void note_free(Note *note)
{
    if (note->memory != NULL) {
        note_forget(note->memory);
    }
    list_remove(&note->link);
    note->worker->note_count--;
    free(note);
}

static void on_noted(LedgerOp *op)
{
    note_free(LIST_ENTRY(op, Note, op)); // where nothing was written, the command went on
}

static void put_note(Flight *flight, Waiting waiting, const char *step, int64_t waiting_ms)
{
    Worker *worker = flight->worker;
    Note *note = alloc_zeroed(1, sizeof(*note));
    bool fits = text_copy(note->application_id, sizeof note->application_id,
                          flight->command->application_id);
    fits =
        text_copy(note->command_id, sizeof note->command_id, flight->command->command_id) && fits;
    fits = text_copy(note->step, sizeof note->step, step) && fits;
    assert(fits);
    (void)fits;
    note->op.kind = LEDGER_OP_NOTE;
    note->op.done = on_noted;
    note->op.ask.note = (LedgerNote){
        .key = {note->application_id, note->command_id, flight->work->claimed.epoch},
        .step = note->step,
        .waiting_for = waiting_name(waiting),
        .waiting_ms = waiting_ms,
    };
    note->worker = worker;
    note->memory = &flight->note;
    flight->note.under_way = note;
    list_append(&worker->notes, &note->link);
    worker->note_count++;
    ledger_queue_put(worker->ledger, &note->op);
}

// Steps' names are compared as pointers: they are static, or that of the flight's open intent.
static bool is_noted(const NoteMemory *memory, Waiting waiting, const char *step,
                     int64_t progress_boot_ms)
{
    return memory->noted_boot_ms > progress_boot_ms && memory->waiting == waiting &&
           memory->step == step;
}

static void look_at(Flight *flight, int64_t after_ms)
{
    int64_t now_ms = clock_boot_ms();
    NoteMemory *memory = &flight->note;
    bool is_quiet = flight->has_saga && flight->phase == FLIGHT_RUNNING &&
                    now_ms - flight->progress_boot_ms >= after_ms;
    if (!is_quiet || memory->under_way != NULL || now_ms - memory->noted_boot_ms < after_ms) {
        return;
    }
    const char *step = "";
    int64_t since_ms = 0;
    Waiting waiting = flight_waits_for(flight, now_ms, &step, &since_ms);
    if (waiting == WAITING_NOTHING || is_noted(memory, waiting, step, flight->progress_boot_ms)) {
        return;
    }
    memory->waiting = waiting;
    memory->step = step;
    memory->noted_boot_ms = now_ms;
    put_note(flight, waiting, step, now_ms - since_ms);
}

static int64_t after_ms_of(const Worker *worker)
{
    return settings_number(worker->settings, SETTING_LEDGER_NOTE_AFTER);
}

static void on_timer(void *context)
{
    Worker *worker = context;
    int64_t after_ms = after_ms_of(worker);
    if (ledger_queue_is_healthy(worker->ledger)) {
        LIST_EACH(&worker->flights, link)
        {
            if (worker->note_count == NOTES_MAX) {
                break;
            }
            look_at(LIST_ENTRY(link, Flight, link), after_ms);
        }
    }
    if (worker->note_count == NOTES_MAX) {
        loop_timer_start(worker->note_timer, MORE_MS);
    } else {
        note_start(worker);
    }
}

void note_init(Worker *worker)
{
    list_init(&worker->notes);
    worker->note_timer = loop_timer_new(worker->loop, on_timer, worker);
}

void note_start(Worker *worker)
{
    loop_timer_start(worker->note_timer, (uint64_t)after_ms_of(worker) / 2);
}

void note_clear(Worker *worker)
{
    loop_timer_free(worker->note_timer);
    LIST_EACH(&worker->notes, link)
    {
        note_free(LIST_ENTRY(link, Note, link));
    }
}
