#include "ctl/state_changes.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/text.h"
#include "base/unconst.h"
#include "ctl/print_event.h"
#include "ctl/print_state.h"
#include "ctl/state_text.h"

enum { VALUE_MAX_BYTES = 4096, LINE_MAX_BYTES = 64 * 1024 };

struct StateChanges {
    json_t *known; // by subject: the body in JSON form
};

static void free_json(json_t **json)
{
    json_decref(*json);
}

StateChanges *state_changes_new(void)
{
    StateChanges *changes = alloc_zeroed(1, sizeof(*changes));
    changes->known = json_object();
    return changes;
}

void state_changes_free_at(StateChanges **changes)
{
    if (*changes != NULL) {
        json_decref((*changes)->known);
        free(*changes);
    }
}

// A new reference, or NULL where it is gone.
static json_t *body_of(const ProvisionState *state)
{
    json_t *json CLEANUP(free_json) = json_loads(state->json, 0, NULL);
    return json_incref(json_object_get(json, print_state_kind(state->kind)));
}

// Takes the body over.
static void remember(StateChanges *changes, const char *subject, json_t *body)
{
    if (body == NULL) {
        (void)json_object_del(changes->known, subject);
    } else {
        (void)json_object_set_new(changes->known, subject, body);
    }
}

void state_changes_note(StateChanges *changes, const ProvisionState *state)
{
    remember(changes, state->subject, body_of(state));
}

static void append_shown(Text *text, const json_t *value)
{
    Text shown CLEANUP(text_clear) = TEXT_INIT(VALUE_MAX_BYTES);
    state_text_append(&shown, value);
    text_append(text, shown.length == 0 ? "-" : text_get(&shown));
}

static void append_change(Text *text, const char *name, const json_t *before, const json_t *after)
{
    text_append(text, text->length == 0 ? "" : ", ");
    text_append(text, name);
    text_append(text, " ");
    append_shown(text, before);
    text_append(text, " → ");
    append_shown(text, after);
}

static void append_values(Text *text, const json_t *before, const json_t *after);

static void append_value(Text *text, const char *name, const json_t *before, const json_t *after)
{
    if (json_is_object(before) || json_is_object(after)) {
        append_values(text, before, after);
    } else if (json_equal(before, after) == 0) {
        append_change(text, name, before, after);
    }
}

// Names within an object stand for themselves: only an endpoint's settings are nested.
static void append_values(Text *text, const json_t *before, const json_t *after)
{
    json_t *all CLEANUP(free_json) = json_object();
    (void)json_object_update(all, unconst(before));
    (void)json_object_update(all, unconst(after));
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(all, name, value)
    {
        append_value(text, name, json_object_get(before, name), json_object_get(after, name));
    }
}

// What is told of a subject that is new.
static void append_first(Text *text, const json_t *body)
{
    static const char *const TOLD[] = {"status",  "origin", "branchName", "host",
                                       "keyKind", "orgId",  "previewBase"};
    text_append(text, "new:");
    for (size_t i = 0; i < sizeof(TOLD) / sizeof(TOLD[0]); i++) {
        const json_t *value = json_object_get(body, TOLD[i]);
        if (value != NULL) {
            text_append(text, " ");
            append_shown(text, value);
        }
    }
}

void state_changes_print(StateChanges *changes, const Screen *screen, const ProvisionState *state)
{
    json_t *body = body_of(state);
    const json_t *before = json_object_get(changes->known, state->subject);
    Text text CLEANUP(text_clear) = TEXT_INIT(LINE_MAX_BYTES);
    if (body == NULL) {
        text_append(&text, "gone");
    } else if (before == NULL) {
        append_first(&text, body);
    } else {
        append_values(&text, before, body);
    }
    print_event_time(screen, state->changed_at_ms);
    print_event_subject(screen, state->subject, state->sequence);
    screen_print(screen, body == NULL ? SCREEN_YELLOW : SCREEN_PLAIN,
                 text.length == 0 ? "written again" : text_get(&text), 0);
    (void)fputc('\n', screen->file);
    (void)fflush(screen->file);
    remember(changes, state->subject, body);
}
