"""Judges what a campaign has left: topics, ledger, sandbox and what workers say they called. Pure; each
finding is (check, sentence), and selftest.py shows that none of the checks can be passed by accident."""
import collections

import forms
import model

PROGRESS = {"commandAccepted", "stepFinished", "driftReported"}
MARK_MS = 30000  # between a command's end and its mark, when Kafka or the ledger are away meanwhile
SLACK_MS = 50  # between the worker's clock, which a log line has, and the ledger's


class Sorted:
    """The command topic, taken apart: what has to be executed, what is a repeat, what a dead letter."""

    def __init__(self, evidence):
        self.commands = {}  # (application, id): form, in the order of the topic
        self.copies = collections.Counter()
        self.letters = {}  # (partition, offset): reason
        self.rejected = collections.Counter()  # (application, reason)
        self.indexes = collections.Counter()
        self.strangers = []
        values = {}
        for record in evidence["topics"]["commands"]:
            self._sort(record, evidence["plan"], values)

    def _sort(self, record, plan, values):
        index = record["headers"].get("chaos")
        planned = plan[int(index)] if index is not None else None
        if planned is not None:
            self.indexes[int(index)] += 1
        if planned and planned["invalid"] not in (None, "COMMAND_ID_REUSED"):
            self._letter(record, planned["invalid"])
            return
        form = record["form"]
        if planned is None and (form is None or not form.get("editProject", {}).get("refresh")):
            self.strangers.append(record["offset"])
            return
        key = (form["applicationId"], form["commandId"])
        if key not in values:
            values[key] = record["value"]
            self.commands[key] = form
        elif values[key] == record["value"]:
            self.copies[key] += 1
        else:
            self._letter(record, "COMMAND_ID_REUSED")

    def _letter(self, record, reason):
        """Its application is what its key says: the value may say anything."""
        self.letters[(record["partition"], record["offset"])] = reason
        self.rejected[(record["key"], reason)] += 1


def is_outcome(event):
    """Whether it ends its command; of an inventory the last page does."""
    if event is None or forms.body_of(event) in PROGRESS:
        return False
    inventory = event.get("accountInventory")
    return inventory is None or inventory.get("page") == inventory.get("pages")


class Told:
    """The event topic, by command."""

    def __init__(self, evidence, commands):
        self.first = collections.defaultdict(list)  # not replayed
        self.again = collections.defaultdict(list)
        self.rejected = collections.Counter()
        self.strangers = []
        for record in evidence["topics"]["events"]:
            self._sort(record, record["form"], commands)

    def _sort(self, record, event, commands):
        if event is None:
            self.strangers.append(f"an unreadable event at {record['partition']}:{record['offset']}")
            return
        key = (event["applicationId"], event.get("commandId"))
        is_replayed = "replayed" in record["headers"]
        code = event.get("commandRejected", {}).get("code")
        if forms.body_of(event) in PROGRESS:
            return
        if code is not None and (key not in commands or code == "COMMAND_ID_REUSED"):
            self.rejected[(event["applicationId"], code)] += 1
        elif key not in commands:
            self.strangers.append(f"{forms.body_of(event)} of {key}, which nobody sent")
        else:
            (self.again if is_replayed else self.first)[key].append(record)


# ---- the checks: each yields sentences

def check_sent(evidence, topic, _told):
    for index, _ in enumerate(evidence["plan"]):
        if topic.indexes[index] != 1:
            yield f"record {index} stands {topic.indexes[index]} times in the command topic"
    for offset in topic.strangers:
        yield f"nobody planned the command at offset {offset}"


def _pages(records):
    return sorted(record["form"]["accountInventory"].get("page", 0) for record in records)


def check_outcomes(_evidence, topic, told):
    """Each command one outcome; each repeat of its record the same one, marked as replayed."""
    for key in topic.commands:
        records = told.first[key]
        is_inventory = bool(records) and all("accountInventory" in record["form"] for record in records)
        pages = _pages(records) if is_inventory else [1]
        if len(records) == 0:
            yield f"{key} has no outcome"
        elif len(records) != len(pages) or (
                is_inventory and pages != list(range(1, records[0]["form"]["accountInventory"]["pages"] + 1))):
            yield f"{key} has {len(records)} outcomes: {[forms.body_of(r['form']) for r in records]}"
        if len(told.again[key]) != topic.copies[key] * len(records):
            yield f"{key} was sent {topic.copies[key]} times more and replayed {len(told.again[key])} times"
        values = {record["value"] for record in records}
        if any(record["value"] not in values for record in told.again[key]):
            yield f"{key} was told otherwise when it was replayed"
    yield from told.strangers


def check_sequences(evidence, _topic, _told):
    known = {}
    for record in evidence["topics"]["events"]:
        event = record["form"]
        if event is None or "replayed" in record["headers"] or "sequence" not in event:
            continue
        subject, sequence = event["subject"], int(event["sequence"])
        if sequence != known.get(subject, 0) + 1:
            yield f"{subject}: {sequence} comes after {known.get(subject, 0)}"
        known[subject] = sequence
    for row in evidence["ledger"]["environment"] + evidence["ledger"]["account"]:
        part = f"environments/{row['environment']}" if "environment" in row else f"accounts/{row['account']}"
        subject = f"applications/{row['application_id']}/{part}"
        if known.get(subject, 0) != row["sequence"]:
            yield f"{subject}: {known.get(subject, 0)} was told last, the ledger is at {row['sequence']}"


def check_letters(evidence, topic, told):
    seen = collections.Counter()
    for record in evidence["topics"]["dead-letters"]:
        headers = record["headers"]
        place = (int(headers["dlq-partition"]), int(headers["dlq-offset"]))
        seen[place] += 1
        if topic.letters.get(place) != headers["dlq-reason"]:
            yield f"{place} is a dead letter: {headers['dlq-reason']}, not {topic.letters.get(place)}"
    for place, reason in topic.letters.items():
        if seen[place] != 1:
            yield f"{place}, {reason}, is {seen[place]} times among the dead letters"
    for what in set(topic.rejected) | set(told.rejected):
        if topic.rejected[what] != told.rejected[what]:
            yield f"{what}: {topic.rejected[what]} records, {told.rejected[what]} events"


def _outcome(records):
    """The event that ended it."""
    return next((record["form"] for record in records if is_outcome(record["form"])), None)


def run_models(evidence, topic, told):
    """{application: model}, each run."""
    models = {}
    for application in evidence["applications"]:
        commands = [form for (name, _), form in topic.commands.items() if name == application]
        outcomes = {form["commandId"]: _outcome(told.first[(application, form["commandId"])])
                    for form in commands}
        models[application] = model.Model(commands, {i: e for i, e in outcomes.items() if e},
                                          evidence["organizations"], evidence["computes"])
        models[application].run()
    return models


def check_order(evidence, topic, told):
    """As if each application's commands had run one after another."""
    for one in run_models(evidence, topic, told).values():
        yield from one.faults


def check_end(evidence, topic, told):
    """What the models came to is what the ledger has."""
    rows = {(row["application_id"], row["environment"]): row for row in evidence["ledger"]["environment"]
            if row["state"] != "gone"}
    for application, one in run_models(evidence, topic, told).items():
        mine = {name for name, _ in one.environments.items()}
        theirs = {name for (owner, name) in rows if owner == application}
        unsure = {name for name, env in one.environments.items() if env.status == "unsure"}
        for name in (mine ^ theirs) - unsure:
            yield f"{application}/{name} is {'there' if name in theirs else 'gone'} by the ledger only"
        for name in (mine & theirs) - unsure:
            if rows[(application, name)]["state"] != one.environments[name].status:
                yield f"{application}/{name} is {rows[(application, name)]['state']} in the ledger"
        accounts = {row["account"] for row in evidence["ledger"]["account"]
                    if row["application_id"] == application and row["connected"]}
        if accounts != set(one.accounts):
            yield f"{application} has accounts {sorted(accounts)}, not {sorted(one.accounts)}"


def check_ledger(evidence, topic, _told):
    rows = {(row["application_id"], row["command_id"]): row for row in evidence["ledger"]["command"]}
    for key in topic.commands:
        row = rows.get(key)
        if row is None or row["status"] != "finished":
            yield f"{key} is not finished in the ledger: {row}"
        elif not row["published"] and not any(-SLACK_MS <= stop - row["finished_ms"] < MARK_MS
                                              for stop in evidence["stops"]):
            yield f"{key} is not marked as published, and no worker was stopped behind its end"
    for key in set(rows) - set(topic.commands):
        yield f"the ledger knows {key}, which nobody sent"
    for row in evidence["ledger"]["account"]:
        if row["connected"] and row["sealed_by"] != evidence["sealing_key"]:
            yield f"{row['application_id']}/{row['account']} is sealed under {row['sealed_by']}"


def last_states(evidence):
    """{subject: form, or None of a tombstone}"""
    return {record["key"]: record["form"] for record in evidence["topics"]["state"]}


def check_states(evidence, _topic, _told):
    """The state topic is what the ledger says."""
    states = last_states(evidence)
    expected = set()
    for row in evidence["ledger"]["environment"]:
        subject = f"applications/{row['application_id']}/environments/{row['environment']}"
        expected.add(subject)
        yield from _compare_environment(subject, states.get(subject), row)
    for row in evidence["ledger"]["account"]:
        subject = f"applications/{row['application_id']}/accounts/{row['account']}"
        expected.add(subject)
        yield from _compare_row(subject, states.get(subject), row, row["connected"])
    for row in evidence["ledger"]["application"]:
        subject = f"applications/{row['application_id']}"
        expected.add(subject)
        state = states.get(subject)
        yield from _compare_row(subject, state, row, row["preview_base"] is not None)
        if state and state["application"].get("previewBase") != row["preview_base"]:
            yield f"{subject}: previews branch off {state['application'].get('previewBase')}, not {row['preview_base']}"
    for subject in set(states) - expected:
        yield f"{subject} stands in the state topic and not in the ledger"


def _compare_row(subject, state, row, is_there):
    if (state is not None) != is_there:
        yield f"{subject} is {'there' if state else 'not there'} in the state topic, otherwise in the ledger"
    elif state is not None and int(state["sequence"]) != row["sequence"]:
        yield f"{subject}: sequence {state['sequence']} in the state topic, {row['sequence']} in the ledger"


def _compare_environment(subject, state, row):
    if row["state"] in ("creating", "deleting"):
        yield f"{subject} is still {row['state']}"
        return
    yield from _compare_row(subject, state, row, row["state"] != "gone")
    if state is None or row["state"] == "gone":
        return
    one = state["environment"]
    told = (one.get("status", "")[len("ENVIRONMENT_STATUS_"):].lower(), one.get("projectId"), one.get("branchId"),
            one.get("endpointId"), one.get("origin", "")[len("ORIGIN_"):].lower())
    kept = (row["state"], row["project_id"], row["branch_id"], row["endpoint_id"], row["origin"])
    if told != kept:
        yield f"{subject}: {told} in the state topic, {kept} in the ledger"


def check_neon(evidence, _topic, _told):
    """Neon has what the ledger has, and nothing else."""
    rows = [row for row in evidence["ledger"]["environment"] if row["state"] != "gone"]
    projects = {project["id"]: project for project in evidence["sandbox"]["projects"]}
    branches = {branch["id"]: branch for project in projects.values() for branch in project["branches"]}
    owned = {one["project"] for one in evidence["foreign"]}
    owned |= {row["project_id"] for row in rows if row["origin"] == "created"}
    kept = {one["branch"] for one in evidence["foreign"]} | {row["branch_id"] for row in rows}
    left = {row["project_id"] for row in rows if row["state"] == "failed"}
    for project_id in set(projects) - owned - left:
        yield f"project {project_id} ({projects[project_id]['name']}) is nobody's"
    for branch_id, branch in branches.items():
        if branch_id not in kept and not any(branch in projects[one]["branches"] for one in left & set(projects)):
            yield f"branch {branch_id} ({branch['name']}) is nobody's"
    for row in rows:
        if row["state"] == "ready" and row["branch_id"] not in branches:
            yield f"{row['application_id']}/{row['environment']} has branch {row['branch_id']}, which is gone"


def check_roles(evidence, _topic, _told):
    """Each branch has the roles that its environment is told to have, and no other."""
    told, retired = {}, collections.defaultdict(set)
    for subject, state in last_states(evidence).items():
        one = (state or {}).get("environment", {})
        if "branchId" in one:
            told[one["branchId"]] = one
            retired[one["branchId"]] |= {
                role for login in evidence["logins"] for role in login["retired"]
                if subject == f"applications/{login['application']}/environments/{login['environment']}"}
    for project in evidence["sandbox"]["projects"]:
        for branch in project["branches"]:
            one = told.get(branch["id"], {})
            is_ours = one.get("origin") not in (None, "ORIGIN_IMPORTED")
            if one.get("status", "ENVIRONMENT_STATUS_READY") != "ENVIRONMENT_STATUS_READY":
                continue
            wanted = {"neondb_owner"} | set(one.get("roles", []) if is_ours else [])
            if len(wanted) > 1:
                wanted |= {f"db_{name}_{kind}" for name in one["databases"] for kind in ("reader", "writer", "admin")}
            # a service that was left out keeps its role, and loses its login
            old = {role for role in retired[branch["id"]] if role.startswith("svc_")}
            if set(branch["roles"]) - old != wanted:
                yield f"branch {branch['id']} has roles {branch['roles']}, not {sorted(wanted)}"


def check_logins(evidence, _topic, _told):
    """What is revealed in the end works."""
    for login in evidence["logins"]:
        if login["error"]:
            yield f"{login['application']}/{login['environment']} {login['role']}: {login['error']}"
    if evidence["computes"] and not evidence["logins"]:
        yield "nobody has logged in"


def check_settings(evidence, _topic, _told):
    """What the state topic tells of settings is what Neon has."""
    branches = {branch["id"]: branch for project in evidence["sandbox"]["projects"]
                for branch in project["branches"]}
    for subject, state in last_states(evidence).items():
        one = (state or {}).get("environment", {})
        branch = branches.get(one.get("branchId"))
        if branch is None or one.get("status") != "ENVIRONMENT_STATUS_READY":
            continue
        told, real = one.get("endpoint", {}), branch.get("endpoint", {})
        if one.get("endpointId") != real.get("id"):
            yield f"{subject}: endpoint {one.get('endpointId')}, at Neon {real.get('id')}"
        elif one["origin"] != "ORIGIN_IMPORTED" and (
                told.get("autoscalingLimitMinCu"), told.get("autoscalingLimitMaxCu")) != (
                real["autoscaling_limit_min_cu"], real["autoscaling_limit_max_cu"]):
            yield f"{subject}: {told}, at Neon {real}"
        retention = evidence["retention"].get(one.get("projectId"))
        if one["origin"] != "ORIGIN_IMPORTED" and retention is not None and (
                int(one.get("historyRetentionSeconds", 0)) != retention):
            yield f"{subject}: history {one.get('historyRetentionSeconds')}, at Neon {retention}"


def check_once(evidence, _topic, _told):
    """Nothing finished is executed again, and nothing is made twice for one command."""
    ends = {(row["application_id"], row["command_id"]): row["finished_ms"]
            for row in evidence["ledger"]["command"] if row["finished_ms"] is not None}
    for one in evidence["mutations"]:
        end = ends.get((one["application"], one["command"]))
        if end is not None and one["began_ms"] > end + SLACK_MS:
            yield f"{one['application']} {one['command']}: {one['route']} {one['began_ms'] - end:.0f} ms after its end"
    marks = collections.Counter(evidence["made"])
    for mark, count in marks.items():
        if count > 1:
            yield f"{mark} made {count} things"


def check_offsets(evidence, _topic, _told):
    """The group has gone over every command, none is kept apart as unfinished, and no transaction is
    open."""
    last = collections.defaultdict(lambda: -1)
    for record in evidence["topics"]["commands"]:
        last[record["partition"]] = max(last[record["partition"]], record["offset"])
    for name, place in evidence["places"].items():
        topic, _, partition = name.partition(" ")
        if place["stable"] != place["end"]:
            yield f"{name}: a transaction is open at {place['stable']}, the end is {place['end']}"
        if topic == "commands" and last[int(partition)] >= 0:
            if not last[int(partition)] < place["committed"] <= place["end"]:
                yield f"{name}: {place['committed']} is committed, the last command is {last[int(partition)]}"
            if place["metadata"]:
                yield f"{name}: unfinished commands are committed: {place['metadata']}"


def check_workers(evidence, _topic, _told):
    yield from evidence["troubles"]


def check_faults(evidence, _topic, _told):
    """What was to break did."""
    for kind in evidence["planned_faults"]:
        if evidence["broken"].get(kind, 0) == 0:
            yield f"{kind}: never happened"


CHECKS = [check_sent, check_outcomes, check_sequences, check_letters, check_order, check_end, check_ledger,
          check_states, check_neon, check_roles, check_logins, check_settings, check_once, check_offsets, check_workers, check_faults]


def check(evidence):
    """[(check's name, sentence)], empty where all is as it has to be."""
    topic = Sorted(evidence)
    told = Told(evidence, topic.commands)
    return [(one.__name__[len("check_"):], sentence) for one in CHECKS for sentence in one(evidence, topic, told)]
