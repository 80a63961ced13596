"""Workers that stop themselves at a point of the protocol (worker/sys/crash.h) and are woken when
another has taken over what they had in hand: the moment that each rule of the protocol is for, which
a freeze at a drawn time hardly ever meets."""
import random
import signal
import threading
import time

import stack

WAKE_SECONDS = 25  # at the latest
LOOK_SECONDS = 0.1
PENDING_MAX = 2  # processes that have a stage before them
TRIES = 6  # passings of a point at which some are not the wanted
SLOW_OPERATIONS = {"kind": "operation_ms", "for_ms": 6000, "ms": 1500}

# What a worker's process may take when it starts: where it stops itself, at which passing, and what
# has to come about before it is woken. "working": its successor has made a call for one of its
# commands; "taken": has claimed one; "ended": has ended one; "published": has published one; "undoing":
# undoes one, for all that it had in hand was cancelled meanwhile.
STAGES = [
    ("conclude.before/CreateEnvironment", 1, "undoing"),  # a good end: a step there is a failure's code
    ("call.before/CreateEnvironment/create_project", 1, "working"),
    ("transaction.begin.after", 6, "published"),
    ("intent.before/CreateEnvironment/create_project", 1, "working"),
    ("result.before", 5, "taken"),
    ("claim.before", 15, "ended"),
    ("call.before", 6, "working"),
    ("transaction.offsets.before", 8, "published"),
    ("conclude.before", 8, "ended"),
    ("call.after/CreateEnvironment/create_project", 1, "working"),
    ("published.before", 8, "published"),
    ("claim.after", 15, "working"),
    ("transaction.end.before", 8, "published"),
    ("intent.before", 6, "working"),
    ("conclude.after", 8, "published"),
    ("transaction.end.after", 8, "published"),
]


class Stages:
    """Of a campaign: which one each process takes; not all at once, for a successor needs the others."""

    def __init__(self, seed):
        self.rng = random.Random(f"{seed}/zombies")
        self.left = []  # to be taken first
        self.taken = 0
        self.lock = threading.Lock()
        self.pending = {}  # worker: stage that its present process has not come to yet

    def take(self, worker):
        """CRASH_POINT_AT of a worker's next process, or None."""
        with self.lock:
            if worker in self.pending:
                self.left.insert(0, self.pending.pop(worker))
            if len(self.pending) >= PENDING_MAX:
                return None
            if self.left:
                stage = self.left.pop(0)
            else:
                stage = STAGES[self.taken % len(STAGES)]
                self.taken += 1
            self.pending[worker] = stage
            first = self.rng.randint(1, stage[1])
            last = TRIES if stage[2] == "undoing" else first
            return ",".join(f"{stage[0]}#{number}=stop" for number in range(first, last + 1))

    def put_off(self, worker, stage):
        """Not this passing: the process has more of them."""
        with self.lock:
            self.pending[worker] = stage

    def come_to(self, worker):
        with self.lock:
            return self.pending.pop(worker, None)

    def give_back(self, stage):
        """It came to nothing: another process takes it again."""
        with self.lock:
            self.left.insert(0, stage)


class Keeper(threading.Thread):
    """Wakes them; once `calm` at once."""

    def __init__(self, parts, stages, count, stopped, cancel):
        super().__init__(name="keeper", daemon=True)
        self.stack = parts
        self.stages = stages
        self.count = count  # of what happened
        self.stopped = stopped  # to be told of a worker that stands still
        self.cancel = cancel  # (application, command)
        self.keeping = threading.Lock()  # one at a time: its successor needs the others
        self.calm = threading.Event()
        self.ending = threading.Event()

    def run(self):
        try:
            while not self.ending.is_set():
                for place in self.stack.workers:
                    self._look(place)
                stack.pause(LOOK_SECONDS)
        except stack.Aborted:
            pass

    def finish(self):
        self.ending.set()
        self.join()

    def _look(self, place):
        if place.process is None or not place.lock.acquire(blocking=False):
            return  # another fault holds it
        is_kept = False
        try:
            if place.process.poll() is None and place.is_frozen():
                is_kept = True
                threading.Thread(target=self._keep, args=(place,), daemon=True).start()
        finally:
            if not is_kept:
                place.lock.release()

    def _keep(self, place):
        """Holds the place's lock, which it releases."""
        try:
            stage = self.stages.come_to(place.number)
            if stage and stage[2] == "undoing" and place.point() != stage[0]:
                self.stages.put_off(place.number, stage)
            elif stage and self.keeping.acquire(blocking=False):
                try:
                    self._keep_one(place, stage)
                finally:
                    self.keeping.release()
            elif stage:
                self.stages.give_back(stage)
            place.process.send_signal(signal.SIGCONT)
        finally:
            place.lock.release()

    def _keep_one(self, place, stage):
        self.stopped(place)
        self.count("workers stopped at a point")
        if self._await(place, stage[2]):
            self.count(f"zombies woken: {stage[2]}")
        else:
            self.stages.give_back(stage)

    def _await(self, place, wake):
        """Whether it came about before the worker has to be woken anyway."""
        had = self._in_hand(place.process.pid, wake)
        if wake == "undoing":
            for row in (row for row in had if row["action"] == "CreateEnvironment"):
                self.cancel(row["application_id"], row["command_id"])
        if wake in ("working", "undoing"):
            self.stack.call("POST", "/sandbox/faults", SLOW_OPERATIONS)
        deadline = time.monotonic() + WAKE_SECONDS
        while time.monotonic() < deadline and not self.calm.wait(LOOK_SECONDS):
            had = had or self._in_hand(place.process.pid, wake)
            if had and self._has_come(had, wake):
                return True
        return False

    def _in_hand(self, pid, wake):
        state = "status = 'finished' AND published_at IS NULL" if wake == "published" else "status = 'running'"
        return self._rows("SELECT application_id, command_id, action, epoch, intent_number FROM provision.command "
                          f"WHERE worker LIKE '%-{pid}' AND {state}")

    def _has_come(self, had, wake):
        keys = ", ".join(f"('{row['application_id']}', '{row['command_id']}'::uuid, {row['epoch']}, "
                         f"{row['intent_number']})" for row in had)
        comes = {"taken": "c.epoch > h.epoch AND c.status = 'running'",
                 "ended": "c.epoch > h.epoch AND c.status = 'finished'",
                 "published": "c.published_at IS NOT NULL",
                 "undoing": "c.epoch > h.epoch AND c.status = 'running' AND c.direction = 'undo' "
                            "AND c.intent_number > h.number",
                 "working": "c.epoch > h.epoch AND c.status = 'running' AND c.intent_number > h.number "
                            "AND c.intent_status = 'closed'"}[wake]
        return self._rows("SELECT 1 FROM provision.command c JOIN "
                          f"(VALUES {keys}) AS h(application, command, epoch, number) "
                          f"ON c.application_id = h.application AND c.command_id = h.command WHERE {comes}")

    def _rows(self, query):
        try:
            return self.stack.psql(query)
        except RuntimeError:
            return []  # the ledger is away, too
