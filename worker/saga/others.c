#include "saga/others.h"

enum { NAMES_BYTES = 300 };

json_t *others_note(Saga *saga, const char *note)
{
    if (journal_note(&saga->journal, note) == NULL) {
        journal_set_note(&saga->journal, note, json_object());
    }
    return journal_note(&saga->journal, note);
}

const char *others_label(const NeonBranch *branch)
{
    return branch->name[0] != '\0' ? branch->name : branch->id;
}

const char *others_names(const json_t *others)
{
    const char *names = json_string_value(json_object_get(others, "names"));
    return names != NULL ? names : "";
}

int64_t others_count(const json_t *others)
{
    return json_integer_value(json_object_get(others, "count"));
}

void others_add(json_t *others, const char *label)
{
    int64_t count = others_count(others);
    bool is_cut = json_is_true(json_object_get(others, "cut"));
    CLEANUP(text_clear) Text names = TEXT_INIT(NAMES_BYTES);
    text_printf(&names, "%s%s%s", others_names(others), count > 0 ? ", " : "", label);
    if (!is_cut && !text_ok(&names)) {
        json_object_set_new(others, "names", json_sprintf("%s, ...", others_names(others)));
        json_object_set_new(others, "cut", json_true());
    } else if (!is_cut) {
        json_object_set_new(others, "names", json_string(text_get(&names)));
    }
    json_object_set_new(others, "count", json_integer(count + 1));
}
