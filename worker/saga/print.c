#include "saga/sagas.h"

static const char *const PROTECTIONS[] = {
    [PROTECTED_READ] = "reads",
    [PROTECTED_LEDGER] = "ledger",
    [PROTECTED_NOTHING] = "changes, protected by nothing",
    [PROTECTED_UNIQUE_NAME] = "changes, protected by a unique name",
    [PROTECTED_EXACT_ID] = "deletes by id",
    [PROTECTED_FENCE] = "changes, protected by a fence",
};

static void print_steps(const Step *steps, Text *text)
{
    const char *before = NULL;
    for (const Step *step = steps; step->name != NULL; step++) {
        text_printf(text, "    %s[\"%s<br/><i>%s</i>\"]\n", step->name, step->name,
                    PROTECTIONS[step->protection]);
        if (before != NULL) {
            text_printf(text, "    %s --> %s\n", before, step->name);
        }
        before = step->name;
    }
}

void saga_print(Text *text)
{
    size_t count = 0;
    const SagaDefinition *table = sagas_table(&count);
    for (size_t i = 0; i < count; i++) {
        text_printf(text, "%s### %s\n\n```mermaid\nflowchart TD\n", i > 0 ? "\n" : "",
                    table[i].name);
        print_steps(table[i].steps, text);
        for (const Step *step = table[i].steps; step->name != NULL; step++) {
            if (step->undo != NULL) {
                print_steps(step->undo, text);
                text_printf(text, "    %s -. undo .-> %s\n", step->name, step->undo->name);
            }
        }
        text_append(text, "```\n");
    }
}
