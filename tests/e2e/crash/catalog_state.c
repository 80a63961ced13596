#include "crash/catalog_state.h"

#include "support/cmocka.h"
#include "support/login.h"

// Each query answers rows of two texts: what there is, under a name that nothing else has, and how
// it is. Names stand for oids; the order in which privileges were given doesn't count.

#define ACL(column)                                                                                \
    "CASE WHEN " column " IS NULL THEN 'default' ELSE (SELECT coalesce(string_agg(a::text, ' ' "   \
    "ORDER BY a::text COLLATE \"C\"), '') FROM unnest(" column ") a) END"

// $1: the branch's id, which the mark of its last apply has to name.
static const char OF_CLUSTER[] =
    "SELECT 'role ' || rolname, (to_jsonb(r) - '{oid,rolname,rolpassword}'::text[])::text "
    "FROM pg_roles r "
    "UNION ALL SELECT 'mark of ' || rolname, regexp_replace(replace(description, $1, "
    "'this branch'), '(platform this branch) [0-9]+$', '\\1') "
    "FROM pg_shdescription d JOIN pg_roles r ON r.oid = d.objoid "
    "WHERE d.classoid = 'pg_authid'::regclass "
    "UNION ALL SELECT format('%s in %s by %s', member::regrole, roleid::regrole, "
    "grantor::regrole), (to_jsonb(m) - '{oid,roleid,member,grantor}'::text[])::text "
    "FROM pg_auth_members m "
    "UNION ALL SELECT 'database ' || datname, format('of %s, connections %s %s: %s', "
    "datdba::regrole, datallowconn, datconnlimit, " ACL(
        "datacl") ") FROM pg_database "
                  "UNION ALL SELECT format('settings of %s in %s', setrole::regrole, "
                  "coalesce(datname, 'all databases')), setconfig::text "
                  "FROM pg_db_role_setting s LEFT JOIN pg_database d ON d.oid = s.setdatabase";

#define OF_USERS "nspname !~ '^pg_' AND nspname <> 'information_schema'"

static const char OF_DATABASE[] =
    "SELECT 'schema ' || nspname, format('of %s: %s', nspowner::regrole, " ACL(
        "nspacl") ") "
                  "FROM pg_namespace WHERE nspname !~ '^pg_(temp|toast)' "
                  "UNION ALL SELECT format('relation %I.%I, %s', nspname, relname, relkind), "
                  "format('of %s: %s', relowner::regrole, " ACL(
                      "relacl") ") "
                                "FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
                                "WHERE " OF_USERS " "
                                "UNION ALL SELECT format('column %I.%I.%I', nspname, relname, "
                                "attname), " ACL(
                                    "attacl") " "
                                              "FROM pg_attribute JOIN pg_class c ON c.oid = "
                                              "attrelid "
                                              "JOIN pg_namespace n ON n.oid = relnamespace WHERE "
                                              "attacl IS NOT NULL AND " OF_USERS " "
                                              "UNION ALL SELECT format('function %I.%I(%s)', "
                                              "nspname, proname, "
                                              "pg_get_function_identity_arguments(p.oid)), "
                                              "format('of %s: %s', proowner::regrole, " ACL(
                                                  "proacl") ") "
                                                            "FROM pg_proc p JOIN pg_namespace n ON "
                                                            "n.oid = pronamespace WHERE " OF_USERS
                                                            " "
                                                            "UNION ALL SELECT format('type %I.%I', "
                                                            "nspname, typname), "
                                                            "format('of %s: %s', "
                                                            "typowner::regrole, " ACL(
                                                                "typacl") ") "
                                                                          "FROM pg_type t JOIN "
                                                                          "pg_namespace n ON n.oid "
                                                                          "= typnamespace "
                                                                          "WHERE " OF_USERS " "
                                                                          "UNION ALL SELECT "
                                                                          "'extension ' || "
                                                                          "extname, 'of ' || "
                                                                          "extowner::regrole FROM "
                                                                          "pg_extension "
                                                                          "UNION ALL SELECT "
                                                                          "format('what %s makes "
                                                                          "in %s, %s', "
                                                                          "defaclrole::regrole, "
                                                                          "coalesce(nspname, 'all "
                                                                          "schemas'), "
                                                                          "defaclobjtype), " ACL(
                                                                              "defaclacl") " "
                                                                                           "FROM "
                                                                                           "pg_"
                                                                                           "default"
                                                                                           "_acl "
                                                                                           "LEFT "
                                                                                           "JOIN "
                                                                                           "pg_"
                                                                                           "namespa"
                                                                                           "ce n "
                                                                                           "ON "
                                                                                           "n.oid "
                                                                                           "= "
                                                                                           "defacln"
                                                                                           "amespac"
                                                                                           "e";

static const char DATABASES[] = "SELECT datname, '' FROM pg_database WHERE datallowconn";

// The state's roles are the API's and those of SQL; of these nobody is told the password.
static Environment find_login(World *world, const json_t *project, const json_t *branch,
                              const char **ret_password)
{
    size_t i = 0;
    const json_t *role = NULL;
    Environment login = {
        .project_id = box_string(project, "id"),
        .branch_id = box_string(branch, "id"),
        .host = box_string(branch, "endpoint.host"),
        .port = (int)box_integer(branch, "port"),
    };
    json_array_foreach(box_find(branch, "roles"), i, role)
    {
        login.role = json_string_value(role);
        *ret_password = sandbox_password(world, login.project_id, login.branch_id, login.role);
        if (*ret_password != NULL) {
            return login;
        }
    }
    fail_msg("no role of branch %s has a password that the API reveals", login.branch_id);
    return login;
}

PGconn *catalog_state_open(World *world, const json_t *project, const json_t *branch,
                           const char *database)
{
    const char *password = NULL;
    Environment login = find_login(world, project, branch, &password);
    login.database = database;
    PGconn *connection = login_open(world, &login, password);
    assert_non_null(connection);
    return connection;
}

// `branch_id`: $1, or NULL where there is none.
static json_t *read_rows(PGconn *connection, const char *sql, const char *branch_id)
{
    json_t *found = json_object();
    PGresult *rows =
        PQexecParams(connection, sql, branch_id == NULL ? 0 : 1, NULL, &branch_id, NULL, NULL, 0);
    if (PQresultStatus(rows) != PGRES_TUPLES_OK) {
        fail_msg("%s", PQerrorMessage(connection));
    }
    assert_true(PQntuples(rows) > 0);
    for (int row = 0; row < PQntuples(rows); row++) {
        const char *name = PQgetvalue(rows, row, 0);
        if (json_object_get(found, name) != NULL) {
            fail_msg("two are called %s", name);
        }
        json_object_set_new(found, name, json_string(PQgetvalue(rows, row, 1)));
    }
    PQclear(rows);
    return found;
}

json_t *catalog_state_read(World *world, const json_t *project, const json_t *branch)
{
    json_t *catalogs = json_object();
    const char *database = NULL;
    json_t *nothing = NULL;
    PGconn *connection = catalog_state_open(world, project, branch, "postgres");
    json_object_set_new(catalogs, "", read_rows(connection, OF_CLUSTER, box_string(branch, "id")));
    json_t *databases = read_rows(connection, DATABASES, NULL);
    PQfinish(connection);
    json_object_foreach(databases, database, nothing)
    {
        connection = catalog_state_open(world, project, branch, database);
        json_object_set_new(catalogs, database, read_rows(connection, OF_DATABASE, NULL));
        PQfinish(connection);
    }
    json_decref(databases);
    return catalogs;
}
