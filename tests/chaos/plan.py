"""What a campaign sends and breaks: a pure function of the seed and of its size. Times are parts of
the campaign's length (0 to 1); how long anything takes in the end is not planned.

Ids that Neon gives are not known yet: "@foreign:3:project" and "@foreign:3:branch" stand for those of
the third project that the campaign makes in Neon before it begins."""
import random
import uuid

import keys

APPLICATIONS_MAX = 24
COMMANDS_EACH = 26  # of one application, about
PRODUCERS = 3
FOREIGN_EACH = 2  # projects an application finds in Neon
ENVIRONMENTS = ["production", "staging", "review", "qa"]
PULL_REQUESTS = [1, 7, 10]
ACCOUNTS = ["main", "spare"]
REGION = "aws-eu-central-1"
HOUR = 3600
OVERLAP = (0.35, 0.5)  # while both keys of the fleet are good

# Which key file is of which organization (of an application): the second replaces the first.
KEYS = {"first": "one", "second": "one", "other": "two", "bad": None}


class Send:
    """One record of the command topic: `command` in protobuf's JSON form, or `raw` bytes that are
    none. `invalid` is the reason of the dead letter that it has to become."""

    def __init__(self, at, producer, application, command=None, raw=None, invalid=None, key=None,
                 stray=False, unknown_field=False, copy_of=None, signer=None, forged=False):
        self.at = at
        self.producer = producer
        self.application = application
        self.command = command
        self.raw = raw
        self.invalid = invalid
        self.key = application if key is None else key
        self.stray = stray  # to another partition than its key's
        self.unknown_field = unknown_field
        self.signer = keys.SIGNERS[producer] if signer is None and invalid is None else signer
        self.forged = forged
        self.copy_of = copy_of  # the command that it is sent again of

    def form(self):
        return {**self.__dict__, "raw": None if self.raw is None else self.raw.hex()}


class Fault:
    """Something that breaks at `at`, for `seconds` where it lasts; `arguments` are the kind's."""

    def __init__(self, at, kind, seconds=0.0, **arguments):
        self.at = at
        self.kind = kind
        self.seconds = seconds
        self.arguments = arguments

    def form(self):
        return dict(self.__dict__)


class Guess:
    """What an application may look like when a command is sent, so that most commands make sense."""

    def __init__(self):
        self.accounts = set()
        self.environments = {}  # name: origin
        self.base = None
        self.at = 0.0
        self.computes = False


def _weighted(rng, table):
    return rng.choices([row[0] for row in table], [row[1] for row in table])[0]


# ---- one command: each returns the action's JSON form

def _any_environment(rng, guess):
    known = sorted(guess.environments)
    return rng.choice(known) if known and rng.random() < 0.92 else rng.choice(ENVIRONMENTS)


def _connect(rng, guess, index):
    account = rng.choice(ACCOUNTS)
    key = _weighted(rng, [("first", 5), ("second", 5), ("other", 2), ("bad", 1)])
    if key != "bad":
        guess.accounts.add(account)
    if rng.random() < 0.5:
        return {"connectAccount": {"account": account, "reference": f"file:{key}"}}
    fleet = rng.choice([keys.OLD, keys.NEW]) if OVERLAP[0] < guess.at < OVERLAP[1] else (
        keys.OLD if guess.at < OVERLAP[1] else keys.NEW)
    return {"connectAccount": {"account": account, "sealed": f"@sealed:app-{index:02d}:{account}:{key}:{fleet}"}}


def _disconnect(rng, _guess, _index):
    return {"disconnectAccount": {"account": rng.choice(ACCOUNTS + ["nobody"])}}


def _discover(rng, _guess, _index):
    return {"discoverAccount": {"account": _weighted(rng, [("main", 6), ("nobody", 1)])}}


def _endpoint(rng):
    low = rng.choice([0.25, 0.5, 1])
    return {"autoscalingLimitMinCu": low, "autoscalingLimitMaxCu": low * rng.choice([1, 2, 4]),
            "suspendTimeoutSeconds": str(rng.choice([60, 300, 900]))}


def _create(rng, guess, _index):
    name = rng.choice(ENVIRONMENTS[:2])
    action = {"environment": name, "account": _weighted(rng, [("main", 9), ("spare", 2), ("nobody", 1)]),
              "regionId": _weighted(rng, [(REGION, 14), ("mars-north-1", 1)])}
    if rng.random() < 0.3:
        action["historyRetentionSeconds"] = str(rng.choice([6, 12, 24]) * HOUR)
    guess.environments.setdefault(name, "created")
    return {"createEnvironment": action}


def _branch(rng, guess, _index):
    name = rng.choice(ENVIRONMENTS[1:])
    source = _any_environment(rng, guess)
    if source == name:  # refused before anything is looked at
        source = ENVIRONMENTS[0]
    guess.environments.setdefault(name, "branched")
    return {"branchEnvironment": {"environment": name, "sourceEnvironment": source}}


def _import(rng, guess, index):
    name = rng.choice(["legacy", "review"])
    number = index * FOREIGN_EACH + rng.randrange(FOREIGN_EACH)
    guess.environments.setdefault(name, "imported")
    action = {"environment": name, "branch": {
        "account": "main", "projectId": f"@foreign:{number}:project",
        "branch": _weighted(rng, [(f"@foreign:{number}:branch", 7), ("nothing-here", 1)])}}
    if rng.random() < 0.3:
        action["shared"] = True
    return {"importEnvironment": action}


def _edit_project(rng, guess, _index):
    return {"editProject": {"environment": _any_environment(rng, guess),
                            "historyRetentionSeconds": str(rng.choice([6, 12, 24]) * HOUR)}}


def _edit_endpoint(rng, guess, _index):
    return {"editEndpoint": {
        "environment": _any_environment(rng, guess), "endpoint": _endpoint(rng),
        "updateMask": "autoscalingLimitMinCu,autoscalingLimitMaxCu,suspendTimeoutSeconds"}}


def _rotate(rng, guess, _index):
    return {"rotateCredentials": {"environment": _any_environment(rng, guess), "role": "neondb_owner"}}


def _reveal(rng, guess, _index):
    return {"revealCredentials": {"environment": _any_environment(rng, guess),
                                  "replyPublicKey": _weighted(rng, [("@recipient", 4), ("@stranger", 1)])}}


def _base(rng, guess, _index):
    guess.base = _any_environment(rng, guess)
    return {"setPreviewBase": {"environment": guess.base}}


def _open(rng, _guess, _index):
    action = {"pullRequest": rng.choice(PULL_REQUESTS), "repository": "shop/web",
              "gitRef": "refs/heads/x", "gitSha": "%040x" % rng.getrandbits(160)}
    if rng.random() < 0.3:
        action["reset"] = True
    if rng.random() < 0.3:
        action["expiresIn"] = f"{rng.choice([24, 48, 72]) * HOUR}s"
    return {"openPreview": action}


def _close(rng, _guess, _index):
    return {"closePreview": {"pullRequest": rng.choice(PULL_REQUESTS), "repository": "shop/web"}}


def _reset(rng, guess, _index):
    branched = sorted(n for n, origin in guess.environments.items() if origin == "branched")
    name = rng.choice(branched) if branched else "staging"
    return {"resetEnvironment": {"environment": name}}


def _delete(rng, guess, _index):
    name = _any_environment(rng, guess)
    action = {"environment": name}
    if rng.random() < 0.6:
        action["deleteData"] = True
        guess.environments.pop(name, None)
    return {"deleteEnvironment": action}


def _services(rng):
    """Who uses the database: one that is left out later loses its login."""
    return [{"name": name, "databases": [{"database": "neondb", "access": access}]}
            for name, access in (("api", "ACCESS_WRITE"), ("jobs", "ACCESS_WRITE"), ("reports", "ACCESS_READ"))
            if rng.random() < 0.7]


def _roles(rng, guess, _index):
    """Without computes no roles can be looked at: only its refusals are part of such a campaign."""
    if guess.computes:
        return {"setupRoles": {"environment": _any_environment(rng, guess), "services": _services(rng),
                               "mode": _weighted(rng, [("ROLES_MODE_APPLY", 4), ("ROLES_MODE_PLAN", 1)])}}
    return {"setupRoles": {"environment": rng.choice(["nowhere", "elsewhere"]), "mode": "ROLES_MODE_PLAN"}}


ACTIONS = [(_connect, 5), (_disconnect, 2), (_discover, 3), (_create, 12), (_branch, 12), (_import, 6),
           (_edit_project, 6), (_edit_endpoint, 8), (_rotate, 2), (_reveal, 5), (_base, 3), (_open, 13),
           (_close, 8), (_reset, 6), (_delete, 10), (_roles, 1)]
ACTIONS_WITH_COMPUTES = ACTIONS + [(_roles, 25), (_rotate, 10), (_reveal, 5)]


# ---- all of an application's

def _id(rng):
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def _command(rng, application, action, **more):
    return {"commandId": _id(rng), "applicationId": application, "requestedBy": "chaos", **more, **action}


def _invalid(rng, send, earlier):
    """A record that has to become a dead letter, at the place of `send`."""
    kind = rng.choice(["garbage", "empty", "key", "stray", "name", "field", "reused", "unsigned", "forged", "foreign"])
    command = _command(rng, send.application, {"deleteEnvironment": {"environment": "production"}})
    spot = {"at": send.at, "producer": send.producer, "application": send.application, "signer": "any-a"}
    if kind == "unsigned":
        return Send(command=command, invalid="SIGNATURE_MISSING", **{**spot, "signer": None})
    if kind == "forged":
        return Send(command=command, invalid="SIGNATURE_INVALID", forged=True, **spot)
    if kind == "foreign":
        return Send(command=command, invalid="SIGNATURE_KEY_UNKNOWN", **{**spot, "signer": "stranger"})
    if kind == "garbage":
        return Send(raw=b"\xff" * rng.randint(1, 200), invalid="RECORD_UNREADABLE", **spot)
    if kind == "empty":
        return Send(raw=b"", invalid="RECORD_EMPTY", **spot)
    if kind == "key":
        return Send(command=command, invalid="KEY_MISMATCH", key=send.application + "-other", **spot)
    if kind == "stray":
        return Send(command=command, invalid="WRONG_PARTITION", stray=True, **spot)
    if kind == "field":
        return Send(command=command, invalid="FIELD_NOT_SUPPORTED", unknown_field=True, **spot)
    if kind == "reused" and earlier:
        return Send(command={**command, "commandId": rng.choice(earlier).command["commandId"]},
                    invalid="COMMAND_ID_REUSED", **spot)
    command["deleteEnvironment"] = {"environment": "no/slash"}
    return Send(command=command, invalid="INVALID_NAME", **spot)


def _opening(rng, application, producer):
    """An account, an environment and what previews branch off, to begin with."""
    for at, action in ((0.0, {"connectAccount": {"account": "main", "reference": "file:first"}}),
                       (0.001, {"createEnvironment": {"environment": "production", "account": "main",
                                                      "regionId": REGION}}),
                       (0.002, {"setPreviewBase": {"environment": "production"}})):
        yield Send(at, producer, application, _command(rng, application, action))


def _application(rng, index, count, computes):
    application = f"app-{index:02d}"
    guess = Guess()
    guess.environments["production"] = "created"
    guess.computes = computes
    valid = list(_opening(rng, application, rng.randrange(PRODUCERS)))
    sends = list(valid)
    for at in sorted(rng.random() * 0.97 + 0.02 for _ in range(count - 3)):
        producer = rng.randrange(PRODUCERS)
        dice = rng.random()
        if dice < 0.05:
            sends.append(_invalid(rng, Send(at, producer, application), valid[:-1]))
            continue
        if dice < 0.10:
            again = rng.choice(valid)
            sends.append(Send(at, producer, application, again.command,
                              copy_of=again.command["commandId"]))
            continue
        if dice < 0.15:
            action = {"cancelCommand": {"commandId": rng.choice(valid[-3:]).command["commandId"]}}
        else:
            guess.at = at
            action = _weighted(rng, ACTIONS_WITH_COMPUTES if computes else ACTIONS)(rng, guess, index)
        more = {"deadline": "2020-01-01T00:00:00Z"} if rng.random() < 0.01 else {}
        send = Send(at, producer, application, _command(rng, application, action, **more))
        valid.append(send)
        sends.append(send)
    return sends


def commands(seed, count, computes=False):
    """Those of all applications, in the order of their times."""
    applications = max(2, min(APPLICATIONS_MAX, count // COMMANDS_EACH))
    sends = []
    for index in range(applications):
        rng = random.Random(f"{seed}/commands/{index}")
        share = count // applications + (1 if index < count % applications else 0)
        sends += _application(rng, index, share, computes)
    return sorted(sends, key=lambda send: (send.at, send.application))


def later(seed, number, application, action):
    """One that is sent when something has happened, as record `number`."""
    rng = random.Random(f"{seed}/later/{number}")
    return Send(1.0, 0, application, _command(rng, application, action))


# ---- faults

# What Neon does wrong. Slowness and lag stay within what the workers assume (stack.py).
NEON = [
    {"kind": "status", "status": 500, "route": "*", "count": 3},
    {"kind": "status", "status": 503, "route": "*", "count": 4},
    {"kind": "status", "status": 502, "route": "POST *", "count": 2, "commit": True},
    {"kind": "status", "status": 524, "route": "*", "count": 2, "html": True},
    {"kind": "status", "status": 504, "route": "PATCH *", "count": 2, "commit": True},
    {"kind": "reply_lost", "route": "POST /projects", "count": 1},
    {"kind": "reply_lost", "route": "POST *", "count": 2},
    {"kind": "reply_lost", "route": "PATCH *", "count": 1},
    {"kind": "reply_lost", "route": "DELETE *", "count": 1},
    {"kind": "request_lost", "route": "POST *", "count": 2},
    {"kind": "request_lost", "route": "*", "count": 3},
    {"kind": "slow", "route": "*", "count": 5, "ms": 1500},
    {"kind": "slow_before", "route": "POST *", "count": 2, "ms": 1500},
    {"kind": "locked", "route": "*", "count": 3},
    {"kind": "rate_limited", "route": "*", "count": 5, "retry_after": 1},
    {"kind": "rate_limited", "route": "*", "count": 5},
    {"kind": "listing_lag", "for_ms": 4000, "ms": 800},
    {"kind": "not_found_after_create", "for_ms": 4000, "ms": 800},
    {"kind": "operation_ms", "for_ms": 4000, "ms": 1500},
    {"kind": "operation_fails", "count": 1, "retry_ms": 500},
    {"kind": "partial_listing", "for_ms": 4000, "route": "GET /projects"},
    {"kind": "status", "status": 403, "route": "POST *", "count": 1},
    {"kind": "status", "status": 403, "route": "GET /projects", "count": 1},
    {"kind": "status", "status": 422, "code": "PROJECTS_LIMIT_EXCEEDED", "message": "projects limit exceeded",
     "route": "POST /projects", "count": 1},
]
LATE = [{"kind": "slow_before", "route": route, "count": 1, "ms": 2500}
        for route in ("POST /projects", "PATCH *", "POST *")]


def faults(seed, seconds, workers, brokers=3):
    """A schedule for a campaign of so many seconds: at least one of each kind in a short one."""
    rng = random.Random(f"{seed}/faults")
    rounds = max(1, round(seconds / 75))
    planned = [Fault(OVERLAP[0] / 2, "key_change", until=OVERLAP[1] + 0.1)]
    for turn in range(rounds):
        for kind, count in (("worker_kill", 4), ("worker_freeze", 1), ("worker_pause", 2),
                            ("broker_kill", 1), ("broker_freeze", 1), ("ledger_restart", 1),
                            ("commits_fail", 1),
                            ("coordinator_move", 1),
                            ("cut", 6), ("delay", 3), ("silence", 2)):
            for _ in range(count):
                at = (turn + rng.random() * 0.9) / rounds
                planned.append(_fault(rng, kind, at, workers, brokers))
        for fault in LATE:
            planned.append(Fault((turn + rng.random() * 0.7) / rounds, "late_effect", rule=fault))
        for fault in NEON:
            planned.append(Fault((turn + rng.random() * 0.85) / rounds, "neon", rule=fault))
    return sorted(planned, key=lambda fault: (fault.at, fault.kind))


def kinds(schedule):
    """What has to have happened in the end, as faults.py counts it."""
    names = {"worker_kill": "workers killed", "worker_freeze": "workers frozen beyond session and intent",
             "worker_pause": "workers paused", "broker_kill": "brokers killed",
             "broker_freeze": "brokers frozen", "commits_fail": "commits failed", "cut": "connections cut",
             "delay": "chunks delayed", "silence": "chunks held", "coordinator_move": "coordinators moved",
             "late_effect": "effects behind a lost connection",
             "key_change": "keys changed"}
    found = {"workers stopped at a point"} if schedule else set()
    for fault in schedule:
        if fault.kind == "neon":
            found.add(f"neon {fault.arguments['rule']['kind']}")
        elif fault.kind == "ledger_restart":
            found.add("ledger crashes" if fault.arguments["crash"] else "ledger restarts")
        else:
            found.add(names[fault.kind])
        if fault.arguments.get("coordinator"):
            found.add("coordinators moved")
    return sorted(found)


def _fault(rng, kind, at, workers, brokers):
    worker = rng.randrange(workers)
    door = _weighted(rng, [("ledger", 3), ("neon", 3), ("kafka", 3), ("peer", 2)])
    number = rng.randrange(brokers) if door in ("kafka", "peer") else worker
    return {
        "worker_kill": lambda: Fault(at, kind, rng.uniform(0.2, 4), worker=worker),
        "worker_freeze": lambda: Fault(at, kind, rng.uniform(11, 15), worker=worker),
        "worker_pause": lambda: Fault(at, kind, rng.uniform(0.5, 4), worker=worker),
        # the node that has the group and the transactions, so that both move
        "broker_kill": lambda: Fault(at, kind, rng.uniform(3, 8), coordinator=at < 0.5 or rng.random() < 0.7,
                                     broker=rng.randrange(brokers)),
        "broker_freeze": lambda: Fault(at, kind, rng.uniform(2, 6), broker=rng.randrange(brokers)),
        # all of them live on: another one leads the group's offsets and the transactions
        "coordinator_move": lambda: Fault(at, kind),
        "ledger_restart": lambda: Fault(at, kind, rng.uniform(0, 3), crash=rng.random() < 0.5),
        "commits_fail": lambda: Fault(at, kind, rng.uniform(2, 5), share=rng.choice([0.2, 0.6])),
        "cut": lambda: Fault(at, kind, door=door, number=number, share=rng.choice([0.5, 1])),
        "delay": lambda: Fault(at, kind, rng.uniform(2, 5), door=door, number=number,
                               ms=rng.choice([20, 80, 250])),
        "silence": lambda: Fault(at, kind, rng.uniform(1, 4), door=door, number=number),
    }[kind]()
