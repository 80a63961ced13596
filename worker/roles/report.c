#include "roles/report.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"

static const char CUT[] = "\xe2\x80\xa6"; // …

static void change_clear(RolesChange *change)
{
    free(change->database);
    free(change->object);
    free(change->change);
    free(change->reason);
}

void roles_report_clear(RolesReport *report)
{
    for (size_t i = 0; i < report->count; i++) {
        change_clear(&report->changes[i]);
    }
    free(report->changes);
    json_decref(report->passwords_set);
    json_decref(report->managed_logins);
    json_decref(report->owners);
    json_decref(report->extensions);
    *report = ROLES_REPORT_INIT;
}

// A copy of at most ROLES_CHANGE_BYTES_MAX.
static char *copy_cut(const char *text)
{
    Bytes bytes = bytes_of(text);
    if (bytes.size <= ROLES_CHANGE_BYTES_MAX) {
        return alloc_text(text);
    }
    bytes.size = ROLES_CHANGE_BYTES_MAX - strlen(CUT);
    size_t whole = utf8_whole_bytes(bytes);
    char *copy = alloc_bytes(whole + sizeof CUT);
    memcpy(copy, text, whole);
    memcpy(copy + whole, CUT, sizeof CUT);
    return copy;
}

// Takes over the change.
static void append(RolesReport *report, RolesChange change)
{
    if (report->count == ROLES_CHANGES_MAX) {
        report->omitted++;
        change_clear(&change);
        return;
    }
    if (report->changes == NULL) {
        report->changes = alloc_zeroed(ROLES_CHANGES_MAX, sizeof report->changes[0]);
    }
    report->changes[report->count++] = change;
}

static void add(RolesReport *report, const char *database, const RolesStep *step,
                const char *reason, bool blocked)
{
    append(report, (RolesChange){
                       .database = alloc_text(database),
                       .object = copy_cut(step->object),
                       .change = copy_cut(step->statement),
                       .reason = copy_cut(reason),
                       .blocked = blocked,
                   });
}

static void append_json(json_t **list, json_t *item)
{
    if (*list == NULL) {
        *list = json_array();
    }
    int failed = json_array_append_new(*list, item);
    assert(failed == 0 && "names from the server are UTF-8");
    (void)failed;
}

// An owner is named once for each database.
static void add_owner(json_t **owners, json_t *owner)
{
    size_t index = 0;
    const json_t *listed = NULL;
    json_array_foreach(*owners, index, listed)
    {
        if (json_equal(listed, owner)) {
            json_decref(owner);
            return;
        }
    }
    append_json(owners, owner);
}

void roles_report_add_planned(RolesReport *report, const char *database, const RolesStep *step)
{
    if (step->kind == ROLES_STEP_FRAME || step->kind == ROLES_STEP_TEMPORARY) {
        return;
    }
    if (step->kind == ROLES_STEP_OWNER) {
        add_owner(&report->owners,
                  json_pack("{s:s, s:s}", "database", database, "owner", step->object));
    }
    report->remains = report->remains || step->kind != ROLES_STEP_FINDING;
    add(report, database, step, step->reason, step->kind != ROLES_STEP_CHANGE);
}

void roles_report_add_executed(RolesReport *report, const char *database, const RolesStep *step)
{
    if (step->kind == ROLES_STEP_CHANGE) {
        add(report, database, step, step->reason, false);
    }
}

void roles_report_add_failed(RolesReport *report, const char *database, const RolesStep *step,
                             const char *why)
{
    report->remains = true;
    add(report, database, step, why, true);
}

// Moves what `from` lists to the end of `list`.
static void merge_json(json_t **list, json_t **from)
{
    if (*from != NULL && *list == NULL) {
        *list = *from;
        *from = NULL;
    } else if (*from != NULL) {
        json_array_extend(*list, *from);
    }
}

void roles_report_merge(RolesReport *report, RolesReport *from)
{
    for (size_t i = 0; i < from->count; i++) {
        append(report, from->changes[i]);
    }
    from->count = 0;
    report->omitted += from->omitted;
    report->remains = report->remains || from->remains;
    merge_json(&report->passwords_set, &from->passwords_set);
    merge_json(&report->managed_logins, &from->managed_logins);
    merge_json(&report->owners, &from->owners);
    merge_json(&report->extensions, &from->extensions);
    if (from->fence_seen > report->fence_seen) {
        report->fence_seen = from->fence_seen;
    }
    roles_report_clear(from);
}

void roles_report_add_login(RolesReport *report, const char *role)
{
    append_json(&report->managed_logins, json_string(role));
}

void roles_report_add_extension(RolesReport *report, const char *name)
{
    append_json(&report->extensions, json_string(name));
}
