"""What every test of this folder stands on: a neon-sandbox of its own with real clusters, in a folder
of its own, and a psql that logs in through the URIs that clients print."""
import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
LOCAL = os.path.join(ROOT, "deploy", "local")
SKIPPED = 77
STOP_SECONDS = 30
CALL_SECONDS = 60


def fetched(script, *arguments):
    """The folder that a script of deploy/local prints. Who can't get it is skipped, outside of CI."""
    done = subprocess.run([os.path.join(LOCAL, script), *arguments], capture_output=True, text=True)
    if done.returncode == 0:
        return done.stdout.strip()
    print(done.stderr, end="")
    sys.exit(1 if os.environ.get("CI") else SKIPPED)


def equal(actual, wanted, what):
    assert actual == wanted, f"{what}: {actual!r}, not {wanted!r}"


def holds(text, part):
    assert part in text, f"{part!r} is not in {text!r}"


def lacks(text, part):
    assert part not in text, f"{part!r} is in {text!r}"


def instant(seconds_ahead):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds_ahead))


def until(condition, what, seconds=30):
    """Calls `condition` until it is true; each call takes a client's time, so nothing spins."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"


class Stand:
    """A running sandbox; ended, and its folder removed, when the test ends."""

    def __init__(self, *options):
        # Open to the user that the clusters run as.
        self.folder = tempfile.mkdtemp(prefix="neon-clients-")
        os.chmod(self.folder, 0o755)
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.log = os.path.join(self.folder, "sandbox.log")
        state = os.path.join(self.folder, "state")
        command = [os.environ["NEON_SANDBOX"], "--port", "0", "--state", state, "--log", self.log, "--ephemeral"]
        command += ["--postgres", fetched("postgres", "fetch", "17"), *options]
        records = os.environ.get("PROVISION_TEST_RECORD_DIR")
        if records:
            name = os.path.basename(sys.argv[0]) + os.path.basename(self.folder)
            command += ["--record", os.path.join(records, name + ".jsonl")]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        atexit.register(self.stop)
        assert "ready" in self.process.stdout.readline(), "the sandbox did not start"
        with open(os.path.join(state, "ready.json"), encoding="utf-8") as file:
            ready = json.load(file)
        self.api_url = ready["api_url"]
        self.ca_file = ready["ca_file"]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        equal(self.process.wait(STOP_SECONDS), 0, "the sandbox's exit status")
        self.process.stdout.close()

    def environment(self, **more):
        """For a client: nothing of this machine's home, no key but the one given."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TZ") if name in os.environ}
        home = os.path.join(self.folder, "home")
        os.makedirs(home, exist_ok=True)
        return {**kept, "HOME": home, "XDG_CONFIG_HOME": os.path.join(home, ".config"),
                "TMPDIR": home, "CI": "1", "PGSSLROOTCERT": self.ca_file, **more}

    def get(self, path, key="sandbox-solo-key"):
        request = urllib.request.Request(self.api_url + path,
                                         headers={"Authorization": "Bearer " + key})
        with urllib.request.urlopen(request, timeout=CALL_SECONDS) as reply:
            return json.load(reply)

    def port_of(self, host):
        """The port of an endpoint by its host name, pooled or not: URIs that a client builds from
        the name alone don't have it."""
        for project in self.get("/projects?limit=400")["projects"]:
            for endpoint in self.get(f"/projects/{project['id']}/endpoints")["endpoints"]:
                if host.startswith(endpoint["id"]):
                    return self.port_of_branch(project["id"], endpoint)
        raise AssertionError(f"no endpoint has the name {host}")

    def port_of_branch(self, project_id, endpoint):
        path = f"/projects/{project_id}/branches/{endpoint['branch_id']}"
        database = self.get(path + "/databases")["databases"][0]
        query = urllib.parse.urlencode({
            "branch_id": endpoint["branch_id"], "endpoint_id": endpoint["id"],
            "database_name": database["name"], "role_name": database["owner_name"]})
        uri = self.get(f"/projects/{project_id}/connection_uri?{query}")["uri"]
        return urllib.parse.urlsplit(uri).port

    def login_environment(self, uri):
        """*.localhost is unknown to Debian's resolver, and only the API's own URIs carry a port."""
        found = urllib.parse.urlsplit(uri)
        return {"PGHOSTADDR": "127.0.0.1", "PGPORT": str(found.port or self.port_of(found.hostname))}

    def psql(self, uri, sql, fails=False):
        """What a query through `uri` prints, or the error of one that has to fail."""
        done = subprocess.run(["psql", "-XAt", "-v", "ON_ERROR_STOP=1", "-c", sql, uri],
                              env=self.environment(**self.login_environment(uri)),
                              capture_output=True, text=True, timeout=CALL_SECONDS)
        equal(done.returncode != 0, fails, f"psql fails ({done.stderr.strip()})")
        return (done.stderr if fails else done.stdout).strip()
