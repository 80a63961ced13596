#include <assert.h>
#include <string.h>

#include "saga/facts.h"
#include "saga/lesson.h"
#include "saga/reach.h"
#include "saga/steps.h"

enum { ORGANIZATIONS_MAX = 16 };

bool account_check_connect(Saga *saga, Error *err)
{
    (void)saga;
    (void)err;
    return true;
}

Ask account_ask_key(Saga *saga, Effect *effect)
{
    if (journal_has(&saga->journal, FACT_NEON_ACCOUNT)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_auth(&effect->request);
    return ASK_EFFECT;
}

Lesson account_learn_key(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    Error err = ERROR_INIT;
    if (reply->meaning == NEON_DENIED) {
        error_set_field(&err, ERROR_DENIED, "API_KEY_REJECTED", "connect_account.api_key",
                        "Neon doesn't accept the key (%s); make a new one in Neon's console",
                        reply->message);
        return lesson_fail_with(saga, &err);
    }
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "check the API key");
    }
    NeonAccountInfo info;
    if (!neon_decode_auth(reply->body, &info, &err)) {
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    journal_set_text(&saga->journal, FACT_NEON_ACCOUNT, info.account_id);
    journal_set_text(&saga->journal, FACT_AUTH_METHOD, info.auth_method);
    return LESSON_LEARNT;
}

static bool is_personal(const Saga *saga)
{
    return strcmp(journal_text(&saga->journal, FACT_AUTH_METHOD), "api_key_org") != 0;
}

Ask account_ask_organizations(Saga *saga, Effect *effect)
{
    if (journal_has(&saga->journal, FACT_ORG_KNOWN)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_organizations(&effect->request);
    return ASK_EFFECT;
}

static void list_organizations(const NeonOrganization *list, size_t count, Text *ret_names)
{
    size_t shown = count < ORGANIZATIONS_MAX ? count : ORGANIZATIONS_MAX;
    for (size_t i = 0; i < shown; i++) {
        text_printf(ret_names, "%s%s (%s)", i > 0 ? ", " : "", list[i].id, list[i].name);
    }
}

static Lesson choose_organization(Saga *saga, const NeonOrganization *list, size_t count)
{
    const char *wanted = saga->command->message->connect_account->org_id;
    const char *chosen = wanted[0] == '\0' && count == 1 ? list[0].id : "";
    for (size_t i = 0; i < count && i < ORGANIZATIONS_MAX; i++) {
        if (wanted[0] != '\0' && strcmp(list[i].id, wanted) == 0) {
            chosen = list[i].id;
        }
    }
    bool is_ambiguous = wanted[0] == '\0' && count > 1;
    if (is_ambiguous || (wanted[0] != '\0' && chosen[0] == '\0' && count <= ORGANIZATIONS_MAX)) {
        Error err = ERROR_INIT;
        CLEANUP(text_clear) Text names = TEXT_INIT(400);
        list_organizations(list, count, &names);
        error_set_field(&err, ERROR_INVALID,
                        is_ambiguous ? "ORGANIZATION_AMBIGUOUS" : "ORGANIZATION_UNKNOWN",
                        "connect_account.org_id", "%s: %s",
                        is_ambiguous ? "the key reaches several organizations, set one of them"
                                     : "the key doesn't reach that organization; it reaches",
                        text_get(&names));
        return lesson_fail_with(saga, &err);
    }
    journal_set_text(&saga->journal, FACT_ORG_ID, chosen[0] != '\0' ? chosen : wanted);
    journal_set_flag(&saga->journal, FACT_ORG_KNOWN);
    return LESSON_LEARNT;
}

Lesson account_learn_organizations(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    if (reply->meaning == NEON_NOT_FOUND) {
        // a key without a user of its own: whether it reaches that organization, its projects tell
        journal_set_text(&saga->journal, FACT_ORG_ID,
                         saga->command->message->connect_account->org_id);
        journal_set_flag(&saga->journal, FACT_ORG_KNOWN);
        return LESSON_LEARNT;
    }
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "list the key's organizations");
    }
    Error err = ERROR_INIT;
    NeonOrganization list[ORGANIZATIONS_MAX];
    size_t count = 0;
    if (!neon_decode_organizations(reply->body, list, ORGANIZATIONS_MAX, &count, &err)) {
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    return choose_organization(saga, list, count);
}

Ask account_ask_scope(Saga *saga, Effect *effect)
{
    if (journal_has(&saga->journal, FACT_KEY_KIND)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_projects(&effect->request, "", journal_text(&saga->journal, FACT_ORG_ID), "");
    return ASK_EFFECT;
}

// A key of one project is told its project in the refusal:
// subject_project_id:"damp-dream-67070160".
static Lesson learn_key_project(Saga *saga, const char *message)
{
    static const char MARKER[] = "subject_project_id:\"";
    char id[NAME_NEON_ID_BYTES] = "";
    const char *start = strstr(message, MARKER);
    if (start != NULL) {
        start += sizeof MARKER - 1;
        size_t length = strcspn(start, "\"");
        if (length < sizeof id) {
            memcpy(id, start, length);
            id[length] = '\0';
        }
    }
    const char *org_id = journal_text(&saga->journal, FACT_ORG_ID);
    if (id[0] == '\0' && org_id[0] != '\0') {
        Error err = ERROR_INIT;
        error_set_field(&err, ERROR_INVALID, "ORGANIZATION_UNKNOWN", "connect_account.org_id",
                        "the key sees no projects of organization %s: %s", org_id, message);
        return lesson_fail_with(saga, &err);
    }
    journal_set_text(&saga->journal, FACT_KEY_PROJECT, id);
    journal_set_text(&saga->journal, FACT_KEY_KIND, "project");
    return LESSON_LEARNT;
}

Lesson account_learn_scope(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    if (reply->meaning == NEON_OK) {
        journal_set_text(&saga->journal, FACT_KEY_KIND,
                         is_personal(saga) ? "personal" : "organization");
        return LESSON_LEARNT;
    }
    if (reply->meaning == NEON_NOT_FOUND) {
        return learn_key_project(saga, reply->message);
    }
    return lesson_from_reply(saga, reply, PROTECTED_READ, "list the key's projects");
}

// Whether the key reaches what the one that it replaces has reached.
static bool has_same_reach(const Saga *saga)
{
    const Journal *journal = &saga->journal;
    const LedgerAccount *before = &saga->ledger->account;
    if (strcmp(journal_text(journal, FACT_KEY_KIND), "project") == 0) {
        return strcmp(before->key_kind, "project") == 0 &&
               strcmp(before->project_id, journal_text(journal, FACT_KEY_PROJECT)) == 0;
    }
    Reach reach = reach_of_details(journal->facts);
    Reach reach_before = reach_of_account(before);
    return reach_is_same(&reach, &reach_before);
}

// Environments keep the account's name: a key that doesn't see them would strand them.
Ask account_ask_successor(Saga *saga, Effect *effect)
{
    return !saga->ledger->account.found || has_same_reach(saga) ? ASK_NOTHING
                                                                : account_ask_users(saga, effect);
}

Lesson account_learn_successor(Saga *saga, const Answer *answer)
{
    Error err = ERROR_INIT;
    if (answer->dependent_count == 0) {
        return account_learn_users(saga, answer);
    }
    error_set_field(&err, ERROR_CONFLICT, "ACCOUNT_MISMATCH", "connect_account.api_key",
                    "the key is of another organization, Neon account or project than the one it "
                    "replaces, and %zu environments use the account; connect it under another name",
                    answer->dependent_count);
    return lesson_fail_with(saga, &err);
}

bool account_check_disconnect(Saga *saga, Error *err)
{
    return saga->ledger->account.found ||
           error_set_field(err, ERROR_CONFLICT, "ACCOUNT_UNKNOWN", "disconnect_account.account",
                           "the application has no account %s; see `provisionctl accounts`",
                           saga->command->writes.name);
}

Ask account_ask_users(Saga *saga, Effect *effect)
{
    if (journal_has(&saga->journal, FACT_UNUSED)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_DEPENDENTS;
    bool fits = text_copy(effect->account, sizeof effect->account, saga->command->writes.name);
    assert(fits);
    (void)fits;
    return ASK_EFFECT;
}

Lesson account_learn_users(Saga *saga, const Answer *answer)
{
    if (answer->dependent_count == 0) {
        journal_set_flag(&saga->journal, FACT_UNUSED);
        return LESSON_LEARNT;
    }
    CLEANUP(text_clear) Text names = TEXT_INIT(300);
    for (size_t i = 0; i < answer->dependent_count && i < SAGA_DEPENDENTS_MAX; i++) {
        text_printf(&names, "%s%s", i > 0 ? ", " : "", answer->dependents[i].environment);
    }
    Error err = ERROR_INIT;
    error_set_field(&err, ERROR_CONFLICT, "ACCOUNT_IN_USE", "disconnect_account.account",
                    "%zu environments use the account: %s%s; delete them first",
                    answer->dependent_count, text_get(&names), text_ok(&names) ? "" : ", ...");
    return lesson_fail_with(saga, &err);
}
