#include "rules/judge.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/parcel.h"
#include "support/cmocka.h"

enum { TEXT_BYTES = 1024 };

static void show(const Trial *trial)
{
    char *text = json_dumps(trial->outcome->json, JSON_COMPACT);
    print_message("%s (%s): %s, %" PRId64 " calls: %.3000s\n", trial->rule->what,
                  trial->fixture->application, seen_type(trial->outcome), trial->calls, text);
    free(text);
}

// "environmentCreated" of "EnvironmentCreated".
static const char *body_of(const char *event)
{
    return box_text("%c%s", event[0] | ' ', event + 1);
}

// As text; what has its default is left out in JSON.
static const char *value_at(const Seen *seen, const char *path)
{
    const json_t *value = box_find(seen->json, path);
    if (json_is_real(value) || json_is_integer(value)) {
        return box_text("%g", json_number_value(value));
    }
    if (json_is_boolean(value)) {
        return json_is_true(value) ? "true" : "false";
    }
    return json_is_string(value) ? box_text("%s", json_string_value(value)) : "";
}

static bool is_default(const char *value)
{
    return strcmp(value, "false") == 0 || strcmp(value, "0") == 0;
}

static bool has_value(const Seen *seen, const char *path, const char *wanted)
{
    const char *found = value_at(seen, path);
    return strcmp(found, wanted) == 0 || (found[0] == '\0' && is_default(wanted));
}

// One of a list where the path has a star.
static bool has_some(const Seen *seen, const char *path, const char *wanted)
{
    const char *star = strchr(path, '*');
    if (star == NULL) {
        return has_value(seen, path, wanted);
    }
    bool is_there = true;
    for (size_t i = 0; is_there; i++) {
        const char *item = box_text("%.*s%zu", (int)(star - path), path, i);
        is_there = box_find(seen->json, item) != NULL;
        if (is_there && has_value(seen, box_text("%s%s", item, star + 1), wanted)) {
            return true;
        }
    }
    return false;
}

// One "path=value".
static void judge_member(const Trial *trial, const char *member)
{
    const char *equals = strchr(member, '=');
    assert_non_null(equals);
    const char *path =
        box_text("%s.%.*s", body_of(trial->rule->event), (int)(equals - member), member);
    if (!has_some(trial->outcome, path, equals + 1)) {
        show(trial);
        fail_msg("%s is '%s', not '%s'", path, value_at(trial->outcome, path), equals + 1);
    }
}

static void judge_members(const Trial *trial, const char *members)
{
    while (*members != '\0') {
        size_t length = strcspn(members, ";");
        judge_member(trial, box_text("%.*s", (int)length, members));
        members += length;
        members += strspn(members, "; ");
    }
}

static void judge_refusal(const Trial *trial, const char *part)
{
    const Rule *rule = trial->rule;
    const Seen *seen = trial->outcome;
    const char *body = body_of(rule->event);
    const char *code = seen_text(seen, box_text("%s.code", body));
    const char *field = seen_text(seen, box_text("%s.field", body));
    const char *message = seen_text(seen, box_text("%s.message", body));
    if (strcmp(code, rule->code) != 0 ||
        strcmp(field, rule->field == NULL ? "" : rule->field) != 0 || message[0] == '\0' ||
        (part != NULL && strstr(message, part) == NULL)) {
        show(trial);
        fail_msg("%s about '%s': %s", code, field, message);
    }
}

static bool is_about(const Trial *trial, const Seen *seen)
{
    const char *id = seen_text(seen, "commandId");
    return id[0] != '\0' ? strcmp(id, trial->command_id) == 0
                         : strcmp(seen_text(seen, "applicationId"), trial->application) == 0;
}

static size_t count_events(const Trial *trial)
{
    const Reader *reader = trial->fixture->world->reader;
    size_t count = 0;
    for (size_t i = 0; i < reader_count(reader); i++) {
        const Seen *seen = reader_at(reader, i);
        count += seen->topic == SEEN_EVENTS && seen_is_outcome(seen) && !seen_is_replayed(seen) &&
                 strcmp(seen_type(seen), trial->rule->event) == 0 && is_about(trial, seen);
    }
    return count;
}

static const Seen *find_dead_letter(const Trial *trial)
{
    const Reader *reader = trial->fixture->world->reader;
    for (size_t i = 0; i < reader_count(reader); i++) {
        const Seen *seen = reader_at(reader, i);
        if (seen->topic == SEEN_DEAD_LETTERS &&
            strcmp((const char *)seen->key.data, trial->application) == 0 &&
            strcmp(parcel_id(seen), trial->command_id) == 0) {
            return seen;
        }
    }
    return NULL;
}

// It gives the event's reasons.
static void judge_letter(const Trial *trial, const Seen *letter)
{
    if (strcmp(seen_header(letter, "dlq-reason"),
               seen_text(trial->outcome, "commandRejected.code")) != 0 ||
        strcmp(seen_header(letter, "dlq-detail"),
               seen_text(trial->outcome, "commandRejected.message")) != 0) {
        show(trial);
        fail_msg("the dead letter says %s: %s", seen_header(letter, "dlq-reason"),
                 seen_header(letter, "dlq-detail"));
    }
}

// Refused before the claim: no row in the ledger and a dead letter. Afterwards: a row and none.
static void judge_traces(const Trial *trial)
{
    const char *action = seen_text(trial->outcome, "commandRejected.action");
    const char *rows = ledger_value(trial->fixture->world,
                                    "SELECT count(*) FROM provision.command WHERE command_id = "
                                    "'%s' AND ('%s' = '' OR action = '%s')",
                                    trial->command_id, action, action);
    bool is_claimed = strcmp(rows, "0") != 0;
    const Seen *letter = find_dead_letter(trial);
    if (is_claimed == (letter != NULL)) {
        show(trial);
        fail_msg("%s", is_claimed ? "there is a dead letter, too" : "there is no dead letter");
    }
    if (letter != NULL) {
        judge_letter(trial, letter);
    }
    assert_int_equal(seen_number(trial->outcome, "sequence"), 0);
}

void judge_trial(const Trial *trial)
{
    const Rule *rule = trial->rule;
    if (trial->outcome == NULL) {
        fail_msg("%s: %s", trial->fixture->application,
                 trial->fixture->problem == NULL ? "no outcome" : trial->fixture->problem);
        return;
    }
    if (strcmp(seen_type(trial->outcome), rule->event) != 0) {
        show(trial);
        fail_msg("%s instead of %s", seen_type(trial->outcome), rule->event);
    }
    const char *says = rule->says == NULL ? NULL : fixture_fill(trial->fixture, rule->says);
    if (rule->code != NULL) {
        judge_refusal(trial, says);
    } else if (says != NULL) {
        judge_members(trial, says);
    }
    if (trial->calls != rule->calls) {
        show(trial);
        fail_msg("%" PRId64 " calls instead of %d", trial->calls, rule->calls);
    }
    assert_int_equal(count_events(trial), 1);
    if (strcmp(rule->event, "CommandRejected") == 0) {
        judge_traces(trial);
    }
}
