"""Shows of a campaign's own evidence that the checker would have found what is wrong: each mutation
plants one fault, which the check named beside it has to find."""
import copy

import checker

LATE_MS = 60000


def _first(records, condition):
    return next(record for record in records if condition(record))


def _events(found):
    return found["topics"]["events"]


def _is_plain(record):
    """Of a command with one outcome, told for the first time."""
    return ("replayed" not in record["headers"] and "sequence" in record["form"]
            and "accountInventory" not in record["form"])


def drop_outcome(found):
    _events(found).remove(_first(_events(found), _is_plain))


def double_outcome(found):
    record = _first(_events(found), _is_plain)
    _events(found).append(copy.deepcopy(record))


def drop_replay(found):
    replayed = [record for record in _events(found) if "replayed" in record["headers"]]
    _events(found).remove(replayed[0])


def unmark_replay(found):
    del _first(_events(found), lambda record: "replayed" in record["headers"])["headers"]["replayed"]


def raise_sequence(found):
    record = [record for record in _events(found) if _is_plain(record)][-1]
    record["form"]["sequence"] = str(int(record["form"]["sequence"]) + 1)


def swap_events(found):
    """Two of one subject: both are there, in the wrong order."""
    one = _first(_events(found), lambda record: _is_plain(record) and record["form"]["sequence"] == "1" and any(
        other["form"].get("sequence") == "2" and other["form"]["subject"] == record["form"]["subject"]
        for other in _events(found)))
    other = _first(_events(found), lambda record: _is_plain(record) and record["form"]["sequence"] == "2"
                   and record["form"]["subject"] == one["form"]["subject"])
    first, second = _events(found).index(one), _events(found).index(other)
    _events(found)[first], _events(found)[second] = other, one


def turn_refusal(found):
    record = _first(_events(found), lambda r: r["form"].get("commandRejected", {}).get("code") == "HAS_DEPENDENTS"
                    or r["form"].get("commandRejected", {}).get("code") == "ENVIRONMENT_UNKNOWN")
    record["form"]["commandRejected"]["code"] = "REGION_UNKNOWN"


def fail_without_reason(found):
    record = _first(_events(found), lambda record: _is_plain(record) and "environmentCreated" in record["form"])
    record["form"]["commandFailed"] = {"code": "CRASH_LOOP"}
    del record["form"]["environmentCreated"]


def refuse_without_reason(found):
    record = _first(_events(found), lambda record: _is_plain(record) and "environmentCreated" in record["form"])
    record["form"]["commandRejected"] = {"code": "ENVIRONMENT_EXISTS"}
    del record["form"]["environmentCreated"]


def create_again(found):
    record = _first(_events(found), lambda r: r["form"].get("environmentCreated", {}).get("created"))
    record["form"]["environmentCreated"]["created"] = False


def drop_letter(found):
    found["topics"]["dead-letters"].pop()


def double_letter(found):
    found["topics"]["dead-letters"].append(copy.deepcopy(found["topics"]["dead-letters"][0]))


def other_letter(found):
    found["topics"]["dead-letters"][0]["headers"]["dlq-reason"] = "CRASH_LOOP"


def drop_rejection(found):
    _events(found).remove(_first(_events(found), lambda r: r["form"].get("commandRejected", {}).get("code")
                                 in ("WRONG_PARTITION", "KEY_MISMATCH", "INVALID_NAME", "FIELD_NOT_SUPPORTED")))


def drop_command(found):
    records = found["topics"]["commands"]
    records.remove(_first(records, lambda record: "chaos" in record["headers"]))


def orphan_project(found):
    project = copy.deepcopy(found["sandbox"]["projects"][0])
    project["id"], project["branches"] = "orphan-project-1", []
    found["sandbox"]["projects"].append(project)


def orphan_branch(found):
    branches = found["sandbox"]["projects"][0]["branches"]
    branches.append({**branches[0], "id": "br-orphan-1"})


def orphan_role(found):
    found["sandbox"]["projects"][0]["branches"][0]["roles"].append("svc_orphan")


def refuse_login(found):
    found["logins"].append({"application": "a", "environment": "e", "role": "r", "error": "refused",
                            "retired": []})


def _ready(found):
    return _first(found["ledger"]["environment"], lambda row: row["state"] == "ready" and row["origin"] != "imported")


def lose_branch(found):
    branch_id = _ready(found)["branch_id"]
    for project in found["sandbox"]["projects"]:
        project["branches"] = [branch for branch in project["branches"] if branch["id"] != branch_id]


def change_endpoint(found):
    branch_id = _ready(found)["branch_id"]
    for project in found["sandbox"]["projects"]:
        for branch in project["branches"]:
            if branch["id"] == branch_id:
                branch["endpoint"]["autoscaling_limit_max_cu"] += 1


def change_retention(found):
    found["retention"][_ready(found)["project_id"]] += 1


def old_state(found):
    row = _ready(found)
    subject = f"applications/{row['application_id']}/environments/{row['environment']}"
    record = [record for record in found["topics"]["state"] if record["key"] == subject][-1]
    record["form"]["sequence"] = str(int(record["form"]["sequence"]) - 1)


def lose_tombstone(found):
    row = _ready(found)
    subject = f"applications/{row['application_id']}/environments/{row['environment']}"
    records = found["topics"]["state"]
    records[:] = [record for record in records if record["key"] != subject]


def stay_creating(found):
    _ready(found)["state"] = "creating"


def forget_environment(found):
    found["ledger"]["environment"].remove(_ready(found))


def unfinished(found):
    found["ledger"]["command"][0]["status"] = "running"


def unmark(found):
    row = _first(found["ledger"]["command"], lambda row: row["published"])
    row["published"], row["finished_ms"] = False, row["finished_ms"] - 3600 * 1000


def seal_otherwise(found):
    _first(found["ledger"]["account"], lambda row: row["connected"])["sealed_by"] = "0" * 16


def _place(found):
    return _first(found["places"].values(), lambda place: (place["committed"] or 0) > 0)


def leave_unread(found):
    _place(found)["committed"] -= 1


def leave_unfinished(found):
    _place(found)["metadata"] = "AQ"


def leave_open(found):
    _place(found)["end"] += 1


def execute_again(found):
    row = _first(found["ledger"]["command"], lambda row: row["finished_ms"] is not None)
    found["mutations"].append({"application": row["application_id"], "command": row["command_id"],
                               "route": "POST /projects", "began_ms": row["finished_ms"] + LATE_MS})


def make_twice(found):
    found["made"].append(found["made"][0])


def crash(found):
    found["troubles"].append("worker-0 ended with 134")


def calm(found):
    kind = found["planned_faults"][0]
    found["broken"][kind] = 0


MUTATIONS = [
    (drop_outcome, "outcomes"), (double_outcome, "outcomes"), (drop_replay, "outcomes"),
    (unmark_replay, "outcomes"), (raise_sequence, "sequences"), (swap_events, "sequences"),
    (drop_outcome, "sequences"), (turn_refusal, "order"), (fail_without_reason, "order"),
    (refuse_without_reason, "order"), (create_again, "order"), (drop_letter, "letters"),
    (double_letter, "letters"), (other_letter, "letters"), (drop_rejection, "letters"),
    (drop_command, "sent"), (orphan_project, "neon"), (orphan_branch, "neon"), (orphan_role, "roles"), (refuse_login, "logins"),
    (lose_branch, "neon"), (change_endpoint, "settings"), (change_retention, "settings"), (old_state, "states"), (lose_tombstone, "states"),
    (stay_creating, "states"), (forget_environment, "end"), (unfinished, "ledger"),
    (unmark, "ledger"), (seal_otherwise, "ledger"), (leave_unread, "offsets"), (leave_unfinished, "offsets"), (leave_open, "offsets"),
    (execute_again, "once"), (make_twice, "once"), (crash, "workers"),
    (calm, "faults"),
]


def run(found):
    """Sentences about what the checker didn't find; prints how many it did."""
    missed = []
    mutations = [one for one in MUTATIONS if one[0] is not calm or found["planned_faults"]]
    for mutate, check in mutations:
        mutated = copy.deepcopy({**found, "steps": {}})
        try:
            mutate(mutated)
        except (StopIteration, IndexError):
            missed.append(f"{mutate.__name__}: the campaign has nothing of the kind; send more")
            continue
        if check not in {name for name, _ in checker.check(mutated)}:
            missed.append(f"{mutate.__name__} passes the check of {check}")
    print(f"selftest      {len(mutations) - len(missed)} of {len(mutations)} planted faults found")
    return missed
