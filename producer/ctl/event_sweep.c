#include "ctl/event_sweep.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "ctl/enum_text.h"

enum { LINE_MAX_BYTES = 4096 };

static const char PREFIX[] = "SWEEP_VERDICT_";

// In the order in which they matter.
static const char *const VERDICTS[] = {
    "SWEEP_VERDICT_ORPHAN",   "SWEEP_VERDICT_EXPIRED",         "SWEEP_VERDICT_FAILED_ENVIRONMENT",
    "SWEEP_VERDICT_DOUBTFUL", "SWEEP_VERDICT_UNKNOWN_COMMAND", "SWEEP_VERDICT_IN_FLIGHT",
};

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static size_t count_of(const json_t *findings, const char *verdict)
{
    size_t count = 0;
    size_t index = 0;
    const json_t *finding = NULL;
    json_array_foreach(findings, index, finding)
    {
        count += strcmp(text_at(finding, "verdict"), verdict) == 0;
    }
    return count;
}

void event_sweep_summary(Text *text, const json_t *body)
{
    const json_t *findings = json_object_get(body, "findings");
    bool is_first = true;
    for (size_t i = 0; i < sizeof(VERDICTS) / sizeof(VERDICTS[0]); i++) {
        size_t count = count_of(findings, VERDICTS[i]);
        if (count > 0) {
            text_printf(text, "%s%zu ", is_first ? "" : ", ", count);
            enum_text_append(text, VERDICTS[i], PREFIX);
            is_first = false;
        }
    }
    long long projects = json_integer_value(json_object_get(body, "projects"));
    long long branches = json_integer_value(json_object_get(body, "branches"));
    text_printf(text, "%s  %lld project%s, %lld branch%s", is_first ? "nothing" : "", projects,
                projects == 1 ? "" : "s", branches, branches == 1 ? "" : "es");
    if (json_array_size(json_object_get(body, "doubts")) > 0) {
        text_append(text, "  (doubtful)");
    } else if (json_is_true(json_object_get(body, "deleting"))) {
        text_append(text, "  (deleting)");
    }
}

static void print_finding(const Screen *screen, const json_t *finding)
{
    Text verdict CLEANUP(text_clear) = TEXT_INIT(LINE_MAX_BYTES);
    Text rest CLEANUP(text_clear) = TEXT_INIT(LINE_MAX_BYTES);
    const char *sent = text_at(finding, "sentCommandId");
    enum_text_append(&verdict, text_at(finding, "verdict"), PREFIX);
    const char *maker = text_at(finding, "commandId");
    text_printf(
        &rest, "%s  %s%s%s%s%s%s", text_at(finding, "projectId"), text_at(finding, "branchId"),
        json_is_true(json_object_get(finding, "isProject")) ? "  the whole project" : "",
        maker[0] != '\0' ? "  made by " : "", maker, sent[0] != '\0' ? "  sent " : "", sent);
    (void)fputs("  ", screen->file);
    screen_print(screen, SCREEN_PLAIN, text_get(&verdict), 20);
    (void)fputs("  ", screen->file);
    screen_print(screen, SCREEN_PLAIN, text_at(finding, "environment"), 20);
    (void)fputs("  ", screen->file);
    screen_print(screen, SCREEN_DIM, text_get(&rest), 0);
    (void)fputc('\n', screen->file);
}

void event_sweep_print(const Screen *screen, const json_t *body)
{
    size_t index = 0;
    const json_t *element = NULL;
    json_array_foreach(json_object_get(body, "findings"), index, element)
    {
        print_finding(screen, element);
    }
    json_array_foreach(json_object_get(body, "doubts"), index, element)
    {
        (void)fputs("  doubtful: ", screen->file);
        screen_print(screen, SCREEN_YELLOW, json_string_value(element), 0);
        (void)fputc('\n', screen->file);
    }
    long long omitted = json_integer_value(json_object_get(body, "omitted"));
    if (omitted > 0) {
        (void)fprintf(screen->file, "  and %lld more\n", omitted);
    }
}
