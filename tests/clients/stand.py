"""What every test of this folder stands on: a neon-sandbox of its own with real clusters, in a folder
of its own, and a psql that logs in through the URIs that clients print."""
import atexit
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
LOCAL = os.path.join(ROOT, "deploy", "local")
SKIPPED = 77
PR_SET_PDEATHSIG = 1
STOP_SECONDS = 30
CALL_SECONDS = 120


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


def end_with_parent():
    """Should the test be killed: the sandbox gets SIGTERM, and ends its clusters itself."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Stand:
    """A running sandbox; ended, and its folder removed, when the test ends."""

    def __init__(self, *options):
        # Open to the user that the clusters run as.
        self.folder = tempfile.mkdtemp(prefix="neon-clients-", dir=os.environ.get("BOX_FOLDER"))
        os.chmod(self.folder, 0o755)
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.log = os.path.join(self.folder, "sandbox.log")
        state = os.path.join(self.folder, "state")
        command = [os.environ["NEON_SANDBOX"], "--port", "0", "--postgres-port", "0", "--state", state]
        command += ["--log", self.log, "--ephemeral"]
        command += ["--postgres", fetched("postgres", "fetch", "17"), *options]
        records = os.environ.get("PROVISION_TEST_RECORD_DIR")
        if records:
            name = os.path.basename(sys.argv[0]) + os.path.basename(self.folder)
            command += ["--record", os.path.join(records, name + ".jsonl")]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                                        preexec_fn=end_with_parent)
        atexit.register(self.stop)
        assert "ready" in self.process.stdout.readline(), "the sandbox did not start"
        with open(os.path.join(state, "ready.json"), encoding="utf-8") as file:
            ready = json.load(file)
        self.api_url = ready["api_url"]
        self.ca_file = ready["ca_file"]
        self.postgres_port = ready["postgres_port"]

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

    def login_environment(self):
        """What a person sets once: clients that build a URI from a host name leave out the port,
        and Debian's resolver doesn't know *.localhost."""
        return {"PGHOSTADDR": "127.0.0.1", "PGPORT": str(self.postgres_port)}

    def psql(self, uri, sql, fails=False):
        """What a query through `uri` prints, or the error of one that has to fail."""
        done = subprocess.run(["psql", "-XAt", "-v", "ON_ERROR_STOP=1", "-c", sql, uri],
                              env=self.environment(**self.login_environment()),
                              capture_output=True, text=True, timeout=CALL_SECONDS)
        equal(done.returncode != 0, fails, f"psql fails ({done.stderr.strip()})")
        return (done.stderr if fails else done.stdout).strip()
