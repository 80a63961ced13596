"""A neon-sandbox of a test, without computes if not told otherwise: started, called over HTTP,
stopped."""

import json
import os
import subprocess
import tempfile
import urllib.error
import urllib.request

KEY = "sandbox-org-key"
START_SECONDS = 30


class Sandbox:
    def __init__(self, program, *arguments, computes=False):
        self.folder = tempfile.TemporaryDirectory(prefix="neon-spec-")
        os.chmod(self.folder.name, 0o755)  # the clusters' user has to get through
        self.dir = self.folder.name
        self.program = program
        self.arguments = [*arguments] if computes else ["--no-compute", *arguments]

    def __enter__(self):
        self.process = subprocess.Popen(
            [self.program, "--port", "0", "--state", self.dir + "/state", "--quiet",
             "--operation-ms", "0", *self.arguments],
            stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if "ready at" not in line:
            raise RuntimeError(f"neon-sandbox did not start: {line}")
        with open(self.dir + "/state/ready.json", encoding="utf-8") as file:
            self.url = json.load(file)["api_url"]
        return self

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        if self.process.wait(START_SECONDS) != 0:
            raise RuntimeError("neon-sandbox did not stop cleanly")
        self.process.stdout.close()

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            self.process.kill()
            self.folder.cleanup()

    def fault(self, **fault):
        admin = self.url.removesuffix("/api/v2") + "/sandbox"
        status, _ = call(admin, "POST", "/faults", fault)
        assert status == 201, status


def call(url, method, path, body=None, agent="spec-test", key=KEY):
    """(status, JSON or None, headers aside); an error's status too."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"User-Agent": agent, "Authorization": "Bearer " + key}
    if data is not None:
        headers["Content-Type"] = "application/json"
    request = urllib.request.Request(url + path, data, headers, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=START_SECONDS) as reply:
            return reply.status, read(reply)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, read(error)


def read(reply):
    text = reply.read().decode()
    try:
        return json.loads(text)
    except ValueError:
        return None


def program_of(build):
    return os.path.join(build, "deploy/sandbox/neon-sandbox")
