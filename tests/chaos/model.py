"""What commands of one application come to when they are executed one after another: small, and told
by what contract and README say, not by the worker's code. Where several refusals apply any of them is
right. What a fault or another command may have turned is bounded, never left out."""
from forms import EVENTS, action_of, body_of, target_of

# Ends of commands that Neon kept from their aim.
FAULT_CODES = {"OPERATION_FAILED", "NEON_UNAVAILABLE", "PROJECTS_LIMIT_EXCEEDED", "NEON_DENIED"}
STOPPED = {"commandCancelled": "cancelledBy", "commandSuperseded": "supersededBy"}
STOP_REFUSALS = {"ALREADY_FINISHED", "TOO_LATE"}
# Whether an environment stands is what these decide.
MAKERS = {"createEnvironment": "created", "branchEnvironment": "branched",
          "importEnvironment": "imported", "openPreview": "branched"}


class Environment:
    def __init__(self, origin, action, state):
        self.origin = origin
        self.action = action  # that made it: the same again finds it there
        self.status = "ready"  # or "failed"; "unsure" where a deletion failed half-way
        self.source = None
        self.learn(state)

    def learn(self, state):
        self.state = state
        self.account = state.get("account")
        self.project = state.get("projectId")
        self.endpoint = state.get("endpoint", {})


class Model:
    """Of one application; `commands` are all of its, in the order of the topic."""

    def __init__(self, commands, outcomes, key_organizations, computes=False):
        self.computes = computes
        self.commands = commands
        self.outcomes = outcomes  # id: event
        self.organizations = key_organizations
        self.accounts = {}
        self.base = None
        self.environments = {}
        self.faults = []
        self.by_fault = 0  # outcomes that only a fault explains
        self.places = {command["commandId"]: place for place, command in enumerate(commands)}

    def run(self):
        """Sentences about each outcome that can't be."""
        for command in self.commands:
            event = self.outcomes.get(command["commandId"])
            if event is not None:
                self._step(command, event)
        return self.faults

    def _fault(self, command, text):
        self.faults.append(f"{command['applicationId']} {command['commandId']} {action_of(command)}: {text}")

    # ---- what may be refused

    def _users(self, account):
        return [one for one in self.environments.values() if one.account == account]

    def _standing(self, name):
        one = self.environments.get(name)
        if one is None:
            return {"ENVIRONMENT_UNKNOWN"}
        return set() if one.status == "ready" else {"ENVIRONMENT_NOT_READY"}

    def _changeable(self, name):
        codes = self._standing(name)
        one = self.environments.get(name)
        return codes | ({"IMPORTED_READ_ONLY"} if one and one.origin == "imported" else set())

    def _connect(self, body):
        organization = self.organizations[body["reference"].partition(":")[2]]
        if organization is None:
            return {"API_KEY_REJECTED"}
        before = self.accounts.get(body["account"])
        differs = before is not None and before != organization
        return {"ACCOUNT_MISMATCH"} if differs and self._users(body["account"]) else set()

    def _disconnect(self, body):
        if body["account"] not in self.accounts:
            return {"ACCOUNT_UNKNOWN"}
        return {"ACCOUNT_IN_USE"} if self._users(body["account"]) else set()

    def _discover(self, body):
        return set() if body["account"] in self.accounts else {"ACCOUNT_UNKNOWN"}

    def _taken(self, action, body, name):
        """Codes of a name that is in use, and whether it is the same again."""
        one = self.environments.get(name)
        if one is None or (one.status == "failed" and one.origin == MAKERS[action]):
            return set(), False
        is_same = one.status == "ready" and one.action == {action: body}
        return (set() if is_same else {"ENVIRONMENT_EXISTS"}), is_same

    def _create(self, body):
        codes, is_same = self._taken("createEnvironment", body, body["environment"])
        if is_same:
            return set()
        codes |= set() if body["account"] in self.accounts else {"ACCOUNT_UNKNOWN"}
        return codes | (set() if body["regionId"].startswith("aws-") else {"REGION_UNKNOWN"})

    def _source(self, name):
        one = self.environments.get(name)
        if one is None or one.status != "ready":
            return {"SOURCE_NOT_ON_NEON"}
        return {"SOURCE_EXPIRES"} if "expiresAt" in one.state else set()

    def _branch(self, body):
        codes, is_same = self._taken("branchEnvironment", body, body["environment"])
        return set() if is_same else codes | self._source(body["sourceEnvironment"])

    def _import(self, body):
        codes, is_same = self._taken("importEnvironment", body, body["environment"])
        if is_same:
            return set()
        account, branch = body["branch"]["account"], body["branch"]["branch"]
        if account not in self.accounts:
            codes |= {"ACCOUNT_UNKNOWN"}
        elif self.accounts[account] != "one" or not branch.startswith("br-"):
            codes |= {"BRANCH_NOT_FOUND"}
        elif not body.get("shared") and self._rivals(branch, body["environment"]):
            codes |= {"ALREADY_IMPORTED"}
        return codes

    def _rivals(self, branch, name):
        return [other for other, one in self.environments.items()
                if other != name and one.state.get("branchId") == branch]

    def _edit_project(self, body):
        if body.get("refresh"):
            return self._standing(body["environment"])
        codes = self._changeable(body["environment"])
        one = self.environments.get(body["environment"])
        siblings = [other for other in self.environments.values()
                    if one and other.project == one.project and other.origin == "created"]
        return codes or (set() if siblings else {"PROJECT_NOT_OURS"})

    def _edit_endpoint(self, body):
        return self._changeable(body["environment"])

    def _by_sql(self, body):
        """Without computes nobody logs in to a branch."""
        return self._changeable(body["environment"]) | (set() if self.computes else {"LOGIN_IS_OFF"})

    def _reveal(self, body):
        codes = self._standing(body["environment"])
        return codes | (set() if body["isListed"] else {"RECIPIENT_NOT_LISTED"})

    def _set_base(self, body):
        codes = self._source(body["environment"])
        return {"BASE_EXPIRES"} if codes == {"SOURCE_EXPIRES"} else codes

    def _open(self, body):
        one = self.environments.get(f"pr:{body['pullRequest']}")
        if one is not None and one.status == "ready":
            return set()
        if self.base is None:
            return {"PREVIEW_BASE_UNSET"}
        return self._source(self.base) if self.base in self.environments else {"PREVIEW_BASE_GONE"}

    def _children(self, name):
        """By their branches: a name may have been given again."""
        branch = self.environments[name].state.get("branchId")
        return [one for one in self.environments.values()
                if branch and one.state.get("sourceBranchId") == branch]

    def _reset(self, body):
        codes = self._changeable(body["environment"])
        one = self.environments.get(body["environment"])
        if one is None:
            return codes
        codes |= set() if one.origin == "branched" else {"NOT_BRANCHED"}
        return codes | ({"HAS_DEPENDENTS"} if self._children(body["environment"]) else set())

    def _delete(self, body):
        name = body["environment"]
        one = self.environments.get(name)
        if one is None:
            return {"ENVIRONMENT_UNKNOWN"}
        if one.origin == "imported":
            return {"IMPORTED_READ_ONLY"} if body.get("deleteData") else set()
        needs_data = one.origin == "created" and not body.get("deleteData")
        others = self._children(name) if one.origin == "branched" else [
            other for other in self.environments.values() if other is not one and other.project == one.project]
        return ({"DELETE_DATA_REQUIRED"} if needs_data else set()) | ({"HAS_DEPENDENTS"} if others else set())

    def _refusals(self, command):
        action = action_of(command)
        body = command[action]
        codes = {
            "connectAccount": self._connect, "disconnectAccount": self._disconnect,
            "discoverAccount": self._discover, "createEnvironment": self._create,
            "branchEnvironment": self._branch, "importEnvironment": self._import,
            "editProject": self._edit_project, "editEndpoint": self._edit_endpoint,
            "rotateCredentials": self._by_sql, "revealCredentials": self._reveal,
            "setPreviewBase": self._set_base, "openPreview": self._open,
            "closePreview": lambda _: set(), "resetEnvironment": self._reset,
            "deleteEnvironment": self._delete, "setupRoles": self._by_sql,
        }[action](body)
        return codes | ({"EXPIRED"} if "deadline" in command else set())

    # ---- a step

    def _step(self, command, event):
        kind = body_of(event)
        action = action_of(command)
        if any(one.status == "unsure" for one in self.environments.values()):
            self._settle_unsure(command, event)
        elif kind in STOPPED:
            self._stopped(command, event[kind], STOPPED[kind])
        elif action == "cancelCommand":
            self._cancel(command, event)
        elif kind in ("commandRejected", "commandFailed"):
            self._refused(command, event[kind], kind == "commandFailed")
        else:
            self._done(command, event, kind)

    def _refused(self, command, body, has_begun):
        wanted = self._refusals(command)
        code = body["code"]
        if code in wanted:
            return
        may_be = code in FAULT_CODES and (has_begun or code == "NEON_DENIED")
        if may_be and not wanted:
            self.by_fault += 1
            self._failed(command, body)
        elif not (code == "ALREADY_IMPORTED" and not wanted and self._has_rival(command)):
            self._fault(command, f"{code} ({body.get('message')}), not {sorted(wanted) or 'done'}")

    def _has_rival(self, command):
        """Of two who import a branch at once either may win, but only one."""
        branch = command["importEnvironment"]["branch"]["branch"]
        return any(
            "importEnvironment" in other and other["importEnvironment"]["branch"]["branch"] == branch
            and body_of(self.outcomes.get(other["commandId"], {"none": 0})) == "environmentImported"
            for other in self.commands if other is not command)

    def _failed(self, command, body):
        """A failed creation is undone unless something was left; a failed deletion may be anywhere."""
        name = target_of(command)
        action = action_of(command)
        one = self.environments.get(name)
        if action in MAKERS and one is None and body.get("left"):
            self.environments[name] = Environment(MAKERS[action], {action: command[action]}, {})
            self.environments[name].status = "failed"
        elif one is not None and (body.get("left") or (
                action in ("deleteEnvironment", "closePreview") and "code" in body)):
            one.status = "unsure"

    def _settle_unsure(self, command, event):
        """What is told until it is sure again is believed."""
        kind = body_of(event)
        self.by_fault += 1
        if kind == "environmentDeleted":
            self.environments.pop(target_of(command), None)
        elif kind in ("environmentCreated", "environmentBranched", "environmentImported"):
            self._made(command, event[kind])
        elif kind == "previewBaseSet":
            self.base = command["setPreviewBase"]["environment"]
        elif kind == "accountConnected":
            self._connected(command, event[kind])
        elif kind == "accountDisconnected":
            self.accounts.pop(command["disconnectAccount"]["account"], None)

    def _stopped(self, command, body, by):
        """By a command that is there and may; what it made is undone."""
        stopper = next((other for other in self.commands if other["commandId"] == body.get(by)), None)
        if stopper is None:
            self._fault(command, f"stopped by {body.get(by)}, which is no command")
        elif by == "cancelledBy" and stopper.get("cancelCommand", {}).get("commandId") != command["commandId"]:
            self._fault(command, f"cancelled by {body[by]}, which names another command")
        elif by == "supersededBy" and not self._may_supersede(stopper, command):
            self._fault(command, f"superseded by {body[by]}, which may not")
        self._failed(command, body)

    def _may_supersede(self, stopper, command):
        """A closing stops whatever is for its preview, an opening only earlier openings."""
        stops = "closePreview" in stopper or ("openPreview" in stopper and "openPreview" in command)
        return (stops and target_of(stopper) == target_of(command)
                and self.places[stopper["commandId"]] > self.places[command["commandId"]])

    def _cancel(self, command, event):
        target = self.outcomes.get(command["cancelCommand"]["commandId"])
        kind = body_of(event)
        is_cancelled = target is not None and body_of(target) == "commandCancelled"
        by_us = is_cancelled and target["commandCancelled"].get("cancelledBy") == command["commandId"]
        turned = target is None or body_of(target) in {*STOPPED, "commandRejected", "commandFailed"}
        if kind == "cancelAccepted" and not turned:
            self._fault(command, f"accepted, but its command ended with {body_of(target)}")
        elif kind == "commandRejected" and event[kind]["code"] == "EXPIRED":
            return
        elif kind in ("commandRejected", "commandFailed") and (
                by_us or event[kind]["code"] not in STOP_REFUSALS):
            self._fault(command, f"{event[kind]['code']}, and its command ended with {body_of(target or {0: 0})}")

    # ---- what was done

    def _done(self, command, event, kind):
        action = action_of(command)
        wanted = self._refusals(command)
        if kind != EVENTS[action]:
            self._fault(command, f"ended with {kind}")
            return
        if wanted:
            self._fault(command, f"done, though it is {sorted(wanted)}")
        body = command[action]
        if action in MAKERS:
            self._made(command, event[kind])
        elif action == "connectAccount":
            self._connected(command, event[kind])
        elif action == "disconnectAccount":
            self.accounts.pop(body["account"], None)
        elif action == "setPreviewBase":
            self.base = body["environment"]
        elif action in ("deleteEnvironment", "closePreview"):
            self.environments.pop(target_of(command), None)
        elif action == "resetEnvironment":
            self._learn(command, event[kind]["environment"])
        elif action == "editEndpoint":
            self._edited(command, event[kind])
        elif action == "editProject":
            self._project_edited(command, event[kind])

    def _connected(self, command, done):
        body = command["connectAccount"]
        if done.get("replaced", False) != (body["account"] in self.accounts):
            self._fault(command, f"replaced={done.get('replaced', False)}")
        self.accounts[body["account"]] = self.organizations[body["reference"].partition(":")[2]]

    def _learn(self, command, state):
        one = self.environments.get(target_of(command))
        if one is not None:
            if state.get("branchId") != one.state.get("branchId"):
                self._fault(command, f"another branch: {state.get('branchId')}")
            one.learn(state)

    def _made(self, command, done):
        action = action_of(command)
        name = target_of(command)
        state = done["environment"]
        before = self.environments.get(name)
        was_there = before is not None and before.status == "ready"
        is_known = before is None or before.status != "unsure"
        if is_known and action != "importEnvironment" and done.get("created", False) == was_there:
            self._fault(command, f"created={done.get('created', False)}, and it {'was' if was_there else 'was not'} there")
        if was_there:
            self._learn(command, state)
            return
        one = Environment(MAKERS[action], {action: command[action]}, state)
        one.source = self.base if action == "openPreview" else command[action].get("sourceEnvironment")
        source = self.environments.get(one.source)
        if state.get("environment") != name or state.get("origin", "").lower() != f"origin_{one.origin}":
            self._fault(command, f"tells of {state.get('environment')}, {state.get('origin')}")
        if source is not None and source.project != one.project:
            self._fault(command, f"branched into {one.project}, not {source.project}")
        self.environments[name] = one

    def _edited(self, command, done):
        one = self.environments.get(target_of(command))
        wanted = command["editEndpoint"]["endpoint"]
        before, after = done.get("before", {}), done.get("after", {})
        if any(_number(after.get(key)) != _number(value) for key, value in wanted.items()):
            self._fault(command, f"after={after}, not {wanted}")
        if done.get("changed", False) != (before != after):
            self._fault(command, f"changed={done.get('changed', False)}, from {before} to {after}")
        if one is not None:
            if one.endpoint and one.endpoint != before:
                self._fault(command, f"before={before}, but it was {one.endpoint}")
            one.endpoint = after

    def _project_edited(self, command, done):
        before, after = done.get("historyRetentionSecondsBefore"), done.get("historyRetentionSecondsAfter")
        wanted = command["editProject"].get("historyRetentionSeconds")
        if wanted is not None and after != wanted:
            self._fault(command, f"after={after}, not {wanted}")
        if wanted is not None and done.get("changed", False) != (before != after):
            self._fault(command, f"changed={done.get('changed', False)}, from {before} to {after}")


def _number(value):
    return None if value is None else float(value)
