#include "base/text.h"
#include "roles/talk_parts.h"

// Whoever may connect may take an advisory lock, or stand in line for it: sessions of the bootstrap
// and the platform role are runs of ours, all others keep us away (from a password that leaked, for
// one). https://www.postgresql.org/docs/current/view-pg-locks.html has how a 64-bit key is shown.
#define OTHERS(kind)                                                                               \
    " FROM (SELECT DISTINCT a.pid, coalesce(a.usename::text, 'a dropped role') AS role "           \
    "FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid "              \
    "WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.database = (SELECT d.oid "             \
    "FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()) "              \
    "AND (l.classid::bigint << 32 | l.objid::bigint) = "                                           \
    "pg_catalog.hashtextextended($1::text || ':roles" kind "', 0) "                                \
    "AND coalesce(a.usename::text, '') NOT IN (session_user::text, $1::text || '_platform')) x"
#define NAME_OTHERS                                                                                \
    "SELECT coalesce(pg_catalog.string_agg(pg_catalog.format('%I, pid %s', role, "                 \
    "pid), '; ' ORDER BY pid), '')"
#define END_OTHERS "SELECT pg_catalog.pg_terminate_backend(pid)"

void talk_holder_build(RolesTalk *talk)
{
    bool is_cluster = talk->database == NULL;
    RolesMode mode = talk->task->mode;
    const char *prefix = roles_spec_prefix(talk->task->spec);
    talk_batch_begin(&talk->batch, true, false);
    talk_batch_add_with(&talk->batch,
                        is_cluster ? NAME_OTHERS OTHERS("") : NAME_OTHERS OTHERS(":database"),
                        prefix);
    // an owner's session knows nobody as its own kind, and a plan leaves everybody alone
    if (mode == ROLES_MODE_APPLY || mode == ROLES_MODE_PASSWORDS) {
        talk_batch_add_with(&talk->batch,
                            is_cluster ? END_OTHERS OTHERS("") : END_OTHERS OTHERS(":database"),
                            prefix);
    }
}

void talk_holder_learn(RolesTalk *talk, PGresult *const *results)
{
    text_clear(&talk->holder);
    talk->holder = TEXT_INIT(TALK_HOLDER_BYTES);
    if (!talk_has_failed(results[0])) {
        text_printf(&talk->holder, "%s", PQgetvalue(results[0], 0, 0));
    }
    talk_wait_for(talk, TALK_OPENS);
}
