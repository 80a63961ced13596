#include "saga/uri.h"

#include "saga/facts.h"
#include "saga/lesson.h"
#include "saga/record.h"

void uri_ask_for(const Saga *saga, const char *role, bool pooled, Effect *effect)
{
    const Journal *journal = &saga->journal;
    NeonUriSpec spec = {
        .project_id = journal_text(journal, FACT_PROJECT_ID),
        .branch_id = journal_text(journal, FACT_BRANCH_ID),
        .endpoint_id = journal_text(journal, FACT_ENDPOINT_ID),
        .database = journal_text(journal, FACT_DATABASE),
        .role = role,
        .pooled = pooled,
    };
    effect->kind = EFFECT_NEON;
    neon_request_connection_uri(&effect->request, &spec);
}

void uri_ask(const Saga *saga, bool pooled, Effect *effect)
{
    uri_ask_for(saga, journal_text(&saga->journal, FACT_ROLE), pooled, effect);
}

Lesson uri_learn(Saga *saga, const NeonReply *reply, Secret *ret_uri, NeonUri *ret_parts,
                 Secret *ret_password)
{
    if (reply->meaning == NEON_NOT_FOUND && record_is_young(saga)) {
        return lesson_wait_ms(saga, saga->rules->poll_ms);
    }
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "read the connection URI");
    }
    Error err = ERROR_INIT;
    if (!neon_decode_uri(reply->body, ret_uri, &err) ||
        !neon_uri_parse(secret_reveal(ret_uri), ret_parts, ret_password, &err)) {
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    return LESSON_LEARNT;
}
