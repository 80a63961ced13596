"""Breaks what the schedule says, when it says so, and counts what really broke: a process that died
or stood still, a coordinator that moved, a connection that was cut, a call that Neon answered wrong."""
import collections
import os
import signal
import subprocess
import threading
import time

import confluent_kafka.admin

import election
import keys
import stack
import zombies

COORDINATOR_SECONDS = 40
EFFECT_SECONDS = 20
REKEY_SECONDS = 90
RENEWED_ENDS = (0, 69, 75)  # see evidence.EXPECTED_ENDS
WINDOWS = 6  # in a lull a fault of so many ms is set again


class Breaker:
    def __init__(self, parts, doors, stages, schedule, seconds, cancel):
        self.stack = parts
        self.doors = doors
        self.schedule = schedule
        self.seconds = seconds
        self.counts = collections.Counter()
        self.is_old_fleet_key_done = None  # whether no command needs the first key any more
        self.began = 0.0
        self.troubles = []  # of the campaign itself
        self.stops = []  # (time_ms, worker's number): when one was killed or frozen
        self.threads = []
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self._run, name="breaker", daemon=True)
        self.keeper = zombies.Keeper(parts, stages, self._count, self._stopped, cancel)

    def start(self):
        self.thread.start()
        self.keeper.start()

    def finish(self):
        """Waits for the last fault to end."""
        self.thread.join()
        for thread in self.threads:
            thread.join()
        self.keeper.calm.set()

    def _run(self):
        self.began = time.monotonic()
        for fault in self.schedule:
            stack.pause(self.began + fault.at * self.seconds - time.monotonic())
            thread = threading.Thread(target=self._break, args=(fault,), daemon=True)
            thread.start()
            self.threads.append(thread)

    def _break(self, fault):
        try:
            getattr(self, "_" + fault.kind)(fault.seconds, **fault.arguments)
        except Exception as trouble:  # told in the end: a fault that didn't happen
            self.troubles.append(f"{fault.kind}: {trouble!r}")

    def _count(self, what, number=1):
        with self.lock:
            self.counts[what] += number

    # ---- workers

    def _stopped(self, worker):
        with self.lock:
            self.stops.append((int(time.time() * 1000), worker.number))

    def _worker_kill(self, seconds, worker):
        place = self.stack.workers[worker]
        with place.lock:
            if place.process.poll() is None:
                self._stopped(place)
                place.process.kill()
                if place.process.wait() == -signal.SIGKILL:
                    self._count("workers killed")
            stack.pause(seconds)
            place.start()

    def _hold_worker(self, seconds, worker, what):
        place = self.stack.workers[worker]
        with place.lock:
            if place.process.poll() is not None:
                return
            process = place.process
            process.send_signal(signal.SIGSTOP)
            stack.until(place.is_frozen, "a worker stands still", 10)
            self._stopped(place)
            stack.pause(seconds)
            if place.is_frozen():
                self._count(what)
            process.send_signal(signal.SIGCONT)

    def _worker_freeze(self, seconds, worker):
        self._hold_worker(seconds, worker, "workers frozen beyond session and intent")

    def _worker_pause(self, seconds, worker):
        self._hold_worker(seconds, worker, "workers paused")

    def _key_change(self, _seconds, until):
        """Under load: both keys good for all, everything sealed under the new one, the old one gone."""
        self._renew_workers([keys.NEW, keys.OLD])
        stack.until(lambda: self._task("rekey"), "everything is sealed under the new key", REKEY_SECONDS)
        stack.pause(self.began + until * self.seconds - time.monotonic())
        stack.until(self.is_old_fleet_key_done, "nothing is sealed to the old key", REKEY_SECONDS)
        self._renew_workers([keys.NEW])
        self._count("keys changed")

    def _renew_workers(self, numbers):
        self.stack.write_keys(numbers)
        for place in self.stack.workers:
            code = place.renew()
            self._count("workers renewed")
            if code not in RENEWED_ENDS:
                self.troubles.append(f"{place.name} ended with {code} on SIGTERM")

    def _task(self, name):
        try:
            self.stack.task(name)
        except RuntimeError:
            return False  # the ledger is away, or something was left
        return True

    # ---- brokers

    def _coordinator(self):
        """Number of the broker that leads the offsets of the group, from 0; None: nobody."""
        admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": self.stack.bootstrap})
        partitions = admin.list_topics("__consumer_offsets", 10).topics["__consumer_offsets"].partitions
        leader = partitions[0].leader
        return leader - 1 if leader > 0 else None

    def _broker_pid(self, broker):
        return int(self.stack.read(f"kafka/node{broker + 1}/pid"))

    def _broker_kill(self, seconds, broker, coordinator):
        with self.stack.broker_lock:
            leader = self._coordinator()
            broker = leader if coordinator and leader is not None else broker
            pid = self._broker_pid(broker)
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                command = file.read().rstrip(b"\0").split(b"\0")
            os.kill(pid, signal.SIGKILL)
            stack.until(lambda: not _lives(pid), "a broker is gone", 20)
            self._count("brokers killed")
            stack.pause(seconds)
            if leader == broker:
                stack.until(lambda: self._coordinator() not in (leader, None), "the coordinator moves",
                            COORDINATOR_SECONDS)
                self._count("coordinators moved")
            with open(self.stack.path(f"kafka/node{broker + 1}/log"), "ab") as log:
                started = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                           start_new_session=True)
            self.stack.write(f"kafka/node{broker + 1}/pid", f"{started.pid}\n")
            self._await_brokers()

    def _await_brokers(self):
        """All back, and every replica of every partition in step: the next may fall."""
        admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": self.stack.bootstrap})

        def are_whole():
            seen = admin.list_topics(timeout=10)
            return len(seen.brokers) == stack.BROKERS and all(
                len(partition.isrs) == stack.BROKERS
                for topic in seen.topics.values() for partition in topic.partitions.values())
        stack.until(are_whole, "all brokers are back", 180)

    def _broker_freeze(self, seconds, broker):
        with self.stack.broker_lock:
            pid = self._broker_pid(broker)
            os.kill(pid, signal.SIGSTOP)
            stack.pause(seconds)
            os.kill(pid, signal.SIGCONT)
            self._count("brokers frozen")
            self._await_brokers()

    def _coordinator_move(self, _seconds):
        """By an election: its next broker leads the group's offsets and the transactions."""
        with self.stack.broker_lock:
            leader = self._coordinator()
            if leader is None:
                return
            order = [(leader + 1 + step) % stack.BROKERS + 1 for step in range(stack.BROKERS)]
            election.move(self.stack.bootstrap, ["__consumer_offsets", "__transaction_state"], order)
            stack.until(lambda: self._coordinator() == order[0] - 1, "the coordinator moves", COORDINATOR_SECONDS)
            self._count("coordinators moved")

    # ---- the ledger

    def _ledger_restart(self, seconds, crash):
        with self.stack.ledger_lock:
            pid_file = self.stack.path("ledger/cluster/data/postmaster.pid")
            with open(pid_file, encoding="utf-8") as file:
                pid = int(file.readline())
            os.kill(pid, signal.SIGQUIT if crash else signal.SIGINT)
            stack.until(lambda: not _lives(pid), "the ledger has stopped", 60)
            stack.pause(seconds)
            stack.run(f"{stack.LOCAL}/postgres", "ledger", "start", "--dir", self.stack.path("ledger"))
            self._count("ledger crashes" if crash else "ledger restarts")

    def _commits_fail(self, seconds, share):
        with self.stack.ledger_lock:
            before = self._failed_commits()
            self.stack.psql(f"INSERT INTO chaos.fault VALUES ({share})")
            stack.pause(seconds)
            self._await_effect(lambda: self._failed_commits() > before)
            self.stack.psql("DELETE FROM chaos.fault")
            self._count("commits failed", self._failed_commits() - before)

    def _failed_commits(self):
        row = self.stack.psql("SELECT last_value, is_called FROM chaos.failures")[0]
        return row["last_value"] if row["is_called"] else 0

    def _await_effect(self, condition):
        """In a lull a fault lasts until something meets it."""
        try:
            stack.until(condition, "something meets the fault", EFFECT_SECONDS)
        except TimeoutError:
            pass  # plan.kinds: then it counts as one that never happened

    # ---- doors

    def _cut(self, _seconds, door, number, share):
        self.doors.run(self.doors[f"{door}-{number}"].cut(share))

    def _delay(self, seconds, door, number, ms):
        one = self.doors[f"{door}-{number}"]
        before = one.counts["delayed"]
        self.doors.run(one.set_delay(ms / 1000))
        stack.pause(seconds)
        self._await_effect(lambda: one.counts["delayed"] > before)
        self.doors.run(one.set_delay(0))

    def _silence(self, seconds, door, number):
        one = self.doors[f"{door}-{number}"]
        before = one.counts["held"]
        self.doors.run(one.set_open(False))
        stack.pause(seconds)
        self._await_effect(lambda: one.counts["held"] > before)
        self.doors.run(one.set_open(True))

    # ---- Neon

    def _neon(self, _seconds, rule):
        before = self._calls()
        self.stack.call("POST", "/sandbox/faults", rule)
        if "for_ms" not in rule:
            return  # it waits for the calls that it is for
        for _ in range(WINDOWS):
            stack.pause(rule["for_ms"] / 1000)
            if self._calls() > before:
                break
            self.stack.call("POST", "/sandbox/faults", rule)
        self._count(f"neon {rule['kind']}", self._calls() - before)

    def _late_effect(self, _seconds, rule):
        """Whoever asks hears nothing more, long before what was asked takes place."""
        before = self._used(rule)
        self.stack.call("POST", "/sandbox/faults", rule)
        self._await_effect(lambda: self._used(rule) > before)
        if self._used(rule) > before:
            for worker in self.stack.workers:
                self.doors.run(self.doors[f"neon-{worker.number}"].cut(1))
            self._count("effects behind a lost connection")

    def _used(self, rule):
        return sum(fault["used"] for fault in self.stack.call("GET", "/sandbox/faults")["faults"]
                   if all(fault.get(name) == rule[name] for name in ("kind", "route", "ms")))

    def _calls(self):
        """How many the sandbox has answered."""
        return self.stack.call("GET", "/sandbox/calls?since=999999999")["last"]

    # ---- what happened

    def evidence(self):
        """Counts by kind; ends Neon's faults."""
        for fault in self.stack.call("GET", "/sandbox/faults")["faults"]:
            if fault["used"] > 0:
                self._count(f"neon {fault['kind']}", fault["used"])
        self.stack.call("DELETE", "/sandbox/faults")
        for what, name in (("cut", "connections cut"), ("delayed", "chunks delayed"),
                           ("held", "chunks held")):
            self._count(name, self.doors.count(what))
        return dict(sorted(self.counts.items()))


def _lives(pid):
    """Not a zombie either."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
