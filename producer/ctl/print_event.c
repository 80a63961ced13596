#include "ctl/print_event.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/attr.h"
#include "base/text.h"
#include "ctl/event_details.h"

enum { TYPE_WIDTH = 20, SUBJECT_WIDTH = 32, DETAILS_MAX_BYTES = 4096, MS_PER_SECOND = 1000 };

static const char SUBJECT_PREFIX[] = "applications/";

static void free_json(json_t **json)
{
    json_decref(*json);
}

// The body's key in the JSON form: EnvironmentCreated → environmentCreated.
static json_t *body_of(json_t *event, const char *type)
{
    char key[64];
    if (!text_copy(key, sizeof(key), type) || key[0] == '\0') {
        return NULL;
    }
    key[0] = (char)tolower((unsigned char)key[0]);
    return json_object_get(event, key);
}

static ScreenColour colour_of(ProvisionOutcome outcome)
{
    switch (outcome) {
    case PROVISION_OUTCOME_SUCCEEDED:
        return SCREEN_GREEN;
    case PROVISION_OUTCOME_REJECTED:
    case PROVISION_OUTCOME_FAILED:
        return SCREEN_RED;
    case PROVISION_OUTCOME_CANCELLED:
    case PROVISION_OUTCOME_SUPERSEDED:
        return SCREEN_YELLOW;
    case PROVISION_OUTCOME_NONE:
    default:
        return SCREEN_PLAIN;
    }
}

void print_event_time(const Screen *screen, int64_t instant_ms)
{
    time_t seconds = (time_t)(instant_ms / MS_PER_SECOND);
    struct tm local;
    char text[32] = "--:--:--";
    if (localtime_r(&seconds, &local) != NULL) {
        (void)strftime(text, sizeof(text), "%H:%M:%S", &local);
    }
    screen_print(screen, SCREEN_DIM, text, 0);
    (void)fprintf(screen->file, "  ");
}

void print_event_subject(const Screen *screen, const char *subject, int64_t sequence)
{
    // every subject begins with the same word
    if (strncmp(subject, SUBJECT_PREFIX, sizeof(SUBJECT_PREFIX) - 1) == 0) {
        subject += sizeof(SUBJECT_PREFIX) - 1;
    }
    Text text CLEANUP(text_clear) = TEXT_INIT(DETAILS_MAX_BYTES);
    text_append(&text, subject);
    if (sequence != 0) {
        text_printf(&text, " #%lld", (long long)sequence);
    }
    screen_print(screen, SCREEN_PLAIN, text_get(&text), SUBJECT_WIDTH);
    (void)fprintf(screen->file, "  ");
}

void print_event_line(const Screen *screen, const ProvisionEvent *event)
{
    json_t *json CLEANUP(free_json) = json_loads(event->json, 0, NULL);
    const json_t *body = body_of(json, event->type);
    Text details CLEANUP(text_clear) = TEXT_INIT(DETAILS_MAX_BYTES);
    event_details_append(&details, body, event->type);
    if (event->replayed) {
        text_append(&details, "  (repeated)");
    }
    print_event_time(screen, event->occurred_at_ms);
    screen_print(screen, colour_of(event->outcome), event->type[0] == '\0' ? "?" : event->type,
                 TYPE_WIDTH);
    (void)fprintf(screen->file, " ");
    print_event_subject(screen, event->subject[0] == '\0' ? event->application_id : event->subject,
                        event->sequence);
    screen_print(screen, SCREEN_PLAIN, text_get(&details), 0);
    (void)fprintf(screen->file, "\n");
    (void)fflush(screen->file);
}

void print_event_json(FILE *file, const ProvisionEvent *event)
{
    json_t *json CLEANUP(free_json) =
        json_pack("{s:s, s:s, s:b, s:i, s:I}", "type", event->type, "outcome",
                  provision_outcome_name(event->outcome), "replayed", event->replayed ? 1 : 0,
                  "partition", (int)event->partition, "offset", (json_int_t)event->offset);
    json_t *form CLEANUP(free_json) = json_loads(event->json, 0, NULL);
    if (json == NULL || form == NULL) {
        abort();
    }
    (void)json_object_update(json, form);
    (void)json_dumpf(json, file, JSON_COMPACT);
    (void)fputc('\n', file);
    (void)fflush(file);
}
