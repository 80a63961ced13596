#include "ctl/print_state.h"

#include <jansson.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/instant.h"
#include "base/text.h"
#include "ctl/state_text.h"

enum { NAME_WIDTH = 34, TEXT_MAX_BYTES = 4096, LIST_MAX_BYTES = 1 << 20 };

static void free_json(json_t **json)
{
    json_decref(*json);
}

const char *print_state_kind(ProvisionSubjectKind kind)
{
    static const char *const KINDS[] = {
        [PROVISION_SUBJECT_ENVIRONMENT] = "environment",
        [PROVISION_SUBJECT_ACCOUNT] = "account",
        [PROVISION_SUBJECT_APPLICATION] = "application",
    };
    return KINDS[kind];
}

static void print_line(const Screen *screen, const char *name, const char *value)
{
    screen_print(screen, SCREEN_DIM, name, NAME_WIDTH);
    screen_print(screen, SCREEN_PLAIN, value, 0);
    (void)fputc('\n', screen->file);
}

static void print_object(const Screen *screen, json_t *object, const char *prefix)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(object, key, value)
    {
        Text name CLEANUP(text_clear) = TEXT_INIT(TEXT_MAX_BYTES);
        text_printf(&name, "%s%s%s", prefix, prefix[0] == '\0' ? "" : ".", key);
        if (json_is_object(value)) {
            print_object(screen, value, text_get(&name));
            continue;
        }
        Text shown CLEANUP(text_clear) = TEXT_INIT(LIST_MAX_BYTES);
        state_text_append(&shown, value);
        print_line(screen, text_get(&name), text_get(&shown));
    }
}

void print_state_whole(const Screen *screen, const ProvisionState *state)
{
    json_t *json CLEANUP(free_json) = json_loads(state->json, 0, NULL);
    char changed[INSTANT_TEXT_BYTES];
    char sequence[24];
    instant_format(state->changed_at_ms, changed);
    (void)snprintf(sequence, sizeof(sequence), "%lld", (long long)state->sequence);
    print_line(screen, "subject", state->subject);
    print_line(screen, "sequence", sequence);
    print_line(screen, "changedAt", changed);
    print_object(screen, json_object_get(json, print_state_kind(state->kind)), "");
}

void print_state_json(FILE *file, const ProvisionState *state)
{
    if (!state->gone) {
        (void)fprintf(file, "%s\n", state->json);
        return;
    }
    json_t *json CLEANUP(free_json) =
        json_pack("{s:s, s:s, s:b}", "applicationId", state->application_id, "subject",
                  state->subject, "gone", 1);
    (void)json_dumpf(json, file, JSON_COMPACT);
    (void)fputc('\n', file);
}
