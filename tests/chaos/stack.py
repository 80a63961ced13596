"""The parts of a campaign, all on loopback: three brokers, the ledger, neon-sandbox without computes,
workers; and between any two of them a door (doors.py)."""
import concurrent.futures
import ctypes
import json
import os
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request

import keys
import plan

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
LOCAL = os.path.join(ROOT, "deploy", "local")
BROKERS = 3
PARTITIONS = 6
PR_SET_PDEATHSIG = 1
START_SECONDS = 120
STOP_SECONDS = 60
LOOK_SECONDS = 0.05
GROUP = "chaos"
POSTGRES_MAJOR = "17"  # of the branches, where they have computes

# What the sandbox is assumed to keep (plan.NEON stays below): so short that a campaign sees many.
SETTINGS = """\
log.level = debug
log.format = json
group.id = {group}
admin.address = 127.0.0.1:0
ledger.migrate = auto
environments.check_login = {login}
secrets.fleet_private_key_file = {dir}/fleet.key
secrets.key_encryption_key_file = {dir}/ledger.key
secrets.references_root = {dir}/references
reveal.recipients_file = {dir}/recipients
commands.crash_limit = 100
commands.require_signature = on
commands.signing_key_file = {dir}/signing.key
[topics]
commands = commands
events = events
state = state
dead_letters = dead-letters
partitions = {partitions}
replication = {brokers}
[neon]
poll_interval = 50ms
send_window = 2s
request_timeout = 5s
listing_lag = 2s
requests_per_second = 200
burst = 200
[kafka]
consumer.session.timeout.ms = 6000
"""

FAILING_COMMITS = """
CREATE SCHEMA chaos;
CREATE SEQUENCE chaos.failures;
CREATE TABLE chaos.fault (share float8 NOT NULL);
CREATE FUNCTION chaos.fail() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF random() < (SELECT share FROM chaos.fault LIMIT 1) THEN
        PERFORM nextval('chaos.failures');
        RAISE EXCEPTION 'no space left on device' USING ERRCODE = 'disk_full';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER chaos AFTER INSERT OR UPDATE ON provision.command
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION chaos.fail();
"""


class Aborted(Exception):
    """The campaign is over: what was still to come doesn't."""


_over = threading.Event()


def pause(seconds):
    """The schedule's pace: what was begun goes on for so long. Nothing is awaited by it."""
    if _over.wait(max(0.0, seconds)):
        raise Aborted


def abort():
    _over.set()


def until(condition, what, seconds=START_SECONDS):
    """What `condition` gives, once it is true."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s: {what}")
        pause(LOOK_SECONDS)


def die_with_parent():
    """With the thread that started it, to be exact: see Stack.spawn."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


class Worker:
    """One place of the fleet: a process, and the next one when it has ended."""

    def __init__(self, stack, number):
        self.stack = stack
        self.number = number
        self.name = f"worker-{number}"
        self.log = os.path.join(stack.dir, self.name + ".log")
        self.process = None
        self.wanted = False
        self.lock = threading.Lock()  # one fault at a time
        self.ends = []  # of those that ended by themselves
        self.ended_ms = []  # when they were found so

    def start(self):
        env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8",
               "ASAN_OPTIONS": "detect_leaks=1:exitcode=99", "UBSAN_OPTIONS": "print_stacktrace=1",
               "PROVISION_KAFKA_BOOTSTRAP_SERVERS": self.stack.bootstrap_doors,
               "PROVISION_COMMANDS_SIGNERS": keys.listed(self.stack.applications),
               "PROVISION_LEDGER_URI_FILE": self.stack.path(f"ledger-{self.number}.uri"),
               "PROVISION_NEON_API_URL": self.stack.api_doors[self.number]}
        point = self.stack.points(self.number) if self.stack.points else None
        if point:
            env["CRASH_POINT_AT"] = point
        with open(self.log, "ab") as log:
            self.process = self.stack.spawn(
                [self.stack.program("worker/main/provision-worker"), "--config",
                 self.stack.path("worker.ini")], env=env, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log)
        self.wanted = True

    def tend(self):
        """Starts the next one where one has ended unasked: 75 says that this is the way on."""
        if self.wanted and not self.lock.locked() and self.process.poll() is not None:
            self.ends.append(self.process.returncode)
            self.ended_ms.append(time.time() * 1000)
            self.start()

    def renew(self):
        """Its process ends as it is asked to, and the next one reads its settings anew."""
        with self.lock:
            self.terminate()
            until(lambda: self._has_ended(), "a worker ends", STOP_SECONDS)
            code = self.process.returncode
            self.start()
        return code

    def point(self):
        """The one at which it has stopped itself: POINT/ACTION/STEP, or less."""
        with open(self.log, "rb") as file:
            told = [line for line in file.read().splitlines() if line.startswith(b"crash point ")]
        return told[-1][len(b"crash point "):].decode() if told else ""

    def terminate(self):
        """Asks it to end, once it hears."""
        until(lambda: self.process.poll() is not None or self._has_begun(), "a worker has begun", STOP_SECONDS)
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def _has_begun(self):
        with open(self.log, "rb") as file:
            return f"-{self.process.pid} of installation".encode() in file.read()

    def _has_ended(self):
        if self.process.poll() is None and self.is_frozen():
            self.process.send_signal(signal.SIGCONT)  # at a point of its own
        return self.process.poll() is not None

    def is_frozen(self):
        try:
            with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as file:
                return file.read().rpartition(")")[2].split()[0] == "T"  # "t": LeakSanitizer looks at it
        except OSError:
            return False  # it has ended


class Stack:
    def __init__(self, directory, binaries, applications, workers, doors, record=True, points=None, computes=False):
        self.dir = directory
        self.bin = binaries
        self.applications = applications
        self.doors = doors
        self.kafka = None
        self.sandbox = None
        self.api_url = ""
        self.ca_file = ""
        self.api_doors = []
        self.broker_lock = threading.Lock()
        self.ledger_lock = threading.Lock()
        self.record = record
        self.computes = computes  # the branches are clusters: roles are set up, and prove themselves
        self.points = points  # worker's number: where its next process stops itself
        self.workers = [Worker(self, number) for number in range(workers)]
        self.spawner = concurrent.futures.ThreadPoolExecutor(1)

    def spawn(self, command, **more):
        """A process that ends with this one, whichever thread asks for it."""
        return self.spawner.submit(
            lambda: subprocess.Popen(command, preexec_fn=die_with_parent, **more)).result()

    def path(self, name):
        return os.path.join(self.dir, name)

    def program(self, name):
        return os.path.join(self.bin, name)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as file:
            os.chmod(self.path(name), 0o600)
            file.write(text)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read().strip()

    # ---- start

    def start(self):
        self.kafka = subprocess.Popen([f"{LOCAL}/kafka", "start", "--dir", self.path("kafka"), "--nodes",
                                       str(BROKERS), "--doors", "--peers"], stdout=subprocess.DEVNULL)
        run(f"{LOCAL}/postgres", "ledger", "start", "--dir", self.path("ledger"))
        self._start_sandbox()
        self._make_secrets()
        if self.kafka.wait() != 0:
            raise RuntimeError("Kafka did not start")
        self._make_doors()
        self.write("recipients", "".join(f"{name}={self.recipient}\n" for name in self.applications))
        settings = SETTINGS.format(group=GROUP, dir=self.dir, partitions=PARTITIONS, brokers=BROKERS,
                                   login="on" if self.computes else "off")
        more = f"[postgres]\nca_file = {self.ca_file}\n" if self.computes else ""
        self.write("worker.ini", settings + more)
        self.task("topics", "create")
        self.task("migrate")
        self.psql(FAILING_COMMITS)
        for worker in self.workers:
            worker.start()

    def _start_sandbox(self):
        options = ["--record", self.path("record.jsonl")] if self.record else []
        with open(self.path("sandbox.log"), "ab") as log:
            self.sandbox = self.spawn(
                [self.program("deploy/sandbox/neon-sandbox"), *self._computes(), "--port", "0",
                 "--state", self.path("sandbox"), "--operation-ms", "400", "--latency-ms", "5", "--quiet", *options],
                stdout=subprocess.DEVNULL, stderr=log)
        until(lambda: os.path.exists(self.path("sandbox/ready.json")), "neon-sandbox is ready")
        ready = json.loads(self.read("sandbox/ready.json"))
        self.api_url, self.ca_file = ready["api_url"], ready.get("ca_file", "")

    def _computes(self):
        if not self.computes:
            return ["--no-compute"]
        newest = run(f"{LOCAL}/postgres", "fetch", POSTGRES_MAJOR).strip()
        return ["--postgres", newest, "--suspend-ms", "3000", "--history", "0"]

    def _make_secrets(self):
        ctl = self.program("producer/provisionctl")
        self.write_keys([keys.OLD] if self.points else [keys.OLD, keys.NEW])
        self.write("signing.key", keys.seed("workers").hex() + "\n")
        run(ctl, "keygen", "--out", self.path("recipient.key"))
        self.recipient = self.read("recipient.key.pub")
        for application in self.applications:
            for name, organization in plan.KEYS.items():
                key = f"napi_{application}_{name}"
                self.write(f"references/{application}/{name}", key + "\n")
                if organization:
                    org = f"org-{application}-{organization}"
                    self.call("POST", "/sandbox/keys", {"key": key, "kind": "organization",
                                                        "account_id": org, "organizations": [org]})

    def write_keys(self, numbers):
        """Of the fleet and of the ledger: the first seals, all of them open."""
        for name in ("fleet", "ledger"):
            self.write(f"{name}.key", ",".join(keys.seed(f"{name}/{number}").hex() for number in numbers) + "\n")

    def _make_doors(self):
        ports = []
        for number in range(BROKERS):
            proxy, door = self.read(f"kafka/node{number + 1}/door").split()
            ports.append(self.doors.add(f"kafka-{number}", int(door), int(proxy)))
            proxy, door = self.read(f"kafka/node{number + 1}/peer").split()
            self.doors.add(f"peer-{number}", int(door), int(proxy))
        self.bootstrap_doors = ",".join(f"127.0.0.1:{port}" for port in ports)
        self.bootstrap = self.read("kafka/bootstrap")
        uri = self.read("ledger/uri")
        ledger_port = int(uri.rpartition(":")[2].partition("/")[0])
        api_port = int(self.api_url.split(":")[2].partition("/")[0])
        for worker in self.workers:
            port = self.doors.add(f"ledger-{worker.number}", ledger_port)
            self.write(f"ledger-{worker.number}.uri", uri.replace(f":{ledger_port}/", f":{port}/"))
            port = self.doors.add(f"neon-{worker.number}", api_port)
            self.api_doors.append(self.api_url.replace(f":{api_port}/", f":{port}/"))

    def task(self, *arguments):
        env = {"PATH": os.environ["PATH"], "ASAN_OPTIONS": "detect_leaks=1",
               "PROVISION_KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
               "PROVISION_COMMANDS_SIGNERS": keys.listed(self.applications),
               "PROVISION_LEDGER_URI_FILE": self.path("ledger/uri"),
               "PROVISION_NEON_API_URL": self.api_url}
        run(self.program("worker/main/provision-worker"), "--config", self.path("worker.ini"),
            *arguments, env=env)

    # ---- talk

    def call(self, method, path, body=None, key=None):
        """The API's reply as JSON; `path` from the root for /sandbox, else below /api/v2."""
        base = self.api_url.partition("/api/")[0] if path.startswith("/sandbox") else self.api_url
        request = urllib.request.Request(base + path, method=method,
                                         data=None if body is None else json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        request.add_header("User-Agent", "chaos")
        if key:
            request.add_header("Authorization", "Bearer " + key)
        with urllib.request.urlopen(request, timeout=30) as reply:
            text = reply.read()
        return json.loads(text) if text else None

    def make_foreign(self):
        """Projects that somebody has made before: [{project, branch, application}]."""
        made = []
        for application in self.applications:
            for number in range(plan.FOREIGN_EACH):
                body = {"project": {"name": f"{application}-legacy-{number}",
                                    "region_id": plan.REGION}}
                reply = self.call("POST", "/projects", body, f"napi_{application}_first")
                made.append({"application": application, "project": reply["project"]["id"],
                             "branch": reply["branch"]["id"]})
        return made

    def psql(self, sql):
        """The rows as JSON objects, where `sql` is a query."""
        is_query = sql.lstrip().upper().startswith("SELECT")
        text = f"SELECT coalesce(jsonb_agg(t), '[]') FROM ({sql}) t" if is_query else sql
        uri = self.read("ledger/admin-uri").rpartition("/")[0] + "/provision"
        out = run("psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", uri, input=text)
        return json.loads(out) if is_query else None

    # ---- end

    def stop_workers(self):
        """With SIGTERM: the exit codes."""
        for worker in self.workers:
            worker.wanted = False
            worker.terminate()
        codes = []
        for worker in self.workers:
            try:
                codes.append(worker.process.wait(STOP_SECONDS))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                codes.append(worker.process.wait())
        return codes

    def stop(self):
        abort()
        for worker in self.workers:
            worker.wanted = False
            if worker.process and worker.process.poll() is None:
                worker.process.kill()
                worker.process.wait()
        if self.sandbox and self.sandbox.poll() is None:
            self.sandbox.send_signal(signal.SIGTERM)
            self.sandbox.wait(STOP_SECONDS)
        if self.kafka:
            self.kafka.wait()  # what it still starts would stay
        subprocess.run([f"{LOCAL}/postgres", "ledger", "stop", "--dir", self.path("ledger")], check=False)
        subprocess.run([f"{LOCAL}/kafka", "stop", "--dir", self.path("kafka")], check=False)
