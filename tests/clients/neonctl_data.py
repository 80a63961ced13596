#!/usr/bin/env python3
"""neonctl's day with what is inside of a branch: roles, databases, connection strings of every form
with a login through each, and schema diffs."""
import urllib.parse

from neonctl import Neonctl
from stand import Stand, equal, holds, lacks

STAND = Stand("--operation-ms", "20")
CTL = Neonctl(STAND, "sandbox-solo-key")
PROJECT = CTL.json("projects", "create", "--name", "day", "--pg-version", "17")["project"]["id"]
CTL.text("set-context", "--project-id", PROJECT)
WHO = "SELECT current_user, current_database(), (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid())"
VERIFIED = ("--ssl", "verify-full")


def uri(*options):
    return CTL.text("connection-string", *options).strip()


def query_of(text):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(text).query))


def host_of(text):
    return urllib.parse.urlsplit(text).hostname


def check_roles_and_databases():
    CTL.json("branches", "create", "--name", "dev", "--parent", "main")
    made = CTL.json("roles", "create", "--name", "app", "--branch", "dev")
    assert made["password"].startswith("npg_"), "a password comes with a new role"
    equal([role["name"] for role in CTL.json("roles", "list", "--branch", "dev")],
          ["neondb_owner", "app"], "roles of dev")
    equal([role["name"] for role in CTL.json("roles", "list", "--branch", "main")],
          ["neondb_owner"], "roles of main")
    holds(CTL.error("roles", "create", "--name", "app", "--branch", "dev"), "already exists")
    shop = CTL.json("databases", "create", "--name", "shop", "--owner-name", "app", "--branch", "dev")
    equal((shop["name"], shop["owner_name"]), ("shop", "app"), "the database")
    equal(sorted(database["name"] for database in CTL.json("databases", "list", "--branch", "dev")),
          ["neondb", "shop"], "databases of dev")
    holds(CTL.error("databases", "create", "--name", "x", "--owner-name", "nobody", "--branch",
                    "dev"), "nobody")


def check_connection_strings():
    direct = uri("main", *VERIFIED)
    equal(STAND.psql(direct, WHO), "neondb_owner|neondb|t", "login, direct")
    equal(query_of(direct), {"sslmode": "verify-full", "channel_binding": "require"}, "its options")
    pooled = uri("main", "--pooled", *VERIFIED)
    equal(host_of(pooled), host_of(direct).replace(".", "-pooler.", 1), "the pooler's name")
    equal(STAND.psql(pooled, WHO), "neondb_owner|neondb|t", "login, pooled")
    holds(CTL.error("connection-string", "dev"), "Multiple roles found for the branch")
    named = uri("dev", "--role-name", "app", "--database-name", "shop")
    equal(STAND.psql(named, WHO), "app|shop|t", "login, with a role and a database")
    equal(query_of(named)["sslmode"], "require", "what is asked for by default")
    prisma = uri("main", "--prisma", "--pooled")
    equal(query_of(prisma)["pgbouncer"], "true", "Prisma's option")
    told = CTL.json("connection-string", "main", "--extended")
    equal((told["role"], told["database"], told["host"]),
          ("neondb_owner", "neondb", host_of(direct)), "the parts of a connection string")
    equal(told["password"], urllib.parse.urlsplit(direct).password, "the password")
    bare = uri("main", "--ssl", "omit")
    equal(query_of(bare), {}, "no options")
    holds(STAND.psql(bare + "?sslmode=disable", "SELECT 1", fails=True), "connection is insecure (try using `sslmode=require`)")


def check_own_psql():
    """neonctl starts psql itself."""
    login = STAND.login_environment()
    said = CTL.run("psql", "main", "--", "-XAtc", WHO, **login)
    equal((said.returncode, said.stdout.strip()), (0, "neondb_owner|neondb|t"), "neonctl psql")
    said = CTL.run("connection-string", "main", "--psql", "--", "-XAtc", "SELECT 42", **login)
    equal((said.returncode, said.stdout.strip()), (0, "42"), "connection-string --psql")


def check_schema_diff():
    same = CTL.text("branches", "schema-diff", "main", "dev", "--database", "neondb")
    lacks(same, "@@")
    owner = uri("dev", "--role-name", "neondb_owner", "--database-name", "neondb")
    STAND.psql(owner, "CREATE TABLE book (id int PRIMARY KEY, title text NOT NULL)")
    diff = CTL.text("branches", "schema-diff", "main", "dev", "--database", "neondb")
    for line in ("+CREATE TABLE public.book (", "+    title text NOT NULL",
                 "ADD CONSTRAINT book_pkey PRIMARY KEY (id);"):
        holds(diff, line)
    lacks(diff, "\n-CREATE TABLE")
    back = CTL.text("branches", "schema-diff", "dev", "main", "--database", "neondb")
    holds(back, "-CREATE TABLE public.book (")
    entries = CTL.json("diff", "main", "--branch", "dev")
    equal(sorted(entry["database"] for entry in entries if entry["has_changes"]), ["neondb"],
          "databases that differ")
    holds(CTL.error("branches", "schema-diff", "main", "dev", "--database", "nowhere"), "nowhere")


def check_removal():
    holds(CTL.error("roles", "delete", "app", "--branch", "dev"), "app")
    equal(CTL.json("databases", "delete", "shop", "--branch", "dev")["name"], "shop", "deleted")
    old = uri("dev", "--role-name", "app", "--database-name", "neondb")
    equal(CTL.json("roles", "delete", "app", "--branch", "dev")["name"], "app", "deleted")
    holds(STAND.psql(old, "SELECT 1", fails=True), "password authentication failed")
    equal([role["name"] for role in CTL.json("roles", "list", "--branch", "dev")],
          ["neondb_owner"], "roles that are left")
    equal(CTL.text("roles", "delete", "app", "--branch", "dev"), "", "deleted before: nothing to say")
    equal(CTL.text("databases", "delete", "shop", "--branch", "dev"), "", "deleted before")


check_roles_and_databases()
check_connection_strings()
check_own_psql()
check_schema_diff()
check_removal()
CTL.json("projects", "delete", PROJECT)
