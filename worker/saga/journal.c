#include "saga/journal.h"
#include "base/unconst.h"

#include <assert.h>
#include <stdlib.h>

void journal_init(Journal *journal, json_t *facts)
{
    journal->facts = facts != NULL ? facts : json_object();
    journal->scratch = json_object();
    journal->delta = json_object();
    journal->changed = false;
    journal->progressed = false;
}

void journal_clear(Journal *journal)
{
    json_decref(journal->facts);
    json_decref(journal->scratch);
    json_decref(journal->delta);
    *journal = (Journal){.facts = NULL};
}

void journal_watch(Journal *journal)
{
    journal->changed = false;
    journal->progressed = false;
}

void journal_start_delta(Journal *journal)
{
    json_object_clear(journal->delta);
}

void journal_merge(Journal *journal, const json_t *delta)
{
    const char *key;
    json_t *value;
    // jansson's iteration macros want a non-const object, although they don't change it
    json_t *object = json_incref(unconst(delta));
    json_object_foreach(object, key, value)
    {
        if (json_is_null(value)) {
            journal_forget(journal, key);
        } else {
            journal_set_value(journal, key, json_incref(value));
        }
    }
    json_decref(object);
}

const char *journal_text_in(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

const char *journal_text(const Journal *journal, const char *key)
{
    return journal_text_in(journal->facts, key);
}

int64_t journal_number(const Journal *journal, const char *key)
{
    return json_integer_value(json_object_get(journal->facts, key));
}

bool journal_has(const Journal *journal, const char *key)
{
    return json_object_get(journal->facts, key) != NULL;
}

const json_t *journal_value(const Journal *journal, const char *key)
{
    return json_object_get(journal->facts, key);
}

void journal_set_value(Journal *journal, const char *key, json_t *value)
{
    assert(value != NULL);
    json_object_set(journal->facts, key, value);
    json_object_set_new(journal->delta, key, value);
    journal->changed = true;
    journal->progressed = true;
}

void journal_set_again(Journal *journal, const char *key, json_t *value)
{
    bool progressed = journal->progressed;
    journal_set_value(journal, key, value);
    journal->progressed = progressed;
}

void journal_set_text(Journal *journal, const char *key, const char *value)
{
    journal_set_value(journal, key, json_string(value));
}

void journal_set_number(Journal *journal, const char *key, int64_t value)
{
    journal_set_value(journal, key, json_integer(value));
}

void journal_set_flag(Journal *journal, const char *key)
{
    journal_set_value(journal, key, json_true());
}

void journal_append_text(Journal *journal, const char *key, const char *value)
{
    const json_t *before = json_object_get(journal->facts, key);
    json_t *list = json_is_array(before) ? json_deep_copy(before) : json_array();
    json_array_append_new(list, json_string(value));
    journal_set_value(journal, key, list);
}

void journal_forget(Journal *journal, const char *key)
{
    json_object_del(journal->facts, key);
    json_object_set_new(journal->delta, key, json_null());
    journal->changed = true;
}

const char *journal_note_text(const Journal *journal, const char *key)
{
    const char *text = json_string_value(json_object_get(journal->scratch, key));
    return text != NULL ? text : "";
}

int64_t journal_note_number(const Journal *journal, const char *key)
{
    return json_integer_value(json_object_get(journal->scratch, key));
}

json_t *journal_note(const Journal *journal, const char *key)
{
    return json_object_get(journal->scratch, key);
}

void journal_set_note(Journal *journal, const char *key, json_t *value)
{
    json_object_set_new(journal->scratch, key, value);
    journal->changed = true;
}

void journal_set_note_text(Journal *journal, const char *key, const char *value)
{
    journal_set_note(journal, key, json_string(value));
}

void journal_set_note_number(Journal *journal, const char *key, int64_t value)
{
    journal_set_note(journal, key, json_integer(value));
}

void journal_forget_notes(Journal *journal)
{
    json_object_clear(journal->scratch);
    journal->changed = true;
}

char *journal_pack(const Journal *journal)
{
    char *text = json_dumps(journal->facts, JSON_COMPACT | JSON_SORT_KEYS);
    assert(text != NULL);
    return text;
}

char *journal_pack_delta(const Journal *journal)
{
    char *text = json_dumps(journal->delta, JSON_COMPACT | JSON_SORT_KEYS);
    assert(text != NULL);
    return text;
}
