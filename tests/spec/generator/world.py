"""A sandbox's world with real ids in it: what the requests of the generator speak about."""

import http.client
import json
import time
import urllib.parse

ORGANIZATION = "org-generator"
KEY = "generator-key"
LOCKED_SECONDS = 30


class Api:
    """Calls that the generator makes for itself, over one connection."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.address = (parts.hostname, parts.port)
        self.base = parts.path
        self.connection = None

    def send(self, method, path, body=None):
        if self.connection is None:
            self.connection = http.client.HTTPConnection(*self.address, timeout=60)
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        text = None if body is None else json.dumps(body)
        base = "" if path.startswith("/sandbox/") else self.base
        self.connection.request(method, base + path, text, headers)
        reply = self.connection.getresponse()
        content = reply.read()
        return reply.status, json.loads(content) if content else None

    def make(self, method, path, body=None):
        """The reply to a call that has to succeed, once no other operation is in its way."""
        deadline = time.monotonic() + LOCKED_SECONDS
        while True:
            status, reply = self.send(method, path, body)
            if status < 300:
                return reply
            if status != 423 or time.monotonic() > deadline:
                raise RuntimeError(f"{method} {path}: {status} {reply}")


class World:
    """One project with what the routes need, and the ids of it all.

    `single`: the project stays the same to the end, because making one takes time (clusters);
    otherwise everything is made anew after each call that changed something.
    """

    def __init__(self, url, single):
        self.api = Api(url)
        self.single = single
        self.ids = {}
        self.serial = 0
        self.is_stale = True
        self.spares = {}  # by route: what its next success uses up

    def name(self):
        self.serial += 1
        return f"spare_{self.serial}"

    def build(self):
        api = self.api
        project = api.make("POST", "/projects", {"project": {"name": "generator"}})
        project_id = project["project"]["id"]
        branches = f"/projects/{project_id}/branches"
        second = api.make(
            "POST", branches, {"branch": {}, "endpoints": [{"type": "read_write"}]}
        )
        bare = api.make("POST", branches, {"branch": {}})
        members = api.make("GET", f"/organizations/{ORGANIZATION}/members")["members"]
        self.ids = {
            "org_id": ORGANIZATION,
            "member_id": members[0]["member"]["id"],
            "project_id": project_id,
            "root_id": project["branch"]["id"],
            "branch_id": second["branch"]["id"],
            "bare_id": bare["branch"]["id"],
            "endpoint_id": second["endpoints"][0]["id"],
            "role_name": project["roles"][0]["name"],
            "database_name": project["databases"][0]["name"],
            "operation_id": project["operations"][0]["id"],
        }
        self.spares = {}
        self.wait()

    def wait(self):
        """Until none of the project's operations is under way."""
        deadline = time.monotonic() + LOCKED_SECONDS
        path = f"/projects/{self.ids['project_id']}/operations"
        while time.monotonic() < deadline:
            operations = self.api.make("GET", path)["operations"]
            if all(each["status"] in ("finished", "skipped") for each in operations):
                return
        raise RuntimeError(f"operations don't end: {operations}")

    def make_role(self):
        body = {"role": {"name": self.name()}}
        return self.api.make("POST", self.branch_path("/roles"), body)["role"]["name"]

    def make_database(self):
        body = {"database": {"name": self.name(), "owner_name": self.ids["role_name"]}}
        return self.api.make("POST", self.branch_path("/databases"), body)["database"]["name"]

    def make_key(self, of_organization):
        path = f"/organizations/{ORGANIZATION}/api_keys" if of_organization else "/api_keys"
        return self.api.make("POST", path, {"key_name": self.name()})["id"]

    def branch_path(self, rest):
        return f"/projects/{self.ids['project_id']}/branches/{self.ids['branch_id']}{rest}"

    def make_spare(self, label):
        """The parameter that the route uses up, and a value of it."""
        method, path = label.split(" ")
        if path.endswith("/api_keys/{key_id}"):
            return "key_id", self.make_key(path.startswith("/organizations/"))
        if method == "DELETE" and path.endswith("/roles/{role_name}"):
            return "role_name", self.make_role()
        if method in ("DELETE", "PATCH") and path.endswith("/databases/{database_name}"):
            return "database_name", self.make_database()
        return None

    def prepare(self, label):
        """Real values of the path's parameters for one call of that route."""
        if not self.ids or (self.is_stale and not self.single):
            self.build()
        self.is_stale = False
        values = dict(self.ids)
        if label not in self.spares:
            self.spares[label] = self.make_spare(label)
        if self.spares[label] is not None:
            name, value = self.spares[label]
            values[name] = value
        if label.endswith("/recover"):
            is_branch = "{branch_id}" in label
            path = self.branch_path("") if is_branch else f"/projects/{values['project_id']}"
            self.api.make("DELETE", path)
            self.is_stale = True
        if self.single:
            self.wait()
        return values

    def note(self, label, status):
        """What a reply means for the calls to come."""
        if not label.startswith("GET ") and status < 300:
            self.is_stale = True
            self.spares.pop(label, None)


def add_key(api):
    """Personal, in an organization of its own: the one kind of key that may do everything."""
    body = {
        "key": KEY,
        "kind": "personal",
        "account_id": "5f8a3e52-6a0e-4d5c-9c3f-000000000001",
        "organizations": [ORGANIZATION],
    }
    api.make("POST", "/sandbox/keys", body)
