"""What Neon's OpenAPI says of a recorded exchange, asked of openapi-core."""

import json
import urllib.parse

import openapi_core
from openapi_core.datatypes import RequestParameters
from werkzeug.datastructures import Headers, ImmutableMultiDict

import neon_spec

INTEGERS = {"int32": (-(1 << 31), 1 << 31), "int64": (-(1 << 63), 1 << 63), "uint64": (0, 1 << 64)}


def in_range(name):
    least, beyond = INTEGERS[name]
    return lambda value: not isinstance(value, int) or least <= value < beyond


def is_uri(value):
    return not isinstance(value, str) or bool(urllib.parse.urlsplit(value).scheme)


FORMATS = {name: in_range(name) for name in INTEGERS} | {
    "uri": is_uri,
    "email": lambda value: not isinstance(value, str) or "@" in value[1:-1],
}


BODY_UNASKED = "a body where the spec has none"


class RecordedRequest:
    """As openapi-core wants it; the path keeps its escapes, so that a slash in a name parts
    nothing."""

    def __init__(self, line, template):
        self.host_url = "https://console.neon.tech"
        self.path = line["path"]
        self.full_url_pattern = neon_spec.BASE_URL + template
        self.method = line["method"].lower()
        self.body = b"" if line["body"] is None else line["body"].encode()
        # Neon takes a body without a type; clients that send none of it send none of the other.
        self.content_type = (line["content_type"] or "application/json").lower()
        names = template.split("/")
        segments = self.path[len(neon_spec.BASE_PATH):].split("/")
        self.parameters = RequestParameters(
            path={name.strip("{}"): urllib.parse.unquote(segment)
                  for name, segment in zip(names, segments) if name.startswith("{")},
            query=ImmutableMultiDict(arguments(line)),
            header=Headers({"Authorization": "Bearer key"} if line["authorized"] else {}),
            cookie=ImmutableMultiDict(),
        )


class RecordedReply:
    def __init__(self, line):
        self.status_code = line["status"]
        self.headers = Headers(line["headers"])
        self.content_type = line["headers"].get("Content-Type", "")
        self.data = b"" if line["reply"] is None else line["reply"].encode()


def arguments(line):
    return urllib.parse.parse_qsl(line["query"] or "", keep_blank_values=True)


def causes(error):
    """The sentences of an error, the innermost ones, which name the member."""
    inner = list(getattr(error, "schema_errors", None) or [])
    if inner:
        return [f"{'.'.join(str(part) for part in one.absolute_path) or 'body'}: {one.message}"
                for one in inner]
    if error.__cause__ is not None:
        return causes(error.__cause__)
    return [f"{type(error).__name__}: {error}"]


class Judge:
    def __init__(self, spec):
        self.spec = spec
        self.closed = neon_spec.close(spec)
        self.paths = neon_spec.Paths(spec)
        self.asked = {}

    def _validators(self, template):
        """As it came and closed. Each holds one path: openapi-core looks through all of them."""
        if template not in self.asked:
            config = openapi_core.Config(extra_format_validators=FORMATS)
            self.asked[template] = [
                openapi_core.OpenAPI.from_dict(
                    spec | {"paths": {template: spec["paths"][template]}}, config=config)
                for spec in (self.spec, self.closed)
            ]
        return self.asked[template]

    def judge_request(self, line):
        found = self.paths.find(line["method"], line["path"])
        if found is None or found[1] is None:
            return ["no such operation in the spec"]
        template, operation = found
        known = self.paths.query_names(template, operation)
        wrong = [f"unknown query parameter {name}" for name, _ in arguments(line)
                 if name not in known]
        if line["body"] is not None and "requestBody" not in operation:
            wrong.append(BODY_UNASKED)
        if line["body"] is not None and line["content_type"] is None:
            wrong.append("a body without a content type")
        for api in self._validators(template):
            for error in api.iter_request_errors(RecordedRequest(line, template)):
                wrong += causes(error)
        return sorted(set(wrong))

    def judge_reply(self, line):
        wrong = []
        if "x-neon-ret-request-id" not in line["headers"]:
            wrong.append("no x-neon-ret-request-id")
        if line["status"] == 204:
            return wrong + (["a body with 204"] if line["reply"] is not None else [])
        found = self.paths.find(line["method"], line["path"])
        if found is None or found[1] is None:
            return wrong + self._judge_stranger(line)
        template, _ = found
        request, reply = RecordedRequest(line, template), RecordedReply(line)
        for api in self._validators(template):
            for error in api.iter_response_errors(request, reply):
                wrong += causes(error)
        return sorted(set(wrong))

    def _judge_stranger(self, line):
        """What is no operation of the spec gets an error in Neon's shape."""
        try:
            reply = json.loads(line["reply"] or "")
        except ValueError:
            return ["no JSON"]
        if line["status"] not in (401, 404, 405):
            return [f"status {line['status']} to what is no operation of the spec"]
        keys = {"request_id", "code", "message"}
        return [] if isinstance(reply, dict) and set(reply) == keys else ["no error of Neon's"]
