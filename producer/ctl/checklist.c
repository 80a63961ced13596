#include "ctl/checklist.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>

#include "ctl/exit_code.h"

enum {
    NAME_WIDTH = 22,
    VERDICT_WIDTH = 8,
    TEXT_BYTES = 1024,
    // NTP keeps hosts within tens of milliseconds; deadlines and ages are compared across hosts.
    SKEW_WARNING_MS = 1000,
    SKEW_FAILED_MS = 30000,
};

static const struct {
    const char *word;
    const char *name;
    ScreenColour colour;
} VERDICTS[] = {
    [CHECK_OK] = {"ok", "ok", SCREEN_GREEN},
    [CHECK_SKIPPED] = {"-", "skipped", SCREEN_DIM},
    [CHECK_WARNING] = {"warning", "warning", SCREEN_YELLOW},
    [CHECK_FAILED] = {"FAILED", "failed", SCREEN_RED},
};

static void print_json(const Checklist *list, CheckVerdict verdict, const char *name,
                       const char *text)
{
    json_t *line =
        json_pack("{s:s, s:s, s:s}", "check", name, "result", VERDICTS[verdict].name, "text", text);
    if (line == NULL) { // a foreign text that is no UTF-8
        line = json_pack("{s:s, s:s}", "check", name, "result", VERDICTS[verdict].name);
    }
    (void)json_dumpf(line, list->screen.file, JSON_COMPACT);
    (void)fputc('\n', list->screen.file);
    json_decref(line);
}

static void print_text(const Checklist *list, CheckVerdict verdict, const char *name,
                       const char *text)
{
    screen_print(&list->screen, VERDICTS[verdict].colour, VERDICTS[verdict].word, VERDICT_WIDTH);
    (void)fputc(' ', list->screen.file);
    screen_print(&list->screen, SCREEN_DIM, name, NAME_WIDTH);
    (void)fputc(' ', list->screen.file);
    screen_print(&list->screen, SCREEN_PLAIN, text, 0);
    (void)fputc('\n', list->screen.file);
}

void checklist_add(Checklist *list, CheckVerdict verdict, const char *name, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    list->failed += verdict == CHECK_FAILED;
    list->warnings += verdict == CHECK_WARNING;
    if (list->json) {
        print_json(list, verdict, name, text);
    } else {
        print_text(list, verdict, name, text);
    }
    (void)fflush(list->screen.file);
}

void checklist_fail(Checklist *list, const char *name, const ProvisionError *error)
{
    checklist_add(list, CHECK_FAILED, name, "%s (%s)", error->text, error->code);
}

int checklist_conclude(const Checklist *list)
{
    if (!list->json) {
        (void)fprintf(list->screen.file, "%d failed, %d warnings\n", list->failed, list->warnings);
    }
    return list->failed > 0 ? EXIT_CODE_FINDINGS : EXIT_CODE_OK;
}

void checklist_add_clock(Checklist *list, const char *name, int64_t skew_ms, int64_t uncertainty_ms)
{
    int64_t amount_ms = skew_ms < 0 ? -skew_ms : skew_ms;
    int64_t sure_ms = amount_ms - uncertainty_ms;
    CheckVerdict verdict = sure_ms > SKEW_FAILED_MS    ? CHECK_FAILED
                           : sure_ms > SKEW_WARNING_MS ? CHECK_WARNING
                                                       : CHECK_OK;
    if (verdict == CHECK_OK) {
        checklist_add(list, verdict, name, "agrees with ours to within %" PRId64 " ms",
                      amount_ms + uncertainty_ms);
        return;
    }
    checklist_add(list, verdict, name,
                  "%" PRId64 " ms %s ours: deadlines, commands.max_age and the ages of what Neon "
                  "lists are compared across hosts; run NTP (timedatectl) on both",
                  amount_ms, skew_ms > 0 ? "ahead of" : "behind");
}
