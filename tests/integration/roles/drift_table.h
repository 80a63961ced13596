/*
 * What may have changed behind our back since a set-up, one row an injection. `main` and `other`
 * are databases of ours.
 */
#ifndef ROLES_TEST_DRIFT_TABLE_H
#define ROLES_TEST_DRIFT_TABLE_H

#include <stdbool.h>

#include "neon_like.h"

typedef enum DriftEnd {
    DRIFT_REPAIRED,    // as it was before
    DRIFT_REPAIRED_16, // from 16 on; before that only a superuser could, so it is blocked
    DRIFT_REPAIRED_15, // up to 15; from 16 on nobody but who did it could, so it is blocked
    DRIFT_BLOCKED,     // reported; `undo` ends it
    DRIFT_FOUND,       // worth knowing, nothing to repair; `undo` ends it
    DRIFT_ADOPTED,     // repaired; who owned it goes on working as its admin role
    DRIFT_HANDED_OVER, // as adopted; from 16 on in a session of the owner, whom the report names
} DriftEnd;

typedef struct Drift {
    const char *name;
    const char *database;
    const char *user;     // NULL: cloud_admin
    const char *sql;      // may hold several statements
    const char *mentions; // stands in the object, reason or statement of what a plan says
    DriftEnd end;
    const char *undo;  // by cloud_admin, where it is not repaired
    int since;         // major version
    bool extra;        // something is too much and nothing is missing: stays where the policy is
                       // additive
    const char *login; // "role database": what it breaks and the repair brings back
} Drift;

#define DRIFT_PLATFORM "encore_platform"
// By the bootstrap role, with a password that it knows. Goes on as the platform role.
#define DRIFT_MADE_BY_ANOTHER(role)                                                                \
    "DROP ROLE " role "; SET SESSION AUTHORIZATION neondb_owner; CREATE ROLE " role                \
    " LOGIN PASSWORD 'known'; SET SESSION AUTHORIZATION " DRIFT_PLATFORM ";"

static const Drift DRIFTS[] = {
    // Roles and their attributes.
    {"a service's role is missing", "postgres", NULL, "DROP ROLE svc_none", "svc_none",
     .end = DRIFT_REPAIRED, .login = "svc_none postgres"},
    {"a service's role with memberships is missing", "postgres", NULL, "DROP ROLE svc_reader",
     "svc_reader", .end = DRIFT_REPAIRED, .login = "svc_reader main"},
    {"a global role is missing", "postgres", NULL, "DROP ROLE encore_reader", "encore_reader",
     .end = DRIFT_REPAIRED, .login = "encore_reader main"},
    {"a service may make roles", "postgres", NULL, "ALTER ROLE svc_reader CREATEROLE", "CREATEROLE",
     .end = DRIFT_REPAIRED, .extra = true},
    {"a service may make databases", "postgres", NULL, "ALTER ROLE svc_reader CREATEDB", "CREATEDB",
     .end = DRIFT_REPAIRED, .extra = true},
    {"a service can't log in", "postgres", NULL, "ALTER ROLE svc_reader NOLOGIN", "svc_reader",
     .end = DRIFT_REPAIRED, .login = "svc_reader main"},
    {"a service doesn't inherit", "postgres", NULL, "ALTER ROLE svc_reader NOINHERIT", "svc_reader",
     .end = DRIFT_REPAIRED},
    {"a service is a superuser", "postgres", NULL, "ALTER ROLE svc_reader SUPERUSER", "svc_reader",
     .end = DRIFT_BLOCKED, .undo = "ALTER ROLE svc_reader NOSUPERUSER"},
    {"a service bypasses row security", "postgres", NULL, "ALTER ROLE svc_writer BYPASSRLS",
     "NOBYPASSRLS", .end = DRIFT_REPAIRED_16, .undo = "ALTER ROLE svc_writer NOBYPASSRLS",
     .extra = true},
    {"a service may replicate", "postgres", NULL, "ALTER ROLE svc_writer REPLICATION", "svc_writer",
     .end = DRIFT_REPAIRED_16, .undo = "ALTER ROLE svc_writer NOREPLICATION", .extra = true},
    {"a group can log in", "postgres", NULL, "ALTER ROLE db_main_reader LOGIN PASSWORD 'known'",
     "db_main_reader", .end = DRIFT_REPAIRED, .extra = true},
    {"an admin group may make roles", "postgres", NULL, "ALTER ROLE db_main_admin CREATEROLE",
     "db_main_admin", .end = DRIFT_REPAIRED, .extra = true},
    {"the platform role may not make roles", "postgres", NULL,
     "ALTER ROLE encore_platform NOCREATEROLE", "encore_platform", .end = DRIFT_REPAIRED},
    {"the platform role may not make databases", "postgres", NULL,
     "ALTER ROLE encore_platform NOCREATEDB", "encore_platform", .end = DRIFT_REPAIRED},
    {"the platform role can't log in", "postgres", NULL, "ALTER ROLE encore_platform NOLOGIN",
     "encore_platform", .end = DRIFT_REPAIRED, .login = "encore_platform main"},
    {"the global admin inherits", "postgres", NULL, "ALTER ROLE encore_admin INHERIT",
     "encore_admin", .end = DRIFT_REPAIRED, .extra = true},
    {"a global role has a connection limit", "postgres", NULL,
     "ALTER ROLE encore_reader CONNECTION LIMIT 0", "encore_reader", .end = DRIFT_REPAIRED,
     .login = "encore_reader main"},
    {"a service's password has expired", "postgres", NULL,
     "ALTER ROLE svc_reader VALID UNTIL '2001-01-01'", "svc_reader", .end = DRIFT_REPAIRED,
     .login = "svc_reader main"},
    {"a global role's password has expired", "postgres", NULL,
     "ALTER ROLE encore_reader VALID UNTIL '2001-01-01'", "encore_reader", .end = DRIFT_REPAIRED,
     .login = "encore_reader main"},
    {"the mark is missing", "postgres", NULL, "COMMENT ON ROLE svc_reader IS NULL", "svc_reader",
     .end = DRIFT_REPAIRED},
    {"the mark is another role's", "postgres", NULL,
     "COMMENT ON ROLE svc_reader IS 'encore-managed svc \"writer\"'", "svc_reader",
     .end = DRIFT_REPAIRED},
    {"a service has another password", "postgres", NULL,
     "ALTER ROLE svc_reader PASSWORD 'Other-0123456789012345678901234'", "svc_reader",
     .end = DRIFT_REPAIRED, .login = "svc_reader main"},
    {"a service has no password", "postgres", NULL, "ALTER ROLE svc_reader PASSWORD NULL",
     "svc_reader", .end = DRIFT_REPAIRED, .login = "svc_reader main"},
    {"the platform role has another password", "postgres", NULL,
     "ALTER ROLE encore_platform PASSWORD 'Other-0123456789012345678901234'", "encore_platform",
     .end = DRIFT_REPAIRED, .login = "encore_platform main"},
    {"a global role has another password", "postgres", NULL,
     "ALTER ROLE encore_admin PASSWORD 'Other-0123456789012345678901234'", "encore_admin",
     .end = DRIFT_REPAIRED, .login = "encore_admin main"},
    {"Neon has made a service's role again", "postgres", NULL,
     "DROP ROLE svc_none;" NEON_LIKE_API_ROLE("svc_none"), "svc_none", .end = DRIFT_BLOCKED,
     .undo = "DROP ROLE svc_none"},
    // up to 15 CREATEROLE is enough to administer it: it is ours again, with another password
    {"somebody has made a service's role again", "postgres", NULL,
     DRIFT_MADE_BY_ANOTHER("svc_mig") "GRANT db_main_admin TO svc_mig", "svc_mig",
     .end = DRIFT_REPAIRED_15, .undo = "DROP ROLE svc_mig"},
    // nothing may hinder the DROP
    {"somebody has made a database's role again", "other", NULL,
     "DROP OWNED BY db_other_reader;" DRIFT_MADE_BY_ANOTHER("db_other_reader") "SELECT",
     "db_other_reader", .end = DRIFT_REPAIRED_15, .undo = "DROP ROLE db_other_reader"},
    {"a service works as admin in all databases", "postgres", NULL,
     "ALTER ROLE svc_writer SET role TO 'db_main_admin'", "svc_writer", .end = DRIFT_REPAIRED,
     .extra = true},

    // Memberships.
    {"a service isn't in its reader group", "postgres", DRIFT_PLATFORM,
     "REVOKE db_main_reader FROM svc_reader", "db_main_reader", .end = DRIFT_REPAIRED,
     .login = "svc_reader main"},
    {"the writer group isn't in the reader group", "postgres", DRIFT_PLATFORM,
     "REVOKE db_main_reader FROM db_main_writer", "db_main_writer", .end = DRIFT_REPAIRED},
    {"the global admin isn't in an admin group", "postgres", DRIFT_PLATFORM,
     "REVOKE db_main_admin FROM encore_admin", "encore_admin", .end = DRIFT_REPAIRED},
    {"the platform role isn't in an admin group", "postgres", DRIFT_PLATFORM,
     "REVOKE db_main_admin FROM encore_platform", "encore_platform", .end = DRIFT_REPAIRED},
    {"the bootstrap role can't be the platform role", "postgres", "neondb_owner",
     "REVOKE encore_platform FROM neondb_owner", "encore_platform", .end = DRIFT_REPAIRED},
    {"a reader is a writer", "postgres", DRIFT_PLATFORM, "GRANT db_main_writer TO svc_reader",
     "svc_reader", .end = DRIFT_REPAIRED, .extra = true},
    {"a service is in another database's group", "postgres", DRIFT_PLATFORM,
     "GRANT db_other_reader TO svc_reader", "svc_reader", .end = DRIFT_REPAIRED, .extra = true},
    {"a membership doesn't inherit", "postgres", DRIFT_PLATFORM,
     "GRANT db_main_reader TO svc_reader WITH INHERIT FALSE", "svc_reader", .end = DRIFT_REPAIRED,
     .since = 16, .login = "svc_reader main"},
    {"a membership may be taken on", "postgres", DRIFT_PLATFORM,
     "GRANT db_main_writer TO svc_writer WITH SET TRUE", "svc_writer", .end = DRIFT_REPAIRED,
     .since = 16, .extra = true},
    {"a membership has ADMIN", "postgres", DRIFT_PLATFORM,
     "GRANT db_main_reader TO svc_reader WITH ADMIN OPTION", "svc_reader", .end = DRIFT_REPAIRED,
     .extra = true},
    {"a member with ADMIN has passed it on", "postgres", DRIFT_PLATFORM,
     "GRANT db_main_reader TO svc_reader WITH ADMIN OPTION;"
     "SET SESSION AUTHORIZATION svc_reader; GRANT db_main_reader TO stranger",
     "stranger", .end = DRIFT_REPAIRED, .extra = true},
    {"a superuser has granted a membership", "postgres", NULL, "GRANT db_main_writer TO svc_reader",
     "svc_reader", .end = DRIFT_REPAIRED_15, .undo = "REVOKE db_main_writer FROM svc_reader",
     .extra = true},
    {"Neon has put a service into neon_superuser", "postgres", NULL,
     "GRANT neon_superuser TO svc_writer", "neon_superuser", .end = DRIFT_REPAIRED_15,
     .undo = "REVOKE neon_superuser FROM svc_writer", .extra = true},
    {"a stranger is in a group of ours", "postgres", DRIFT_PLATFORM,
     "GRANT db_main_reader TO stranger", "stranger", .end = DRIFT_REPAIRED, .extra = true},
    {"a stranger is in a service's role", "postgres", DRIFT_PLATFORM,
     "GRANT svc_writer TO stranger", "stranger", .end = DRIFT_REPAIRED, .extra = true},
    {"a stranger is in the platform role", "postgres", "neondb_owner",
     "GRANT encore_platform TO stranger", "stranger", .end = DRIFT_REPAIRED, .extra = true},
    {"a service is in a stranger's group", "postgres", "neondb_owner",
     "GRANT pg_monitor TO svc_reader", "pg_monitor", .end = DRIFT_REPAIRED, .extra = true},

    // Databases.
    {"PUBLIC may connect", "main", NULL, "GRANT CONNECT ON DATABASE main TO PUBLIC", "PUBLIC",
     .end = DRIFT_REPAIRED, .extra = true},
    {"PUBLIC may make temporary tables", "main", NULL, "GRANT TEMPORARY ON DATABASE main TO PUBLIC",
     "PUBLIC", .end = DRIFT_REPAIRED, .extra = true},
    {"readers can't connect", "main", NULL, "REVOKE CONNECT ON DATABASE main FROM db_main_reader",
     "db_main_reader", .end = DRIFT_REPAIRED, .login = "svc_reader main"},
    {"Neon's console can't connect", "main", NULL,
     "REVOKE ALL ON DATABASE main FROM neon_superuser", "neon_superuser", .end = DRIFT_REPAIRED},
    {"a service may make schemas", "main", NULL, "GRANT CREATE ON DATABASE main TO svc_writer",
     "svc_writer", .end = DRIFT_REPAIRED, .extra = true},
    {"nobody may connect to a database", "postgres", NULL,
     "ALTER DATABASE other CONNECTION LIMIT 0", "nobody may connect", .end = DRIFT_REPAIRED,
     .extra = true, .login = "encore_reader other"},
    {"a database allows no connections", "postgres", DRIFT_PLATFORM,
     "SET ROLE db_other_admin; ALTER DATABASE other ALLOW_CONNECTIONS false", "nobody may connect",
     .end = DRIFT_REPAIRED, .extra = true, .login = "encore_reader other"},
    {"a database is missing", "postgres", NULL, "DROP DATABASE other", "other",
     .end = DRIFT_REPAIRED, .login = "encore_reader other"},

    // Schemas.
    {"PUBLIC may create in a schema", "main", NULL, "GRANT CREATE ON SCHEMA public TO PUBLIC",
     "PUBLIC", .end = DRIFT_REPAIRED, .extra = true},
    {"readers don't see a schema", "main", NULL, "REVOKE USAGE ON SCHEMA app FROM db_main_reader",
     "app", .end = DRIFT_REPAIRED},
    {"a service may create in a schema", "main", NULL, "GRANT CREATE ON SCHEMA app TO svc_writer",
     "svc_writer", .end = DRIFT_REPAIRED, .extra = true},
    {"writers may grant a schema", "main", NULL,
     "GRANT USAGE ON SCHEMA app TO db_main_writer WITH GRANT OPTION", "db_main_writer",
     .end = DRIFT_REPAIRED, .extra = true},

    // Tables, views, sequences, columns.
    {"readers can't read a table", "main", NULL, "REVOKE SELECT ON app.t FROM db_main_reader",
     "app.t", .end = DRIFT_REPAIRED},
    {"readers can't read a view", "main", NULL, "REVOKE SELECT ON app.v FROM db_main_reader",
     "app.v", .end = DRIFT_REPAIRED},
    {"readers can't read a materialized view", "main", NULL,
     "REVOKE ALL ON app.m FROM db_main_reader", "app.m", .end = DRIFT_REPAIRED},
    {"writers can't insert", "main", NULL, "REVOKE INSERT ON app.t FROM db_main_writer", "app.t",
     .end = DRIFT_REPAIRED},
    {"writers can truncate", "main", NULL, "GRANT TRUNCATE ON app.t TO db_main_writer", "app.t",
     .end = DRIFT_REPAIRED, .extra = true},
    {"a service has a table for itself", "main", NULL, "GRANT SELECT ON app.t TO svc_none", "app.t",
     .end = DRIFT_REPAIRED, .extra = true},
    {"readers may grant a table", "main", NULL,
     "GRANT SELECT ON app.t TO db_main_reader WITH GRANT OPTION", "app.t", .end = DRIFT_REPAIRED,
     .extra = true},
    {"readers can update a column", "main", NULL, "GRANT UPDATE (x) ON app.t TO db_main_reader",
     "app.t", .end = DRIFT_REPAIRED, .extra = true},
    {"writers can't use a sequence", "main", NULL, "REVOKE USAGE ON app.s FROM db_main_writer",
     "app.s", .end = DRIFT_REPAIRED},
    {"readers can set a sequence", "main", NULL, "GRANT UPDATE ON app.s TO db_main_reader", "app.s",
     .end = DRIFT_REPAIRED, .extra = true},
    {"PUBLIC can read a table", "main", NULL, "GRANT SELECT ON app.t TO PUBLIC", "app.t",
     .end = DRIFT_FOUND, .undo = "REVOKE SELECT ON app.t FROM PUBLIC"},
    {"a table has row security", "main", NULL, "ALTER TABLE app.t ENABLE ROW LEVEL SECURITY",
     "app.t", .end = DRIFT_FOUND, .undo = "ALTER TABLE app.t DISABLE ROW LEVEL SECURITY"},

    // Owners.
    {"a table belongs to the bootstrap role", "main", NULL,
     "ALTER TABLE app.t OWNER TO neondb_owner", "app.t", .end = DRIFT_REPAIRED},
    {"a schema belongs to the bootstrap role", "main", NULL,
     "ALTER SCHEMA app OWNER TO neondb_owner", "app", .end = DRIFT_REPAIRED},
    {"a function belongs to a service", "main", NULL, "ALTER FUNCTION app.f() OWNER TO svc_writer",
     "app.f", .end = DRIFT_REPAIRED},
    {"a table belongs to a service", "main", NULL, "ALTER TABLE app.t OWNER TO svc_mig", "app.t",
     .end = DRIFT_REPAIRED},
    {"a type belongs to an SQL-made role", "main", NULL, "ALTER TYPE app.e OWNER TO legacy_sql",
     "app.e", .end = DRIFT_REPAIRED},
    {"a table belongs to another API role", "main", NULL, "ALTER TABLE app.t OWNER TO legacy_api",
     "legacy_api", .end = DRIFT_HANDED_OVER},

    // Default privileges.
    {"new tables aren't for readers", "main", NULL,
     "ALTER DEFAULT PRIVILEGES FOR ROLE db_main_admin REVOKE SELECT ON TABLES FROM db_main_reader",
     "db_main_reader", .end = DRIFT_REPAIRED},
    {"new schemas aren't for readers", "main", NULL,
     "ALTER DEFAULT PRIVILEGES FOR ROLE db_main_admin REVOKE USAGE ON SCHEMAS FROM db_main_reader",
     "SCHEMAS", .end = DRIFT_REPAIRED},
    {"new large objects aren't for readers", "main", NULL,
     "ALTER DEFAULT PRIVILEGES FOR ROLE db_main_admin REVOKE SELECT ON LARGE OBJECTS "
     "FROM db_main_reader",
     "LARGE OBJECTS", .end = DRIFT_REPAIRED, .since = 18},
    {"writers can truncate new tables", "main", NULL,
     "ALTER DEFAULT PRIVILEGES FOR ROLE db_main_admin GRANT TRUNCATE ON TABLES TO db_main_writer",
     "db_main_writer", .end = DRIFT_REPAIRED, .extra = true},
    {"readers can insert into new tables of a schema", "main", NULL,
     "ALTER DEFAULT PRIVILEGES FOR ROLE db_main_admin IN SCHEMA app GRANT INSERT ON TABLES TO "
     "db_main_reader",
     "db_main_reader", .end = DRIFT_REPAIRED, .extra = true},
    {"a service has new functions for itself", "main", NULL,
     "ALTER DEFAULT PRIVILEGES FOR ROLE db_main_admin GRANT EXECUTE ON FUNCTIONS TO svc_none",
     "svc_none", .end = DRIFT_REPAIRED, .extra = true},

    // Role settings.
    {"a migrating service doesn't work as admin", "main", NULL,
     "ALTER ROLE svc_mig IN DATABASE main RESET role", "svc_mig", .end = DRIFT_REPAIRED},
    {"a writer works as admin", "main", NULL,
     "ALTER ROLE svc_writer IN DATABASE main SET role TO 'db_main_admin'", "svc_writer",
     .end = DRIFT_REPAIRED, .extra = true},
    {"a migrating service works as somebody else", "main", NULL,
     "ALTER ROLE svc_mig IN DATABASE main SET role TO 'db_main_writer'", "svc_mig",
     .end = DRIFT_REPAIRED},

    // Who owned a database goes on working in it.
    {"a database belongs to the bootstrap role", "postgres", NULL,
     "ALTER DATABASE main OWNER TO neondb_owner", "main", .end = DRIFT_REPAIRED},
    {"a database belongs to another API role", "postgres", NULL,
     "ALTER DATABASE other OWNER TO legacy_api", "legacy_api", .end = DRIFT_HANDED_OVER},
};

#endif
