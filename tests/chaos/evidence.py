"""What a campaign has left, gathered into one value that checker.py judges."""
import base64
import collections
import datetime
import json
import os
import re

import forms
import keys
import model
import stack as stack_parts
import topics

MUTATION = re.compile(r"(POST|PATCH|PUT|DELETE) (\S+): (\d+) in ([0-9.]+) ms")
MARK = re.compile(r'"provisioner\.command"\s*:\s*"([^"]+)"')
CRASH = re.compile(r"(Address|Leak|Thread|Undefined\w*)Sanitizer|runtime error:|Assertion|terminate called")
FORMS = {"commands": "Command", "events": "Event", "state": "State"}
# 75: the producer was fenced or lost its transaction, and a new one goes on; 69: begun while the
# ledger was away.
EXPECTED_ENDS = (0, 69, 75)
TRANSACTION_SECONDS = 25  # transaction.timeout.ms, and how often brokers look

ENVIRONMENTS = ("SELECT application_id, environment, state, origin, account, project_id, branch_id, "
                "endpoint_id, sequence FROM provision.environment")
ACCOUNTS = ("SELECT application_id, account, sequence, sealed_key IS NOT NULL AS connected, "
            "encode(substr(sealed_key, 2, 8), 'hex') AS sealed_by "
            "FROM provision.account")
APPLICATIONS = "SELECT application_id, preview_base, sequence FROM provision.application"
# What logs in, by the environments that are ours and ready.
SERVICES = ("SELECT application_id, environment, jsonb_path_query_array(details, '$.roles_spec.services[*].name') AS services "
            "FROM provision.environment WHERE state = 'ready' AND origin <> 'imported'")
COMMANDS = ("SELECT application_id, command_id, action, status, epoch, takeovers, abandoned, "
            "published_at IS NOT NULL AS published, extract(epoch FROM finished_at) * 1000 AS finished_ms, "
            "extract(epoch FROM created_at) * 1000 AS created_ms FROM provision.command")


def _decode(messages, records, recipient, boxes):
    for topic, name in FORMS.items():
        for record in records[topic]:
            value = record["value"]
            record["form"] = None if value is None else messages.unpack(name, base64.b64decode(value))
            reveal = (record["form"] or {}).get("revealCredentials")
            connect = (record["form"] or {}).get("connectAccount", {})
            if topic == "commands" and "sealed" in connect:
                connect["reference"] = boxes.get(connect["sealed"].get("box"))
            if topic == "commands" and reveal is not None:
                reveal["isListed"] = reveal.get("replyPublicKey") == recipient
    return records


def _log_lines(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                yield json.loads(line)
            except ValueError:
                yield line


def _time_ms(line):
    return datetime.datetime.fromisoformat(line["time"].replace("Z", "+00:00")).timestamp() * 1000


def read_logs(stack):
    """(mutating calls, [(time_ms, worker's number, command)] by command, what looks like a crash)"""
    mutations, steps, crashes = [], collections.defaultdict(list), []
    for worker in stack.workers:
        for line in _log_lines(worker.log):
            if isinstance(line, str):
                if CRASH.search(line):
                    crashes.append(f"{worker.name}: {line.strip()}")
                continue
            if "command" not in line:
                continue
            time_ms = _time_ms(line)
            key = (line.get("application"), line["command"])
            steps[key].append((time_ms, worker.number))
            call = MUTATION.match(line["message"])
            if call and call[3] != "0":
                mutations.append({"application": key[0], "command": key[1], "route": f"{call[1]} {call[2]}",
                                  "began_ms": time_ms - float(call[4])})
    return mutations, steps, crashes


def read_made(stack):
    """The commands whose marks are on what was made: once for each thing. Whether a branch was made
    behind a lost reply is not known (its project may have been locked); two of one name can't be."""
    made = []
    if not os.path.exists(stack.path("record.jsonl")):
        return made
    with open(stack.path("record.jsonl"), encoding="utf-8") as file:
        for line in file:
            call = json.loads(line)
            mark = MARK.search(call["body"] or "") if call["method"] == "POST" else None
            is_done = call["status"] in (200, 201) or (
                call["fault"] == "reply_lost" and call["status"] == 0 and call["route"] == "POST /projects")
            if mark and is_done and call["route"] in ("POST /projects", "POST /projects/{project_id}/branches"):
                made.append(f"{mark[1]} {call['route']}")
    return made


def _retention(stack, foreign):
    """Of each project there is, as its owner's key sees it: seconds."""
    keys = {f"org-{application}-{organization}": f"napi_{application}_{key}"
            for application in stack.applications
            for key, organization in (("first", "one"), ("other", "two"))}
    found = {}
    for project in stack.call("GET", "/sandbox/state")["projects"]:
        reply = stack.call("GET", f"/projects/{project['id']}", key=keys[project["org_id"]])
        found[project["id"]] = reply["project"]["history_retention_seconds"]
    return found


def log_in(stack, messages, events, computes):
    """With the credentials that were revealed last, of each role: [{..., "error": None where it worked}]."""
    last = {}
    secret = bytes.fromhex(stack.read("recipient.key"))
    for record in events if computes else []:
        issued = (record["form"] or {}).get("credentialsIssued")
        if issued is None:
            continue
        plain = messages.unpack("Credentials", keys.open_box(base64.b64decode(issued["sealed"]["box"]), secret))
        for one in plain["credentials"]:
            last[(record["form"]["applicationId"], issued["environment"], one["role"])] = one["directUri"]
    ready = {(row["application_id"], row["environment"]) for row in stack.psql(SERVICES)}
    logins = [{"application": application, "environment": environment, "role": role,
               **_try(stack, uri, role)}
              for (application, environment, role), uri in last.items() if (application, environment) in ready]
    return logins


def _try(stack, uri, role):
    """Whether it logs in, and who there can't."""
    try:
        told = stack_parts.run("psql", "-XqAt", "-d", f"{uri}&sslmode=verify-full&sslrootcert={stack.ca_file}", "-c",
                               "SELECT current_user, jsonb_agg(rolname) FROM pg_roles WHERE NOT rolcanlogin").strip()
    except RuntimeError as error:
        return {"error": str(error).rpartition(": ")[2], "retired": []}
    user, _, others = told.partition("|")
    return {"error": None if user == role else f"logged in as {user}", "retired": json.loads(others)}


def collect(stack, messages, sends, foreign, organizations, recipient, codes, stops, boxes):
    """`codes`: with what the workers ended when they were asked to; `stops`: [(time_ms, worker's
    number)] of those that were killed or stopped before."""
    mutations, steps, crashes = read_logs(stack)
    places = topics.read_places(stack.bootstrap, TRANSACTION_SECONDS)
    read = _decode(messages, topics.read_all(stack.bootstrap, 90), recipient, boxes)
    troubles = crashes + [f"worker-{i} ended with {code} on SIGTERM" for i, code in enumerate(codes)
                           if code not in EXPECTED_ENDS]
    for worker in stack.workers:
        troubles += [f"{worker.name} ended with {code}" for code in worker.ends if code not in EXPECTED_ENDS]
    return {
        "plan": [send.form() for send in sends],
        "places": places,
        "topics": read, "computes": stack.computes,
        "logins": log_in(stack, messages, read["events"], stack.computes),
        "ledger": {"environment": stack.psql(ENVIRONMENTS), "account": stack.psql(ACCOUNTS),
                   "application": stack.psql(APPLICATIONS), "command": stack.psql(COMMANDS)},
        "sandbox": stack.call("GET", "/sandbox/state"),
        "retention": _retention(stack, foreign),
        "foreign": foreign, "applications": stack.applications, "organizations": organizations,
        "stops": [time_ms for time_ms, _ in stops] + [
            time_ms for worker in stack.workers for time_ms in worker.ended_ms],
        "mutations": mutations, "made": read_made(stack), "troubles": troubles,
        "steps": {" ".join(key): lines for key, lines in steps.items()},
    }


def hand_overs(evidence, stops):
    """How long commands stood still that a killed or frozen worker had in hand, in ms: from its stop to
    the next word of them by another worker."""
    times = []
    ends = {f"{row['application_id']} {row['command_id']}": row["finished_ms"]
            for row in evidence["ledger"]["command"]}
    for key, lines in evidence["steps"].items():
        lines = sorted(lines)
        for (before_ms, before), (after_ms, after) in zip(lines, lines[1:]):
            stopped = [time_ms for time_ms, number in stops
                       if number == before and before_ms <= time_ms <= after_ms]
            if before != after and stopped and (ends.get(key) or 0) > stopped[0]:
                times.append(after_ms - stopped[0])
    return sorted(times)


def outcomes_by_kind(evidence):
    counts = collections.Counter()
    for record in evidence["topics"]["events"]:
        event = record["form"]
        if event is not None and "replayed" not in record["headers"]:
            kind = forms.body_of(event)
            ended = kind if kind in model.STOPPED else "done"
            counts[event[kind].get("code", ended) if kind.startswith("command") else ended] += 1
    return dict(counts.most_common())


def write(evidence, path):
    """For `checker` by hand, and for a report."""
    with open(path, "w", encoding="utf-8") as file:
        json.dump(evidence, file, default=str)
