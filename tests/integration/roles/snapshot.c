#include "snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "rows.h"

enum { SNAPSHOT_BYTES_MAX = 16 * 1024 * 1024 };

// The privileges of a row with `owner`, `acl` and `kind` (acldefault's), spelled out.
#define ACL                                                                                        \
    "(SELECT string_agg(format('%s=%s/%s%s', a.grantee::regrole, a.privilege_type, "               \
    "a.grantor::regrole, CASE WHEN a.is_grantable THEN '*' END), ' ' ORDER BY "                    \
    "a.grantee::regrole::text, a.privilege_type, a.grantor::regrole::text) "                       \
    "FROM aclexplode(coalesce(acl, acldefault(kind, owner))) a)"

static const char SHARED[] =
    "SELECT string_agg(l, E'\\n' ORDER BY l) FROM ("
    "SELECT format('role %s %s %s', r.rolname, to_jsonb(r) - 'oid' - 'rolname' - 'rolpassword' "
    "|| jsonb_build_object('rolvaliduntil', coalesce(rolvaliduntil, 'infinity')), "
    "shobj_description(r.oid, 'pg_authid')) AS l FROM pg_authid r WHERE r.rolname !~ '^pg_' "
    "UNION ALL SELECT format('member %s of %s by %s %s', m.member::regrole, m.roleid::regrole, "
    "m.grantor::regrole, to_jsonb(m) - 'oid' - 'roleid' - 'member' - 'grantor') "
    "FROM pg_auth_members m "
    "UNION ALL SELECT format('database %s of %s: %s', name, owner::regrole, " ACL ") "
    "FROM (SELECT datname, datdba, datacl, 'd'::\"char\" FROM pg_database) d(name, owner, acl, "
    "kind) "
    "UNION ALL SELECT format('setting %s %s %s', "
    "(SELECT datname FROM pg_database WHERE oid = s.setdatabase), s.setrole::regrole, x) "
    "FROM pg_db_role_setting s, unnest(s.setconfig) x) y";

static const char LOCAL[] =
    "SELECT string_agg(current_database() || ' ' || l, E'\\n' ORDER BY l) FROM ("
    "SELECT format('%s of %s: %s', name, owner::regrole, " ACL ") AS l FROM ("
    "SELECT 'schema ' || nspname, nspowner, nspacl, 'n'::\"char\" FROM pg_namespace "
    "WHERE nspname !~ '^pg_' "
    "UNION ALL SELECT concat_ws(' ', relkind, CASE WHEN relrowsecurity THEN 'secured' END, "
    "oid::regclass), relowner, relacl, "
    "CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::\"char\" FROM pg_class "
    "WHERE oid >= 16384 AND relkind IN ('r', 'v', 'm', 'S', 'f', 'p') "
    "UNION ALL SELECT 'function ' || oid::regprocedure, proowner, proacl, 'f'::\"char\" "
    "FROM pg_proc WHERE oid >= 16384 "
    "UNION ALL SELECT 'type ' || oid::regtype, typowner, typacl, 'T'::\"char\" "
    "FROM pg_type WHERE oid >= 16384) o(name, owner, acl, kind) "
    "UNION ALL SELECT format('column %s.%s: %s', attrelid::regclass, attname, attacl) "
    "FROM pg_attribute WHERE attacl IS NOT NULL AND attacl <> '{}' AND attrelid >= 16384 "
    "UNION ALL SELECT format('default of %s in %s on %s for %s: %s by %s%s', "
    "d.defaclrole::regrole, d.defaclnamespace, d.defaclobjtype, a.grantee::regrole, "
    "a.privilege_type, a.grantor::regrole, a.is_grantable) "
    "FROM pg_default_acl d, aclexplode(d.defaclacl) a) y";

#define TUPLES(catalog) "SELECT '" catalog " ' || ctid || ' ' || xmin AS l FROM " catalog

static const char SHARED_TUPLES[] =
    "SELECT string_agg(l, E'\\n' ORDER BY l) FROM (" TUPLES("pg_authid") //
    " UNION ALL " TUPLES("pg_auth_members")                              //
    " UNION ALL " TUPLES("pg_database")                                  //
    " UNION ALL " TUPLES("pg_db_role_setting")                           //
    " UNION ALL " TUPLES("pg_shdepend")                                  //
    " UNION ALL " TUPLES("pg_shdescription") ") y";

static const char LOCAL_TUPLES[] =
    "SELECT string_agg(current_database() || ' ' || l, E'\\n' ORDER BY l) FROM (" //
    TUPLES("pg_class")                                                            //
    " UNION ALL " TUPLES("pg_namespace")                                          //
    " UNION ALL " TUPLES("pg_default_acl")                                        //
    " UNION ALL " TUPLES("pg_attribute")                                          //
    " UNION ALL " TUPLES("pg_proc")                                               //
    " UNION ALL " TUPLES("pg_type") ") y";

static void append(const Cluster *cluster, const char *database, const char *sql, Text *text)
{
    CLEANUP(cluster_finish) PGconn *connection = cluster_admin(cluster, database);
    CLEANUP(rows_free) char *lines = rows_value(connection, "%s", sql);
    text_append(text, lines == NULL ? "" : lines);
    text_append_char(text, '\n');
}

static bool has_database(const Cluster *cluster, const char *database)
{
    CLEANUP(cluster_finish) PGconn *connection = cluster_admin(cluster, "postgres");
    CLEANUP(rows_free) char *name = rows_literal(connection, database);
    return rows_is(connection, "SELECT count(*) = 1 FROM pg_database WHERE datname = %s", name);
}

static char *take(const Cluster *cluster, const json_t *databases, const char *shared,
                  const char *local)
{
    Text text = TEXT_INIT(SNAPSHOT_BYTES_MAX);
    append(cluster, "postgres", shared, &text);
    for (size_t i = 0; i < json_array_size(databases); i++) {
        const char *database = json_string_value(json_array_get(databases, i));
        if (has_database(cluster, database)) {
            append(cluster, database, local, &text);
        }
    }
    assert_true(text_ok(&text));
    return text.data;
}

char *snapshot_meaning(const Cluster *cluster, const json_t *databases)
{
    return take(cluster, databases, SHARED, LOCAL);
}

char *snapshot_tuples(const Cluster *cluster, const json_t *databases)
{
    return take(cluster, databases, SHARED_TUPLES, LOCAL_TUPLES);
}

static bool has_line(const char *text, const char *line, size_t length)
{
    for (const char *at = text; *at != '\0';) {
        size_t this_length = strcspn(at, "\n");
        if (this_length == length && memcmp(at, line, length) == 0) {
            return true;
        }
        at += this_length + (at[this_length] == '\n');
    }
    return false;
}

static bool print_only_in(const char *text, const char *other, const char *mark)
{
    bool is_equal = true;
    for (const char *at = text; *at != '\0';) {
        size_t length = strcspn(at, "\n");
        if (!has_line(other, at, length)) {
            print_message("    %s %.*s\n", mark, (int)length, at);
            is_equal = false;
        }
        at += length + (at[length] == '\n');
    }
    return is_equal;
}

bool snapshot_is_equal(const char *before, const char *after)
{
    if (strcmp(before, after) == 0) {
        return true;
    }
    bool none_gone = print_only_in(before, after, "-");
    bool none_new = print_only_in(after, before, "+");
    return none_gone && none_new;
}
