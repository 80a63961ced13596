#include "saga/sagas.h"

static const char *protection_text(Protection protection)
{
    switch (protection) {
    case PROTECTED_READ:
        return "reads";
    case PROTECTED_LEDGER:
        return "ledger";
    case PROTECTED_NOTHING:
        return "changes, protected by nothing";
    case PROTECTED_UNIQUE_NAME:
        return "changes, protected by a unique name";
    case PROTECTED_EXACT_ID:
        return "deletes by id";
    }
    return "";
}

static void print_steps(const Step *steps, const char *prefix, Text *text)
{
    const char *before = NULL;
    for (const Step *step = steps; step->name != NULL; step++) {
        text_printf(text, "    %s%s[\"%s<br/><i>%s</i>\"]\n", prefix, step->name, step->name,
                    protection_text(step->protection));
        if (before != NULL) {
            text_printf(text, "    %s%s --> %s%s\n", prefix, before, prefix, step->name);
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
        print_steps(table[i].steps, "", text);
        for (const Step *step = table[i].steps; step->name != NULL; step++) {
            if (step->undo != NULL) {
                print_steps(step->undo, "", text);
                text_printf(text, "    %s -. undo .-> %s\n", step->name, step->undo->name);
            }
        }
        text_append(text, "```\n");
    }
}
