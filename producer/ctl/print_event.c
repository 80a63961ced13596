#include "ctl/print_event.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/attr.h"
#include "base/text.h"
#include "ctl/enum_text.h"
#include "ctl/role_changes.h"

enum { TYPE_WIDTH = 20, SUBJECT_WIDTH = 32, DETAILS_MAX_BYTES = 4096, MS_PER_SECOND = 1000 };

static const char SUBJECT_PREFIX[] = "applications/";

// What a line shows of a body: the values at these paths, each with its label in front.
typedef struct Detail {
    const char *type;
    const char *path;
    const char *label;
    const char *prefix; // of an enum's names, or NULL
} Detail;

static const Detail DETAILS[] = {
    {"CommandAccepted", "action", "", NULL},
    {"StepFinished", "step", "", NULL},
    {"AccountConnected", "account.keyKind", "", "KEY_KIND_"},
    {"AccountConnected", "account.orgId", "organization", NULL},
    {"AccountConnected", "account.projectId", "project", NULL},
    {"EnvironmentCreated", "environment.projectId", "project", NULL},
    {"EnvironmentCreated", "environment.branchName", "branch", NULL},
    {"EnvironmentCreated", "environment.host", "host", NULL},
    {"EnvironmentBranched", "environment.sourceEnvironment", "from", NULL},
    {"EnvironmentBranched", "environment.projectId", "project", NULL},
    {"EnvironmentBranched", "environment.branchName", "branch", NULL},
    {"EnvironmentBranched", "environment.host", "host", NULL},
    {"EnvironmentBranched", "rotatedRoles", "rotated", NULL},
    {"EnvironmentDeleted", "projectId", "project", NULL},
    {"EnvironmentDeleted", "branchId", "branch", NULL},
    {"CredentialsRotated", "roles", "", NULL},
    {"CredentialsIssued", "sealed.fleetKeyId", "for key", NULL},
    {"DriftReported", "code", "", NULL},
    {"DriftReported", "message", "", NULL},
    {"CancelAccepted", "commandId", "of", NULL},
    {"CancelAccepted", "action", "", NULL},
    {"CommandCancelled", "cancelledBy", "by", NULL},
    {"CommandCancelled", "left", "left", NULL},
    {"CommandSuperseded", "supersededBy", "by", NULL},
    {"CommandSuperseded", "left", "left", NULL},
    {"CommandRejected", "code", "", NULL},
    {"CommandRejected", "message", "", NULL},
    {"CommandFailed", "code", "", NULL},
    {"CommandFailed", "message", "", NULL},
    {"CommandFailed", "step", "step", NULL},
    {"CommandFailed", "undone", "undone", NULL},
    {"CommandFailed", "left", "left", NULL},
};

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

static const json_t *value_at(const json_t *json, const char *path)
{
    const char *dot = strchr(path, '.');
    if (dot == NULL) {
        return json_object_get(json, path);
    }
    char key[64];
    size_t length = (size_t)(dot - path);
    memcpy(key, path, length);
    key[length] = '\0';
    return value_at(json_object_get(json, key), dot + 1);
}

static void append_value(Text *text, const json_t *value)
{
    size_t index = 0;
    const json_t *element = NULL;
    if (json_is_string(value)) {
        text_append(text, json_string_value(value));
    }
    json_array_foreach(value, index, element)
    {
        text_append(text, index == 0 ? "" : ", ");
        append_value(text, element);
    }
}

static void append_detail(Text *text, const Detail *detail, const json_t *value)
{
    text_append(text, text->length == 0 ? "" : "  ");
    text_append(text, detail->label);
    text_append(text, detail->label[0] == '\0' ? "" : " ");
    if (detail->prefix != NULL && json_is_string(value)) {
        enum_text_append(text, json_string_value(value), detail->prefix);
    } else {
        append_value(text, value);
    }
}

static void append_details(Text *text, const json_t *body, const char *type)
{
    for (size_t i = 0; i < sizeof(DETAILS) / sizeof(DETAILS[0]); i++) {
        const json_t *value =
            strcmp(DETAILS[i].type, type) == 0 ? value_at(body, DETAILS[i].path) : NULL;
        if (value != NULL) {
            append_detail(text, &DETAILS[i], value);
        }
    }
}

// A repeated create or branch changes nothing: the body lacks "created": true.
static bool found_it_there(const json_t *body, const char *type)
{
    bool creates =
        strcmp(type, "EnvironmentCreated") == 0 || strcmp(type, "EnvironmentBranched") == 0;
    return creates && !json_is_true(json_object_get(body, "created"));
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

static void print_time(const Screen *screen, int64_t instant_ms)
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

// shop/environments/production: every subject begins with the same word.
static void print_subject(const Screen *screen, const ProvisionEvent *event)
{
    const char *subject = event->subject[0] == '\0' ? event->application_id : event->subject;
    if (strncmp(subject, SUBJECT_PREFIX, sizeof(SUBJECT_PREFIX) - 1) == 0) {
        subject += sizeof(SUBJECT_PREFIX) - 1;
    }
    Text text CLEANUP(text_clear) = TEXT_INIT(DETAILS_MAX_BYTES);
    text_append(&text, subject);
    if (event->sequence != 0) {
        text_printf(&text, " #%lld", (long long)event->sequence);
    }
    screen_print(screen, SCREEN_PLAIN, text_get(&text), SUBJECT_WIDTH);
}

void print_event_line(const Screen *screen, const ProvisionEvent *event)
{
    json_t *json CLEANUP(free_json) = json_loads(event->json, 0, NULL);
    const json_t *body = body_of(json, event->type);
    Text details CLEANUP(text_clear) = TEXT_INIT(DETAILS_MAX_BYTES);
    append_details(&details, body, event->type);
    if (strcmp(event->type, "RolesConfigured") == 0) {
        role_changes_summary(&details, body);
    }
    if (found_it_there(body, event->type)) {
        text_append(&details, "  (was there already)");
    }
    if (event->replayed) {
        text_append(&details, "  (repeated)");
    }
    print_time(screen, event->occurred_at_ms);
    screen_print(screen, colour_of(event->outcome), event->type[0] == '\0' ? "?" : event->type,
                 TYPE_WIDTH);
    (void)fprintf(screen->file, " ");
    print_subject(screen, event);
    (void)fprintf(screen->file, "  ");
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
