/*
 * Who may do what after a set-up: one row an action, one column a role. Letters of `expect`:
 *   A allowed   D denied   o only up to 15   y only from 16 on
 *   a allowed up to 15, and where the role owned the database before it was adopted
 *   r as a, and from 17 on (pg_maintain)
 *   p allowed in schema public; in others up to 15
 * Up to 15 encore_platform inherits from db_<db>_admin, and neondb_owner from encore_platform.
 */
#ifndef ROLES_TEST_MATRIX_TABLE_H
#define ROLES_TEST_MATRIX_TABLE_H

enum { MATRIX_ROLES = 10 };

// The columns of `expect`. neondb_owner is the bootstrap role; svc_none may use no database, and
// nobody made stranger a member of anything.
#define MATRIX_ROLE_NAMES                                                                          \
    {                                                                                              \
        "svc_reader", "svc_writer", "svc_mig", "encore_reader", "encore_writer", "encore_admin",   \
            "encore_platform", "neondb_owner", "svc_none", "stranger"                              \
    }

typedef enum MatrixScope {
    MATRIX_OBJECT,   // for each set of objects: $t table, $v view, $m materialized view, $s
                     // sequence, $f function, $n their schema
    MATRIX_DATABASE, // for each managed database: $d, its roles $a (admin) and $w (writer)
    MATRIX_CLUSTER,  // in database postgres, where everybody may connect
} MatrixScope;

typedef struct MatrixAction {
    MatrixScope scope;
    const char *name;
    const char *sql; // rolled back; but for CREATE DATABASE, which takes no transaction
    const char *expect;
} MatrixAction;

#define MATRIX_READ "AAAAAAoADD"
#define MATRIX_WRITE "DAADAAoADD"
#define MATRIX_OWN "DDADDAoaDD"
#define MATRIX_MANAGE "DDDDDDAADD"
#define MATRIX_NOBODY "DDDDDDDDDD"

static const MatrixAction MATRIX_ACTIONS[] = {
    {MATRIX_OBJECT, "select from table", "SELECT * FROM $t", MATRIX_READ},
    {MATRIX_OBJECT, "select from view", "SELECT * FROM $v", MATRIX_READ},
    {MATRIX_OBJECT, "select from matview", "SELECT * FROM $m", MATRIX_READ},
    {MATRIX_OBJECT, "select from sequence", "SELECT last_value FROM $s", MATRIX_READ},
    {MATRIX_OBJECT, "insert", "INSERT INTO $t (x) VALUES (1)", MATRIX_WRITE},
    {MATRIX_OBJECT, "insert through view", "INSERT INTO $v (x) VALUES (1)", MATRIX_WRITE},
    {MATRIX_OBJECT, "update", "UPDATE $t SET x = 2", MATRIX_WRITE},
    {MATRIX_OBJECT, "delete", "DELETE FROM $t", MATRIX_WRITE},
    {MATRIX_OBJECT, "select for update", "SELECT * FROM $t FOR UPDATE", MATRIX_WRITE},
    {MATRIX_OBJECT, "nextval", "SELECT nextval('$s')", MATRIX_WRITE},
    {MATRIX_OBJECT, "setval", "SELECT setval('$s', 5)", MATRIX_WRITE},
    {MATRIX_OBJECT, "truncate", "TRUNCATE $t", MATRIX_OWN},
    {MATRIX_OBJECT, "alter table", "ALTER TABLE $t ADD COLUMN z int", MATRIX_OWN},
    {MATRIX_OBJECT, "drop table", "DROP TABLE $t CASCADE", MATRIX_OWN},
    {MATRIX_OBJECT, "create index", "CREATE INDEX ON $t (x)", MATRIX_OWN},
    {MATRIX_OBJECT, "grant", "GRANT SELECT ON $t TO svc_none", MATRIX_OWN},
    {MATRIX_OBJECT, "replace function",
     "CREATE OR REPLACE FUNCTION $f() RETURNS int LANGUAGE sql AS 'SELECT 2'", MATRIX_OWN},
    {MATRIX_OBJECT, "alter view", "ALTER VIEW $v SET (security_barrier)", MATRIX_OWN},
    {MATRIX_OBJECT, "create table", "CREATE TABLE $n.made (x int)", MATRIX_OWN},
    {MATRIX_OBJECT, "publish", "CREATE PUBLICATION made FOR TABLE $t", MATRIX_OWN},
    {MATRIX_OBJECT, "refresh matview", "REFRESH MATERIALIZED VIEW $m", "DDADDAorDD"},
    {MATRIX_OBJECT, "execute", "SELECT $f()", "AAAAAApADD"},

    {MATRIX_DATABASE, "connect", "SELECT 1", "AAAAAAAADD"},
    {MATRIX_DATABASE, "create temporary table", "CREATE TEMP TABLE made (x int)", MATRIX_WRITE},
    {MATRIX_DATABASE, "create schema", "CREATE SCHEMA made", MATRIX_OWN},
    {MATRIX_DATABASE, "create table in public", "CREATE TABLE public.made (x int)", MATRIX_OWN},
    {MATRIX_DATABASE, "create function",
     "CREATE FUNCTION public.made() RETURNS int LANGUAGE sql AS 'SELECT 1'", MATRIX_OWN},
    {MATRIX_DATABASE, "create type", "CREATE TYPE public.made AS ENUM ('a')", MATRIX_OWN},
    {MATRIX_DATABASE, "trusted extension", "CREATE EXTENSION hstore", MATRIX_OWN},
    {MATRIX_DATABASE, "untrusted extension", "CREATE EXTENSION file_fdw", MATRIX_NOBODY},
    {MATRIX_DATABASE, "alter database", "ALTER DATABASE $d SET work_mem = '5MB'", MATRIX_OWN},
    {MATRIX_DATABASE, "read a file", "SELECT pg_read_file('PG_VERSION')", MATRIX_NOBODY},
    {MATRIX_DATABASE, "run a program", "COPY (SELECT 1) TO PROGRAM 'true'", MATRIX_NOBODY},
    {MATRIX_DATABASE, "become admin", "SET ROLE $a", "DDADDAAADD"},
    {MATRIX_DATABASE, "become writer", "SET ROLE $w", "DooDooooDD"},
    {MATRIX_DATABASE, "create large object", "SELECT lo_create(0)", "AAAAAAAADD"},

    {MATRIX_CLUSTER, "connect to postgres", "SELECT 1", "AAAAAAAAAA"},
    {MATRIX_CLUSTER, "create role", "CREATE ROLE made", MATRIX_MANAGE},
    {MATRIX_CLUSTER, "create database", "CREATE DATABASE made", MATRIX_MANAGE},
    {MATRIX_CLUSTER, "set another's password",
     "ALTER ROLE svc_elsewhere PASSWORD 'Pw0123456789012345678901234567'", MATRIX_MANAGE},
    {MATRIX_CLUSTER, "grant a database's role", "GRANT db_main_reader TO svc_elsewhere",
     MATRIX_MANAGE},
    {MATRIX_CLUSTER, "set the own password",
     "ALTER ROLE SESSION_USER PASSWORD 'Pw0123456789012345678901234567'", "AAAAAAAyAA"},
    {MATRIX_CLUSTER, "read verifiers", "SELECT rolpassword FROM pg_authid", "DDDDDDDADD"},
    {MATRIX_CLUSTER, "become neon_superuser", "SET ROLE neon_superuser", "DDDDDDDADD"},
    {MATRIX_CLUSTER, "grant neon_superuser", "GRANT neon_superuser TO svc_none", "DDDDDDooDD"},
    {MATRIX_CLUSTER, "grant pg_read_all_data", "GRANT pg_read_all_data TO svc_none", "DDDDDDooDD"},
    {MATRIX_CLUSTER, "become encore_platform", "SET ROLE encore_platform", "DDDDDDAADD"},
};

#endif
