#include "crash/end_state.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/unconst.h"
#include "crash/neon_state.h"
#include "support/cmocka.h"

enum { TEXT_BYTES = 100000 };

// Members that are others each time; a spec may name a branch, the fence rises with each worker,
// and of the changes to roles an outcome tells those that its worker has planned or done.
static const char *const OTHERS[] = {"attempts", "box",           "port",       "changes",
                                     "fence",    "expires_at_ms", "spec_digest"};

// UUIDs, Neon's ids (those of branches and endpoints have a prefix), times.
#define ANY_ID                                                                                     \
    "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|"                                                   \
    "(br-|ep-)?[a-z]+-[a-z]+-[0-9a-z]{8}|"                                                         \
    "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+]00:00)"

// ---- the form that is equal

static void append_plain(Text *plain, const char *text, const regex_t *pattern)
{
    regmatch_t match;
    while (regexec(pattern, text, 1, &match, 0) == 0) {
        text_append_bytes(plain, text, (size_t)match.rm_so);
        text_append(plain, "ID");
        text += match.rm_eo;
    }
    text_append(plain, text);
}

static json_t *plain_text(const char *text, const char *application)
{
    regex_t pattern;
    CLEANUP(text_clear) Text named = TEXT_INIT(TEXT_BYTES);
    CLEANUP(text_clear) Text plain = TEXT_INIT(TEXT_BYTES);
    const char *found = NULL;
    while ((found = strstr(text, application)) != NULL) {
        text_append_bytes(&named, text, (size_t)(found - text));
        text_append(&named, "APPLICATION");
        text = found + strlen(application);
    }
    text_append(&named, text);
    assert_int_equal(regcomp(&pattern, ANY_ID, REG_EXTENDED), 0);
    append_plain(&plain, text_get(&named), &pattern);
    regfree(&pattern);
    assert_true(text_ok(&named) && text_ok(&plain));
    return json_string(text_get(&plain));
}

static bool is_another(const char *key)
{
    for (size_t i = 0; i < sizeof(OTHERS) / sizeof(OTHERS[0]); i++) {
        if (strcmp(key, OTHERS[i]) == 0) {
            return true;
        }
    }
    return false;
}

// Of any JSON; takes the reference.
static json_t *plain_json(json_t *json, const char *application)
{
    json_t *plain = json_is_object(json) ? json_object() : json_array();
    const char *key = NULL;
    size_t i = 0;
    json_t *value = NULL;
    if (json_is_object(json)) {
        json_object_foreach(json, key, value)
        {
            json_t *member = is_another(key) ? json_string("ANOTHER")
                                             : plain_json(json_incref(value), application);
            json_object_set_new(plain, key, member);
        }
    } else if (json_is_array(json)) {
        json_array_foreach(json, i, value)
        {
            json_array_append_new(plain, plain_json(json_incref(value), application));
        }
    } else {
        json_decref(plain);
        plain = json_is_string(json) ? plain_text(json_string_value(json), application)
                                     : json_incref(json);
    }
    json_decref(json);
    return plain;
}

// ---- what consumers see

static json_t *read_events(const World *world, const char *application)
{
    json_t *events = json_array();
    for (size_t i = 0; i < reader_count(world->reader); i++) {
        const Seen *seen = reader_at(world->reader, i);
        if (seen->topic == SEEN_EVENTS &&
            strcmp(seen_text(seen, "applicationId"), application) == 0) {
            json_array_append_new(events,
                                  json_pack("{s:s, s:b, s:O}", "type", seen_type(seen), "replayed",
                                            seen_is_replayed(seen), "event", seen->json));
        }
    }
    return events;
}

// The last one of each subject: "key": null where it is a tombstone.
static json_t *read_states(const World *world, const char *application)
{
    const char *prefix = box_text("applications/%s/", application);
    json_t *states = json_object();
    for (size_t i = 0; i < reader_count(world->reader); i++) {
        const Seen *seen = reader_at(world->reader, i);
        const char *key = (const char *)seen->key.data;
        if (seen->topic == SEEN_STATES && strncmp(key, prefix, strlen(prefix)) == 0) {
            json_object_set_new(states, key + strlen(prefix),
                                seen->json == NULL ? json_null() : json_incref(seen->json));
        }
    }
    return states;
}

static json_int_t count_dead_letters(const World *world, const char *application)
{
    json_int_t count = 0;
    for (size_t i = 0; i < reader_count(world->reader); i++) {
        const Seen *seen = reader_at(world->reader, i);
        count += seen->topic == SEEN_DEAD_LETTERS && seen->key.data != NULL &&
                 strcmp((const char *)seen->key.data, application) == 0;
    }
    return count;
}

// ---- the ledger

// Rows of the application without the columns that tell how it went and when.
static json_t *read_rows(World *world, const char *application, const char *table,
                         const char *order, const char *without)
{
    const char *text = ledger_value(world,
                                    "SELECT coalesce(jsonb_agg(to_jsonb(t) - '{%s}'::text[] ORDER "
                                    "BY %s), '[]') FROM provision.%s t WHERE application_id = '%s'",
                                    without, order, table, application);
    json_t *rows = json_loads(text, 0, NULL);
    assert_non_null(rows);
    return rows;
}

// Which of their passwords are known to be set.
static json_t *read_secrets(World *world, const char *application)
{
    const char *text =
        ledger_value(world,
                     "SELECT coalesce(jsonb_agg(jsonb_build_array(environment, role, "
                     "sealed_password IS NULL, sealed_next IS NULL) ORDER BY environment, role), "
                     "'[]') FROM provision.role_secret WHERE application_id = '%s'",
                     application);
    json_t *rows = json_loads(text, 0, NULL);
    assert_non_null(rows);
    return rows;
}

static json_t *read_ledger(World *world, const char *application)
{
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o}", "commands",
        read_rows(world, application, "command", "record_offset",
                  "digest,partition,record_offset,record_timestamp_ms,epoch,takeovers,journal,"
                  "intent_status,intent_step,intent_number,intent_epoch,intent_settles,"
                  "intent_result,sent_before,settled_at,unsettled_until,abandoned,"
                  "abandoned_number,outcome,created_at,finished_at,published_at,worker,claimed_at,"
                  "progress_at,waiting_step,waiting_for,waiting_since"),
        "environments",
        read_rows(world, application, "environment", "environment", "unsettled_until,updated_at"),
        "accounts", read_rows(world, application, "account", "account", "sealed_key,updated_at"),
        "applications", read_rows(world, application, "application", "application_id", ""),
        "role_secrets", read_secrets(world, application));
}

// ---- what Neon did

static bool is_deletion_or_reading(const char *route)
{
    return strncmp(route, "GET ", 4) == 0 || strncmp(route, "DELETE ", 7) == 0;
}

// How often Neon did what must not be done twice: {"POST /projects": 1, …}.
static json_t *count_deeds(World *world, json_int_t since)
{
    REPLY reply =
        box_call(&world->box, "GET", box_text("/sandbox/calls?since=%lld", (long long)since), NULL);
    json_t *deeds = json_object();
    size_t i = 0;
    const json_t *call = NULL;
    assert_int_equal(reply.status, 200);
    json_array_foreach(box_find(reply.json, "calls"), i, call)
    {
        const char *route = box_string(call, "route");
        if (box_integer(call, "status") < 300 && !is_deletion_or_reading(route)) {
            json_int_t count = json_integer_value(json_object_get(deeds, route));
            json_object_set_new(deeds, route, json_integer(count + 1));
        }
    }
    return deeds;
}

int64_t end_state_last_call(World *world)
{
    REPLY reply = box_call(&world->box, "GET", "/sandbox/calls?since=0", NULL);
    assert_int_equal(reply.status, 200);
    return box_integer(reply.json, "last");
}

// ---- all of it

json_t *end_state_read(World *world, const char *application, int64_t since_call)
{
    REPLY reply = sandbox_state(world);
    reader_read_to_end(world->reader);
    reader_assert_sequences(world->reader);
    json_t *state = json_pack(
        "{s:o, s:o, s:I, s:o, s:o, s:o}", "events", read_events(world, application), "states",
        read_states(world, application), "dead_letters", count_dead_letters(world, application),
        "ledger", read_ledger(world, application), "projects",
        neon_state_read(world, application, reply.json), "deeds", count_deeds(world, since_call));
    assert_non_null(state);
    return plain_json(state, application);
}

static void print_value(const char *what, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    (void)printf("  %s: %s\n", what, text == NULL ? "nothing" : text);
    free(text);
}

static void print_differences(const char *path, const json_t *wanted, const json_t *found);

static void print_of_objects(const char *path, const json_t *wanted, const json_t *found)
{
    json_t *keys = json_copy(unconst(wanted));
    (void)json_object_update(keys, unconst(found));
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(keys, key, value)
    {
        print_differences(box_text("%s.%s", path, key), json_object_get(wanted, key),
                          json_object_get(found, key));
    }
    json_decref(keys);
}

static void print_differences(const char *path, const json_t *wanted, const json_t *found)
{
    if (json_equal(unconst(wanted), unconst(found)) != 0 || (wanted == NULL && found == NULL)) {
        return;
    }
    if (json_is_object(wanted) && json_is_object(found)) {
        print_of_objects(path, wanted, found);
    } else if (json_is_array(wanted) && json_array_size(wanted) == json_array_size(found)) {
        for (size_t i = 0; i < json_array_size(wanted); i++) {
            print_differences(box_text("%s.%zu", path, i), json_array_get(wanted, i),
                              json_array_get(found, i));
        }
    } else {
        (void)printf("%s\n", path);
        print_value("without a crash", wanted);
        print_value("with it", found);
    }
}

bool end_state_is_same(const json_t *wanted, const json_t *found)
{
    print_differences("state", wanted, found);
    return json_equal(unconst(wanted), unconst(found)) != 0;
}
