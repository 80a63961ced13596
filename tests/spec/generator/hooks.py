"""What schemathesis loads: puts real ids into the requests, judges replies more closely than its
own checks do, and counts them. GENERATOR_URL, GENERATOR_SINGLE and GENERATOR_COUNTS tell it where
and how."""

import atexit
import collections
import datetime
import json
import os
import re
import uuid

import schemathesis
from schemathesis.core.failures import Failure
from schemathesis.core.parameters import ParameterLocation

from world import World

ID = re.compile(r"[a-z0-9-]{1,60}")
ID_NAMES = {
    "branch_id": "bare_id",
    "org_id": "org_id",
    "parent_id": "root_id",
    "project_id": "project_id",
    "source_branch_id": "root_id",
}
QUERY_NAMES = {
    "base_branch_id": "root_id",
    "branch_id": "branch_id",
    "database_name": "database_name",
    "db_name": "database_name",
    "endpoint_id": "endpoint_id",
    "org_id": "org_id",
    "role_name": "role_name",
}
# Every so many calls of a route keep the ids that were made up: those get 404.
MADE_UP_EVERY = 8

# Why Neon may refuse what its schema allows: rules that a schema can't express. Anything else that
# is refused is a fault of the sandbox.
REFUSALS = [
    (400, r"\(len \d+, \d+ to \d+ expected\)"),
    (400, r"NUL byte|\\\\u0000|query string|too big (negative )?integer|real number overflow"),
    (400, r"a future time in RFC 3339 expected|is outside the project's history"),
    (400, r"autoscaling limits|suspend_timeout_seconds is below the minimum"),
    (400, r"not supported by this sandbox"),
    (400, r'query parameter \\"cursor\\"|(source|parent)_lsn'),
    (400, r"settings must not be nil|invalid Postgres setting"),
    (400, r"provisioner \(unknown value\)"),
    (422, r"ENDPOINTS_LIMIT_EXCEEDED"),
    (422, r"a protected branch cannot expire"),
]

world = World(os.environ["GENERATOR_URL"], os.environ["GENERATOR_SINGLE"] == "yes")
counts = collections.defaultdict(collections.Counter)
calls = collections.Counter()
names = collections.defaultdict(set)


class Refused(Failure):
    """A body of a wrong shape was refused for another reason than its shape."""


class Nameless(Failure):
    """A reply without Neon's request id."""


def is_negative(case, location):
    return case.meta is not None and case.meta.is_negative_at(location)


def set_path(case, values):
    parameters = case.path_parameters
    if not parameters or is_negative(case, ParameterLocation.PATH):
        return False
    label = case.operation.label
    # Keys are revoked by their number: a made-up one might be anybody's.
    keeps = calls[label] % MADE_UP_EVERY == 0 and "key_id" not in parameters
    keeps = keeps and not case.meta.generation.mode.is_negative
    if not keeps:
        for name in parameters:
            parameters[name] = values[name]
    return not keeps


def format_time(days):
    time = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def set_query(case, values):
    query = case.query
    if not query:
        return
    for name in query:
        if name in QUERY_NAMES and isinstance(query[name], str) and ID.fullmatch(query[name]):
            query[name] = values[QUERY_NAMES[name]]
    if not is_negative(case, ParameterLocation.QUERY):
        if "format" in query:
            query["format"] = "sql"
        if "timestamp" in query:
            query["timestamp"] = format_time(0)
        for name in ("database_name", "db_name", "role_name"):
            if name in query:
                query[name] = values[QUERY_NAMES[name]]


def set_body(value, values, is_valid):
    """Real ids at whatever depth; what breaks the schema stays as it is."""
    if isinstance(value, list):
        for item in value:
            set_body(item, values, is_valid)
    elif isinstance(value, dict):
        for name, item in value.items():
            if not isinstance(item, str):
                set_body(item, values, is_valid)
            elif name in ID_NAMES and ID.fullmatch(item):
                value[name] = values[ID_NAMES[name]]
            elif name == "owner_name":
                value[name] = values["role_name"]
            elif name == "expires_at" and is_valid:
                value[name] = format_time(1)
            elif name in ("parent_timestamp", "source_timestamp") and is_valid:
                value[name] = format_time(0)


def set_name(case):
    """In a world that stays the same, a name that is taken would only ever get 409."""
    for kind in ("database", "role"):
        subject = case.body.get(kind) if isinstance(case.body, dict) else None
        name = subject.get("name") if isinstance(subject, dict) else None
        if not isinstance(name, str) or is_negative(case, ParameterLocation.BODY):
            continue
        if name in names[kind]:
            subject["name"] = world.name()
        names[kind].add(name)


@schemathesis.hook
def before_call(context, case, kwargs):
    label = case.operation.label
    calls[label] += 1
    values = world.prepare(label)
    if set_path(case, values):
        counts[label]["real"] += 1
    set_query(case, values)
    set_body(case.body, values, not is_negative(case, ParameterLocation.BODY))
    if world.single:
        set_name(case)


@schemathesis.hook
def after_call(context, case, response):
    mode = case.meta.generation.mode.value if case.meta is not None else "positive"
    counts[case.operation.label][f"{mode} {response.status_code}"] += 1
    world.note(case.operation.label, response.status_code)


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """False drops it: valid data was refused for a reason that only the server can know."""
    if type(failure).__name__ != "RejectedPositiveData":
        return True
    return not any(
        response.status_code == status and re.search(pattern, response.text)
        for status, pattern in REFUSALS
    )


@schemathesis.check
def shape_is_judged_first(ctx, response, case):
    """A body of a wrong shape gets 400, whatever else there may be to say about the request."""
    others = (ParameterLocation.PATH, ParameterLocation.QUERY, ParameterLocation.HEADER)
    if not is_negative(case, ParameterLocation.BODY) or any(is_negative(case, o) for o in others):
        return
    if response.status_code in (404, 409, 412, 422, 423):
        raise Refused(
            operation=case.operation.label,
            title="A body of a wrong shape was refused for another reason",
            message=f"{response.status_code} {response.text}",
        )


@schemathesis.check
def reply_has_its_id(ctx, response, case):
    """https://api-docs.neon.tech: every reply carries an id that Neon's support asks for."""
    sent = response.headers.get("x-neon-ret-request-id", [""])[0]
    try:
        uuid.UUID(sent)
    except ValueError:
        raise Nameless(
            operation=case.operation.label,
            title="A reply without x-neon-ret-request-id",
            message=f"'{sent}'",
        ) from None


@atexit.register
def write_counts():
    with open(os.environ["GENERATOR_COUNTS"], "w", encoding="utf-8") as file:
        json.dump(counts, file)
