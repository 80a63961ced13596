#include "saga/changes.h"

#include <string.h>

#include "base/unconst.h"
#include "saga/facts.h"

// Quotes, commas and names of a row's members, and what escaping may add.
enum { ROW_BYTES = 80 };

bool changes_has_work(const RolesReport *report)
{
    for (size_t i = 0; i < report->count; i++) {
        if (!report->changes[i].blocked) {
            return true;
        }
    }
    return report->omitted > 0;
}

static bool has_row(const RolesReport *report, const json_t *row)
{
    for (size_t i = 0; i < report->count; i++) {
        const RolesChange *change = &report->changes[i];
        if (strcmp(change->change, journal_text_in(row, "change")) == 0 &&
            strcmp(change->object, journal_text_in(row, "object")) == 0 &&
            strcmp(change->database, journal_text_in(row, "database")) == 0) {
            return true;
        }
    }
    return false;
}

static size_t row_bytes(const json_t *row)
{
    return ROW_BYTES + strlen(journal_text_in(row, "database")) +
           strlen(journal_text_in(row, "object")) + strlen(journal_text_in(row, "change")) +
           strlen(journal_text_in(row, "reason"));
}

// Those rows of `from` that are blocked, or aren't, as far as there is room.
static void move(const json_t *from, bool blocked, size_t limit, size_t *bytes, json_t *to)
{
    size_t i;
    json_t *row;
    json_array_foreach(unconst(from), i, row)
    {
        size_t size = row_bytes(row);
        if (json_is_true(json_object_get(row, "blocked")) == blocked && *bytes + size <= limit) {
            *bytes += size;
            json_array_append(to, row);
        }
    }
}

// What stands in the way comes last and has room of its own, since it wants somebody's attention.
static json_t *bounded(const json_t *all)
{
    json_t *list = json_array();
    size_t bytes = 0;
    move(all, false, CHANGES_BYTES_MAX * 3 / 4, &bytes, list);
    move(all, true, CHANGES_BYTES_MAX, &bytes, list);
    return list;
}

static json_t *all_rows(const Saga *saga, const RolesReport *report, bool blocked_only)
{
    json_t *all = json_array();
    size_t i;
    json_t *row;
    json_array_foreach(unconst(journal_value(&saga->journal, FACT_CHANGES)), i, row)
    {
        if (!json_is_true(json_object_get(row, "blocked")) && !has_row(report, row)) {
            json_array_append(all, row);
        }
    }
    for (size_t c = 0; c < report->count; c++) {
        const RolesChange *change = &report->changes[c];
        if (change->blocked || !blocked_only) {
            json_array_append_new(all, json_pack("{s:s, s:s, s:s, s:s, s:b}", "database",
                                                 change->database, "object", change->object,
                                                 "change", change->change, "reason", change->reason,
                                                 "blocked", change->blocked));
        }
    }
    return all;
}

void changes_add(Saga *saga, const RolesReport *report, bool blocked_only)
{
    json_t *all = all_rows(saga, report, blocked_only);
    json_t *list = bounded(all);
    int64_t before = journal_number(&saga->journal, FACT_OMITTED);
    int64_t omitted = (int64_t)report->omitted > before ? (int64_t)report->omitted : before;
    omitted += (int64_t)(json_array_size(all) - json_array_size(list));
    json_decref(all);
    journal_set_value(&saga->journal, FACT_CHANGES, list);
    if (omitted > 0 && !blocked_only) {
        journal_set_number(&saga->journal, FACT_OMITTED, omitted);
    }
}
