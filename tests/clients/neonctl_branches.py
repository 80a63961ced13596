#!/usr/bin/env python3
"""neonctl's day with branches: from a parent by name, by time and without data, with and without
computes, renamed, expiring, reset and restored; each branch's data are read with psql."""
from neonctl import Neonctl
from stand import Stand, equal, holds, instant, until

GUEST_SECONDS = 12
STAND = Stand("--operation-ms", "20")
CTL = Neonctl(STAND, "sandbox-solo-key")
PROJECT = CTL.json("projects", "create", "--name", "day", "--pg-version", "17")["project"]["id"]
CTL.text("set-context", "--project-id", PROJECT)


def psql(branch, sql, fails=False):
    return STAND.psql(CTL.text("connection-string", branch).strip(), sql, fails)


def names():
    return sorted(branch["name"] for branch in CTL.json("branches", "list"))


def check_parents():
    psql("main", "CREATE TABLE visit (n int); INSERT INTO visit VALUES (1)")
    made = CTL.json("branches", "create", "--name", "dev", "--parent", "main")
    equal(made["branch"]["parent_id"], CTL.json("branches", "get", "main")["id"], "dev's parent")
    equal(STAND.psql(made["connection_uris"][0]["connection_uri"], "SELECT n FROM visit"), "1",
          "dev has main's data, by the URI that the creation printed")
    psql("dev", "INSERT INTO visit VALUES (2)")
    CTL.json("branches", "create", "--name", "dev/child", "--parent", "dev")
    equal(psql("dev/child", "SELECT count(*) FROM visit"), "2", "a child of dev has dev's data")
    equal(psql("main", "SELECT count(*) FROM visit"), "1", "main is as it was")
    later = instant(7200)
    guest = CTL.json("branches", "create", "--name", "guest", "--parent", "main", "--no-compute",
                     "--expires-at", later)
    equal(guest["expires_at"], later, "the guest's expiry")
    holds(CTL.error("branches", "create", "--name", "x", "--parent", "guest"),
          "cannot create a child of a branch that expires")
    holds(CTL.error("branches", "create", "--name", "dev"), "already exists")
    holds(CTL.error("branches", "create", "--name", "x", "--parent", "nobody"), "nobody")
    equal(names(), ["dev", "dev/child", "guest", "main"], "branches")


def check_schema_only():
    made = CTL.json("branches", "create", "--name", "bare", "--schema-only")
    equal(made["branch"]["init_source"], "schema-only", "how it was made")
    equal(psql("bare", "SELECT count(*) FROM visit"), "0", "the table is there, its rows are not")
    CTL.json("branches", "delete", "bare")


def check_computes():
    made = CTL.json("branches", "create", "--name", "cold", "--no-compute")
    equal(CTL.json("branches", "get", "cold")["id"], made["id"], "a branch by its name")
    holds(CTL.error("connection-string", "cold"), "No  endpoint found for the branch")
    compute = CTL.json("branches", "add-compute", "cold", "--type", "read_write", "--cu", "1-2")
    equal((compute["type"], compute["autoscaling_limit_min_cu"],
           compute["autoscaling_limit_max_cu"]), ("read_write", 1, 2), "the compute")
    equal(psql("cold", "SELECT count(*) FROM visit"), "1", "a branch warmed up")
    holds(CTL.error("branches", "add-compute", "cold", "--type", "read_write"), "read_write")


def check_names_and_expiry():
    equal(CTL.json("branches", "rename", "dev", "feature")["name"], "feature", "renamed")
    holds(CTL.error("branches", "get", "dev"), "Branch dev not found")
    assert "expires_at" not in CTL.json("branches", "set-expiration", "guest"), "no expiry"
    equal(CTL.json("branches", "set-default", "feature")["default"], True, "the new default")
    equal(CTL.json("branches", "get", "main")["default"], False, "the old default")
    holds(CTL.error("branches", "delete", "feature"), "default")
    CTL.json("branches", "set-default", "main")
    soon = instant(GUEST_SECONDS)
    equal(CTL.json("branches", "set-expiration", "guest", "--expires-at", soon)["expires_at"], soon,
          "the expiry")


def check_restore():
    psql("main", "INSERT INTO visit VALUES (3), (4)")
    holds(CTL.error("branches", "reset", "feature"), "Only resetting to parent")
    holds(CTL.error("branches", "reset", "feature", "--parent"), "child")
    CTL.json("branches", "delete", "dev/child")
    CTL.json("branches", "reset", "feature", "--parent")
    equal(psql("feature", "SELECT string_agg(n::text, ',' ORDER BY n) FROM visit"), "1,3,4",
          "reset to its parent")
    psql("feature", "DELETE FROM visit")
    restored = CTL.json("branches", "restore", "feature", "^parent", "--preserve-under-name",
                        "feature-old")
    equal(restored["restored_branch"]["name"], "feature", "the restored branch")
    equal(psql("feature", "SELECT count(*) FROM visit"), "3", "restored")
    psql("main", "TRUNCATE visit")
    CTL.json("branches", "restore", "main", "feature", "--preserve-under-name", "main-empty")
    equal(psql("main", "SELECT count(*) FROM visit"), "3", "restored from another branch")
    assert {"cold", "feature", "feature-old", "main", "main-empty"} <= set(names()), "kept branches"


def check_end():
    until(lambda: "guest" not in names(), "an expired branch is gone", GUEST_SECONDS + 30)
    CTL.json("branches", "delete", "cold")
    assert "cold" not in names(), "a deleted branch is gone"
    holds(CTL.error("branches", "delete", "main"), "default")
    operations = CTL.json("operations", "list")
    assert {"create_timeline", "start_compute", "create_branch"} <= {
        operation["action"] for operation in operations}, "operations of the day"
    until(lambda: all(operation["status"] == "finished" for operation in
                      CTL.json("operations", "list")), "every operation ends")
    CTL.json("projects", "delete", PROJECT)


check_parents()
check_schema_only()
check_computes()
check_names_and_expiry()
check_restore()
check_end()
