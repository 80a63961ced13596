#include "roles/talks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

// Neon makes it with every branch.
#define MAINTENANCE_DATABASE "postgres"

typedef enum SessionState { SESSION_DUE, SESSION_OPEN, SESSION_ENDED } SessionState;

typedef struct Session {
    RolesSession public;
    SessionState state;
} Session;

struct RolesTalks {
    const RolesTask *task;
    char *fallback;
    Session cluster;
    bool holds;
    Session *databases;
    size_t count;
    size_t open_count;
    bool has_failed;
    Error err;
};

static void begin_session(Session *session, const RolesTask *task, const char *database,
                          const char *talks_of)
{
    *session = (Session){.public = {.talk = roles_talk_new(task, talks_of), .database = database},
                         .state = SESSION_DUE};
}

RolesTalks *roles_talks_new(const RolesTask *task, const char *fallback)
{
    RolesTalks *talks = alloc_zeroed(1, sizeof(*talks));
    const json_t *databases =
        task->databases != NULL ? task->databases : json_object_get(task->spec, "databases");
    talks->task = task;
    talks->fallback = alloc_text(fallback);
    talks->err = ERROR_INIT;
    begin_session(&talks->cluster, task, MAINTENANCE_DATABASE, NULL);
    if (task->mode != ROLES_MODE_PASSWORDS) {
        talks->count = json_array_size(databases);
    }
    talks->databases = alloc_zeroed(talks->count, sizeof(talks->databases[0]));
    for (size_t i = 0; i < talks->count; i++) {
        const char *name = json_string_value(json_array_get(databases, i));
        begin_session(&talks->databases[i], task, name, name);
    }
    return talks;
}

void roles_talks_free(RolesTalks *talks)
{
    if (talks == NULL) {
        return;
    }
    for (size_t i = 0; i < talks->count; i++) {
        roles_talk_free(talks->databases[i].public.talk);
    }
    roles_talk_free(talks->cluster.public.talk);
    free(talks->databases);
    free(talks->fallback);
    free(talks);
}

static RolesDatabase look_for(const RolesTalks *talks, const Session *session)
{
    return roles_talk_look_for(talks->cluster.public.talk, session->public.database);
}

static Session *find_due(RolesTalks *talks)
{
    if (talks->cluster.state == SESSION_DUE) {
        return &talks->cluster;
    }
    for (size_t i = 0; i < talks->count && talks->open_count < ROLES_TALKS_MAX; i++) {
        Session *session = &talks->databases[i];
        if (session->state == SESSION_DUE && look_for(talks, session) == ROLES_DATABASE_READY) {
            return session;
        }
    }
    return NULL;
}

RolesSession *roles_talks_open(RolesTalks *talks)
{
    Session *session = talks->has_failed ? NULL : find_due(talks);
    if (session == NULL) {
        return NULL;
    }
    session->state = SESSION_OPEN;
    talks->open_count += session == &talks->cluster ? 0 : 1;
    return &session->public;
}

static Session *session_of(RolesTalks *talks, const RolesSession *session)
{
    for (size_t i = 0; i < talks->count; i++) {
        if (&talks->databases[i].public == session) {
            return &talks->databases[i];
        }
    }
    assert(&talks->cluster.public == session);
    return &talks->cluster;
}

bool roles_talks_refused(RolesTalks *talks, RolesSession *session, const Error *err)
{
    bool is_first = session == &talks->cluster.public && session->database != talks->fallback;
    if (is_first && roles_talk_is_refusal(err)) {
        session->database = talks->fallback;
        talks->cluster.state = SESSION_DUE;
        return true;
    }
    bool is_full = strcmp(err->code, "53300") == 0; // too_many_connections
    if (is_full && session != &talks->cluster.public &&
        roles_talk_is_closed(talks->cluster.public.talk, session->database)) {
        roles_talk_leave_out(session->talk, err);
    } else {
        roles_talk_refused(session->talk, err);
    }
    return false;
}

static bool all_ended(const RolesTalks *talks)
{
    for (size_t i = 0; i < talks->count; i++) {
        const Session *session = &talks->databases[i];
        if (session->state == SESSION_OPEN ||
            (session->state == SESSION_DUE && look_for(talks, session) == ROLES_DATABASE_READY)) {
            return false;
        }
    }
    return true;
}

static void note_end(RolesTalks *talks, Session *session, const Error *err)
{
    if (session->state == SESSION_ENDED) {
        return;
    }
    session->state = SESSION_ENDED;
    talks->open_count -= session == &talks->cluster ? 0 : 1;
    if (err != NULL && !talks->has_failed) {
        talks->has_failed = true;
        talks->err = *err;
    }
}

RolesTalkNext roles_talks_next(RolesTalks *talks, RolesSession *session, uint32_t random)
{
    RolesTalkNext next = roles_talk_next(session->talk, random);
    talks->holds = next.action == ROLES_TALK_HOLD || talks->holds;
    if (next.action == ROLES_TALK_HOLD && all_ended(talks)) {
        roles_talk_end(session->talk);
        next = roles_talk_next(session->talk, random);
    }
    if (next.action == ROLES_TALK_DONE || next.action == ROLES_TALK_FAILED) {
        note_end(talks, session_of(talks, session), next.err);
    }
    return next;
}

RolesSession *roles_talks_holder(RolesTalks *talks)
{
    bool holds = talks->holds && talks->cluster.state == SESSION_OPEN;
    return holds ? &talks->cluster.public : NULL;
}

bool roles_talks_is_over(const RolesTalks *talks)
{
    return talks->has_failed || talks->cluster.state == SESSION_ENDED;
}

bool roles_talks_end(RolesTalks *talks, RolesReport *ret_report, Error *err)
{
    assert(roles_talks_is_over(talks));
    roles_talk_move_report(talks->cluster.public.talk, ret_report);
    for (size_t i = 0; i < talks->count; i++) {
        roles_talk_move_report(talks->databases[i].public.talk, ret_report);
    }
    *err = talks->err;
    return !talks->has_failed;
}
