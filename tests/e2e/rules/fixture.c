#include "rules/fixture.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/text.h"
#include "base/unconst.h"
#include "provisioning/v1/secret.pb-c.h"
#include "support/cmocka.h"
#include "support/commands.h"

enum { TEXT_BYTES = 3900, NAME_BYTES = 128, WORDS_MAX = 4, BOX_BYTES = 1024 };

static void add_steps(Fixture *fixture, const State *state)
{
    if (state->from != NULL) {
        add_steps(fixture, state_find(state->from));
    }
    for (const Step *step = state->steps; step->kind != STEP_END; step++) {
        assert_true(fixture->step_count < FIXTURE_STEPS_MAX);
        fixture->steps[fixture->step_count++] = *step;
        fixture->is_left_alone = fixture->is_left_alone || step->kind == STEP_START;
    }
}

void fixture_init(Fixture *fixture, World *world, const char *application, const State *state)
{
    *fixture = (Fixture){.world = world, .application = application, .facts = table_new()};
    add_steps(fixture, state);
}

void fixture_clear(Fixture *fixture)
{
    table_free(fixture->facts);
    free(fixture->trials);
}

void fixture_set(Fixture *fixture, const char *name, const char *value)
{
    (void)table_put(fixture->facts, name, unconst(box_text("%s", value)));
}

const char *fixture_key(const Fixture *fixture, const char *name)
{
    return box_text("napi_rules_%s_%s", fixture->application, name);
}

const char *fixture_account(const Fixture *fixture, size_t index)
{
    static const char *const FORMS[FIXTURE_ACCOUNTS] = {"org-%s", "org-%s-b", "user-%s"};
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    return box_text(FORMS[index], fixture->application);
#pragma GCC diagnostic pop
}

static void add_key(const Fixture *fixture, const char *name, const char *kind, const char *account,
                    const char *organizations)
{
    REPLY reply = box_call(&fixture->world->box, "POST", "/sandbox/keys",
                           box_text("{\"key\": \"%s\", \"kind\": \"%s\", \"account_id\": \"%s\", "
                                    "\"organizations\": [%s]}",
                                    fixture_key(fixture, name), kind, account, organizations));
    assert_int_equal(reply.status, 201);
}

void fixture_open(Fixture *fixture)
{
    const char *first = box_text("\"%s\"", fixture_account(fixture, 0));
    const char *second = box_text("\"%s\"", fixture_account(fixture, 1));
    add_key(fixture, "org", "organization", fixture_account(fixture, 0), first);
    add_key(fixture, "again", "organization", fixture_account(fixture, 0), first);
    add_key(fixture, "other", "organization", fixture_account(fixture, 1), second);
    add_key(fixture, "personal", "personal", fixture_account(fixture, 2),
            box_text("%s, %s", first, second));
    add_key(fixture, "maker", "organization", box_text("maker-%s", fixture->application), first);
    fixture_set(fixture, "app", fixture->application);
    fixture_set(fixture, "neighbour", box_text("%s.n", fixture->application));
    fixture_set(fixture, "installation",
                ledger_value(fixture->world, "SELECT id FROM provision.installation"));
    fixture_set(fixture, "organization", fixture_account(fixture, 0));
    fixture_set(fixture, "organization-b", fixture_account(fixture, 1));
}

// A box that libprovision would make, and some that it wouldn't.
static const char *seal(const Fixture *fixture, const char *application, const char *account,
                        const char *key)
{
    uint8_t plain[BOX_BYTES];
    uint8_t sealed[BOX_BYTES + crypto_box_SEALBYTES];
    char text[sodium_base64_ENCODED_LEN(sizeof(sealed), sodium_base64_VARIANT_ORIGINAL)];
    Provisioning__V1__SealedApiKey message = PROVISIONING__V1__SEALED_API_KEY__INIT;
    message.application_id = alloc_text(application);
    message.account = alloc_text(account);
    message.api_key = alloc_text(fixture_key(fixture, key));
    size_t size = provisioning__v1__sealed_api_key__get_packed_size(&message);
    assert_true(size <= sizeof(plain));
    (void)provisioning__v1__sealed_api_key__pack(&message, plain);
    free(message.application_id);
    free(message.account);
    free(message.api_key);
    assert_int_equal(crypto_box_seal(sealed, plain, size, fixture->world->fleet_public_key), 0);
    (void)sodium_bin2base64(text, sizeof(text), sealed, size + crypto_box_SEALBYTES,
                            sodium_base64_VARIANT_ORIGINAL);
    return box_text("%s", text);
}

const char *fixture_time(long seconds)
{
    struct tm parts;
    char text[32];
    time_t then = time(NULL) + seconds;
    assert_non_null(gmtime_r(&then, &parts));
    assert_true(strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts) > 0);
    return box_text("%s", text);
}

static const char *repeat(long count, const char *text)
{
    Text all CLEANUP(text_clear) = TEXT_INIT(TEXT_BYTES);
    for (long i = 0; i < count; i++) {
        text_append(&all, text);
    }
    assert_true(text_ok(&all));
    return box_text("%s", text_get(&all));
}

// Into words between spaces; how many there are.
static size_t split(const char *text, char ret_words[WORDS_MAX][NAME_BYTES])
{
    size_t count = 0;
    for (text += strspn(text, " "); *text != '\0' && count < WORDS_MAX;) {
        size_t length = strcspn(text, " ");
        assert_true(length < NAME_BYTES);
        memcpy(ret_words[count], text, length);
        ret_words[count++][length] = '\0';
        text += length;
        text += strspn(text, " ");
    }
    return count;
}

static const char *value_of(const Fixture *fixture, const char *name)
{
    char words[WORDS_MAX][NAME_BYTES];
    size_t count = split(name, words);
    if (count >= 3 && strcmp(words[0], "sealed") == 0) {
        const char *owner = count == 4 ? table_get(fixture->facts, words[3]) : fixture->sender;
        return seal(fixture, owner, words[1], words[2]);
    }
    if (count == 2 && strcmp(words[0], "in") == 0) {
        return fixture_time(strtol(words[1], NULL, 10));
    }
    if (count == 3 && strcmp(words[0], "many") == 0) {
        return repeat(strtol(words[1], NULL, 10), words[2]);
    }
    return strcmp(name, "recipient") == 0 ? fixture->recipient->public_base64
                                          : table_get(fixture->facts, name);
}

const char *fixture_fill(Fixture *fixture, const char *text)
{
    Text filled CLEANUP(text_clear) = TEXT_INIT(TEXT_BYTES);
    while (*text != '\0') {
        size_t plain = strcspn(text, "<");
        text_printf(&filled, "%.*s", (int)plain, text);
        text += plain;
        if (*text == '\0') {
            break;
        }
        const char *name = box_text("%.*s", (int)strcspn(text + 1, ">"), text + 1);
        const char *value = value_of(fixture, name);
        if (value == NULL) {
            fixture->problem = box_text("there is no fact %s", name);
            return NULL;
        }
        text_append(&filled, value);
        text += strlen(name) + 2;
    }
    assert_true(text_ok(&filled));
    return command_quote(text_get(&filled));
}

void fixture_learn(Fixture *fixture, const Seen *seen)
{
    static const char *const BODIES[] = {"environmentCreated", "environmentBranched",
                                         "environmentImported", "environmentReset"};
    static const char *const FACTS[][2] = {
        {"projectId", "project"}, {"branchId", "branch"}, {"endpointId", "endpoint"}};
    for (size_t i = 0; i < sizeof(BODIES) / sizeof(BODIES[0]); i++) {
        const char *name = seen_text(seen, box_text("%s.environment.environment", BODIES[i]));
        for (size_t k = 0; name[0] != '\0' && k < sizeof(FACTS) / sizeof(FACTS[0]); k++) {
            fixture_set(fixture, box_text("%s.%s", name, FACTS[k][1]),
                        seen_text(seen, box_text("%s.environment.%s", BODIES[i], FACTS[k][0])));
        }
    }
}
