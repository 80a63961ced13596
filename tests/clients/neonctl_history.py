#!/usr/bin/env python3
"""neonctl's day with the past: branches from a time and from a position in the log, and a branch put
back to what it was, with what it had become kept under another name."""
import time

from neonctl import Neonctl
from stand import Stand, equal, holds, until

STAND = Stand("--operation-ms", "20")
CTL = Neonctl(STAND, "sandbox-solo-key")
PROJECT = CTL.json("projects", "create", "--name", "day", "--pg-version", "17")["project"]["id"]
CTL.text("set-context", "--project-id", PROJECT)
ROWS = "SELECT string_agg(n::text, ',' ORDER BY n) FROM visit"


def uri(branch):
    return CTL.text("connection-string", branch).strip()


def now():
    """By the database's clock, in milliseconds; what commits afterwards is later."""
    found = STAND.psql(MAIN, "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', "
                             "'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')")
    moment = time.time()
    until(lambda: time.time() > moment + 0.002, "the clock goes on")
    return found


MAIN = uri("main")
STAND.psql(MAIN, "CREATE TABLE visit (n int); INSERT INTO visit VALUES (1)")
ONE = now()
STAND.psql(MAIN, "INSERT INTO visit VALUES (2)")
TWO = STAND.psql(MAIN, "SELECT pg_current_wal_lsn()")
STAND.psql(MAIN, "DROP TABLE visit")

made = CTL.json("branches", "create", "--name", "yesterday", "--parent", ONE)
equal(STAND.psql(made["connection_uris"][0]["connection_uri"], ROWS), "1", "a branch from a time")
CTL.json("branches", "create", "--name", "noon", "--parent", TWO)
equal(STAND.psql(uri("noon"), ROWS), "1,2", "a branch from a position")
holds(CTL.error("branches", "restore", "main", f"^self@{TWO}"), "preserve")
restored = CTL.json("branches", "restore", "main", f"^self@{TWO}", "--preserve-under-name", "broken")
equal(restored["restored_branch"]["name"], "main", "the restored branch")
equal(STAND.psql(MAIN, ROWS), "1,2", "by the same URI as before")
CTL.json("branches", "add-compute", "broken", "--type", "read_write")
holds(STAND.psql(uri("broken"), ROWS, fails=True), 'relation "visit" does not exist')
holds(CTL.error("branches", "create", "--name", "never", "--parent", "2001-01-01T00:00:00Z"),
      "parent_timestamp is outside the project's history")
# Plans limit computes that read only; this one has none.
holds(CTL.error("branches", "add-compute", "main", "--type", "read_only"),
      "read_only endpoints limit exceeded")
