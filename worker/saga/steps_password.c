#include <assert.h>
#include <string.h>

#include "base/crypto.h"
#include "base/unconst.h"
#include "saga/branching.h"
#include "saga/facts.h"
#include "saga/lesson.h"
#include "saga/record.h"
#include "saga/steps.h"
#include "saga/wanted.h"

/*
 * Every role that the branch inherits gets a new password: the list of them is journaled only when
 * it names all that the parent and the creation's reply have, or when no listing can lag any more.
 *
 * A reset is never repeated blindly: before it, a digest of the password is journaled; after a lost
 * reply the password is revealed again and compared. Where passwords are not stored (412, or 404
 * for one that SQL has set) there is nothing to compare, and the reset is repeated once its first
 * call is settled.
 */
static const char NOT_STORED[] = "not stored";

enum { ROLES_MAX = 500 }; // of a branch, https://neon.com/docs/manage/roles

// The names of the roles that log in with a password; NULL and `err`: unreadable, or too many.
static json_t *login_roles(const json_t *body, Error *err)
{
    const json_t *items = neon_decode_roles(body, err);
    json_t *names = json_array();
    size_t i;
    json_t *item;
    json_array_foreach(unconst(items), i, item)
    {
        NeonRole role;
        if (!neon_decode_role_item(item, &role, err)) {
            break;
        }
        if (json_array_size(names) == ROLES_MAX) {
            error_set(err, ERROR_CONFLICT, "TOO_MANY_ROLES",
                      "the branch inherits more than %d roles with passwords", ROLES_MAX);
            break;
        }
        if (!role.is_protected && !role.no_login) {
            json_array_append_new(names, json_string(role.name));
        }
    }
    if (err->kind != ERROR_NONE) {
        json_decref(names);
        return NULL;
    }
    return names;
}

static Lesson not_listed(Saga *saga, const Error *err)
{
    return err->kind == ERROR_CONFLICT ? lesson_fail_with(saga, err)
                                       : lesson_unreadable(saga, err, PROTECTED_READ);
}

// Right before the branch is made: a listing of the new branch may lag, and an adopted branch has
// no reply that names its roles.
Ask password_ask_parent_roles(Saga *saga, Effect *effect)
{
    if (record_is_text_list(journal_value(&saga->journal, FACT_EXPECTED_ROLES))) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_roles(&effect->request, journal_text(&saga->journal, FACT_PROJECT_ID),
                       journal_text(&saga->journal, FACT_PARENT_ID));
    return ASK_EFFECT;
}

Lesson password_learn_parent_roles(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    if (reply->meaning != NEON_OK && reply->meaning != NEON_NOT_FOUND) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "list the parent branch's roles");
    }
    Error err = ERROR_INIT;
    // one that is gone says so when it is branched from
    json_t *names = reply->meaning == NEON_OK ? login_roles(reply->body, &err) : json_array();
    if (names == NULL) {
        return not_listed(saga, &err);
    }
    journal_set_value(&saga->journal, FACT_EXPECTED_ROLES, names);
    return LESSON_LEARNT;
}

void password_expect_roles(Saga *saga, const json_t *body)
{
    Error err = ERROR_INIT;
    json_t *names = login_roles(body, &err);
    size_t i;
    json_t *name;
    json_array_foreach(names, i, name)
    {
        record_once(saga, FACT_EXPECTED_ROLES, json_string_value(name));
    }
    json_decref(names);
}

Ask password_ask_roles(Saga *saga, Effect *effect)
{
    if (record_is_text_list(journal_value(&saga->journal, FACT_ROLES))) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_roles(&effect->request, journal_text(&saga->journal, FACT_PROJECT_ID),
                       journal_text(&saga->journal, FACT_BRANCH_ID));
    return ASK_EFFECT;
}

static bool holds(const json_t *names, const char *wanted)
{
    size_t i;
    json_t *name;
    json_array_foreach(unconst(names), i, name)
    {
        if (strcmp(json_string_value(name), wanted) == 0) {
            return true;
        }
    }
    return false;
}

// Where nothing is known to expect, the parent's listing may have lagged as well.
static bool has_all_expected(const Saga *saga, const json_t *names)
{
    const json_t *expected = journal_value(&saga->journal, FACT_EXPECTED_ROLES);
    size_t i;
    json_t *name;
    json_array_foreach(unconst(expected), i, name)
    {
        if (!holds(names, json_string_value(name))) {
            return false;
        }
    }
    return json_array_size(expected) > 0;
}

// Takes over the names: whom SQL is run as, and which roles it is to make.
static Lesson learn_listed(Saga *saga, json_t *names)
{
    Error err = ERROR_INIT;
    const LedgerEnvironment *source = branching_of(saga).roles_of;
    const char *known = json_string_value(json_object_get(source->details, FACT_ROLE));
    const char *role = wanted_bootstrap(saga, names, known != NULL ? known : "");
    if (role != NULL) { // else the owner of its first database, for what it is worth
        journal_set_text(&saga->journal, FACT_ROLE, role);
    }
    journal_set_value(&saga->journal, FACT_API_ROLES, json_deep_copy(names));
    journal_set_value(&saga->journal, FACT_ROLES, names);
    return wanted_set_for_branch(saga, &err) ? LESSON_LEARNT : lesson_fail_with(saga, &err);
}

Lesson password_learn_roles(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    bool is_young = record_is_young(saga);
    if (reply->meaning == NEON_NOT_FOUND && is_young) {
        return lesson_wait_ms(saga, saga->rules->poll_ms);
    }
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "list the branch's roles");
    }
    Error err = ERROR_INIT;
    json_t *names = login_roles(reply->body, &err);
    if (names == NULL) {
        return not_listed(saga, &err);
    }
    size_t expected = json_array_size(journal_value(&saga->journal, FACT_EXPECTED_ROLES));
    if (!has_all_expected(saga, names) && is_young) {
        json_decref(names);
        return lesson_wait_ms(saga, saga->rules->poll_ms);
    }
    // no longer young: some may have been dropped from the branch since, but not all
    if (json_array_size(names) == 0 && expected > 0) {
        json_decref(names);
        return lesson_fail(saga, ERROR_UNAVAILABLE, "ROLES_MISSING",
                           "Neon lists none of the %zu roles that the branch inherits, so their "
                           "passwords can't be replaced",
                           expected);
    }
    return learn_listed(saga, names);
}

// The role whose turn it is; NULL when all are done.
static const char *next_role(const Saga *saga)
{
    size_t i;
    json_t *role;
    json_array_foreach(unconst(journal_value(&saga->journal, FACT_ROLES)), i, role)
    {
        if (!record_holds(saga, FACT_ROTATED, json_string_value(role))) {
            return json_string_value(role);
        }
    }
    return NULL;
}

static const json_t *old_password(const Saga *saga, const char *role)
{
    return json_object_get(journal_value(&saga->journal, FACT_OLD_PASSWORDS), role);
}

// Whether a reset of this role may have happened since its password was looked at.
static bool is_doubtful(const Saga *saga, const json_t *old)
{
    return json_integer_value(json_object_get(old, FACT_DOUBTS)) !=
           journal_number(&saga->journal, FACT_DOUBTS);
}

Ask password_ask_reveal(Saga *saga, Effect *effect)
{
    const char *role = next_role(saga);
    const json_t *old = role != NULL ? old_password(saga, role) : NULL;
    if (role == NULL || (old != NULL && !is_doubtful(saga, old))) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_reveal_password(&effect->request, journal_text(&saga->journal, FACT_PROJECT_ID),
                                 journal_text(&saga->journal, FACT_BRANCH_ID), role);
    return ASK_EFFECT;
}

static void digest_password(const Saga *saga, const char *role, const Secret *password,
                            Text *ret_digest)
{
    // "<id of the key> <digest>": keyed, because an inherited password stays in use on the parent
    char key_id[CRYPTO_KEY_ID_BYTES];
    crypto_key_id(saga->rules->digest_key, key_id);
    text_printf(ret_digest, "%s ", key_id);
    uint8_t digest[CRYPTO_SHA256_BYTES];
    const Bytes parts[] = {bytes_of(saga->command->command_id), bytes_of(role),
                           secret_bytes(password)};
    crypto_hmac_sha256(saga->rules->digest_key, parts, sizeof parts / sizeof parts[0], digest);
    crypto_hex_append(ret_digest, (Bytes){digest, sizeof digest});
}

static void set_old_password(Saga *saga, const char *role, const char *digest)
{
    const json_t *before = journal_value(&saga->journal, FACT_OLD_PASSWORDS);
    bool is_first = json_object_get(before, role) == NULL;
    json_t *all = json_is_object(before) ? json_deep_copy(before) : json_object();
    json_object_set_new(all, role,
                        json_pack("{s:s, s:I}", "digest", digest, FACT_DOUBTS,
                                  (json_int_t)journal_number(&saga->journal, FACT_DOUBTS)));
    if (is_first) {
        journal_set_value(&saga->journal, FACT_OLD_PASSWORDS, all);
    } else {
        journal_set_again(&saga->journal, FACT_OLD_PASSWORDS, all); // as it was: the reset failed
    }
}

// Of the same key: not after the key-encryption key was changed, nor where none was stored.
static bool is_comparable(const char *before, const char *digest)
{
    return before != NULL && strncmp(before, digest, CRYPTO_KEY_ID_BYTES) == 0;
}

Lesson password_learn_reveal(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    const char *role = next_role(saga);
    assert(role != NULL);
    if (reply->meaning == NEON_NOT_FOUND && record_is_young(saga)) {
        return lesson_wait_ms(saga, saga->rules->poll_ms);
    }
    // the list has the role: what Neon doesn't find is its password (a role made by SQL)
    if (reply->meaning == NEON_PRECONDITION || reply->meaning == NEON_NOT_FOUND) {
        set_old_password(saga, role, NOT_STORED);
        return LESSON_LEARNT;
    }
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "reveal a role's password");
    }
    Error err = ERROR_INIT;
    CLEANUP(secret_clear) Secret password = SECRET_INIT;
    if (neon_decode_password(reply->body, &password, &err) && secret_is_empty(&password)) {
        // compared with a real one, none would look like a reset that was done
        error_set(&err, ERROR_INTERNAL, "UNEXPECTED_REPLY", "Neon revealed no password");
    }
    if (err.kind != ERROR_NONE) {
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    CLEANUP(text_clear) Text digest = TEXT_INIT(128);
    digest_password(saga, role, &password, &digest);
    const json_t *old = old_password(saga, role);
    const char *before = json_string_value(json_object_get(old, "digest"));
    if (is_comparable(before, text_get(&digest)) && strcmp(before, text_get(&digest)) != 0) {
        journal_append_text(&saga->journal, FACT_ROTATED,
                            role); // the call whose reply was lost did it
    } else {
        set_old_password(saga, role, text_get(&digest));
    }
    return LESSON_LEARNT;
}

Ask password_ask_reset(Saga *saga, Effect *effect)
{
    const char *role = next_role(saga);
    if (role == NULL) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    bool fits = text_copy(effect->project_id, sizeof effect->project_id,
                          journal_text(&saga->journal, FACT_PROJECT_ID));
    assert(fits);
    (void)fits;
    neon_request_reset_password(&effect->request, effect->project_id,
                                journal_text(&saga->journal, FACT_BRANCH_ID), role);
    return ASK_EFFECT;
}

Lesson password_learn_reset(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    const char *role = next_role(saga);
    assert(role != NULL);
    if (reply->meaning == NEON_NOT_FOUND && record_is_young(saga)) {
        return lesson_wait_ms(saga, saga->rules->poll_ms);
    }
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_NOTHING, "reset a role's password");
    }
    journal_append_text(&saga->journal, FACT_ROTATED, role);
    record_operations(saga, reply->body);
    secret_clear(&saga->connection.password); // whatever was read before
    return LESSON_LEARNT;
}
