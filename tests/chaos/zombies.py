"""Workers that stop themselves at a point of the protocol (worker/sys/crash.h) and are woken when
another has taken over what they had in hand: the moment that each rule of the protocol is for, which
a freeze at a drawn time hardly ever meets."""
import os
import random
import signal
import threading
import time

import stack

WAKE_SECONDS = 20  # at the latest
GROUP_SECONDS = 9  # until the group has gone on without a member, where no command tells it
LOOK_SECONDS = 0.1
SLOW_OPERATIONS = {"kind": "operation_ms", "for_ms": 6000, "ms": 1500}

# A creation that Neon refuses one worker and grants the next: they would end it differently.
REFUSED = "conclude.before/CreateEnvironment/PROJECTS_LIMIT_EXCEEDED"
# (point, its passings at most, when the worker is woken): "working": its successor has made a call
# for one of its commands; "taken": has claimed one; "ended": has ended one; "moved": by the clock.
POINTS = [
    ("claim.before", 15, "ended"), ("claim.after", 15, "working"),
    ("intent.before", 8, "taken"), ("intent.after", 8, "working"), ("call.before", 8, "working"),
    ("call.after", 8, "working"), ("result.before", 8, "taken"), ("result.after", 8, "working"),
    ("conclude.before", 10, "ended"), ("conclude.after", 10, "moved"),
    ("transaction.begin.after", 10, "moved"), ("transaction.offsets.before", 10, "moved"),
    ("transaction.end.before", 10, "moved"), ("transaction.end.after", 10, "moved"),
    ("published.before", 10, "moved"),
]
WAKE_AT = {REFUSED: "working", **{point: wake for point, _, wake in POINTS}}


def points(seed, worker, start):
    """CRASH_POINT_AT of a worker's so manieth process."""
    rng = random.Random(f"{seed}/zombies/{worker}/{start}")
    wishes = [f"{REFUSED}=stop"]
    if rng.random() < 0.8:
        point, most, _ = rng.choice(POINTS)
        wishes.append(f"{point}#{rng.randint(1, most)}=stop")
    return ",".join(wishes)


class Keeper(threading.Thread):
    """Wakes them; once `calm` at once."""

    def __init__(self, parts, count, stopped):
        super().__init__(name="keeper", daemon=True)
        self.stack = parts
        self.count = count  # of what happened
        self.stopped = stopped  # to be told of a worker that stands still
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
            point = place.last_point()
            wake = next((WAKE_AT[one] for one in WAKE_AT if point == one or one == point.split("/")[0]), "moved")
            self.stopped(place)
            self.count("workers stopped at a point")
            if self._await(place, wake):
                self.count(f"zombies woken: {wake}")
            place.process.send_signal(signal.SIGCONT)
        finally:
            place.lock.release()

    def _await(self, place, wake):
        """Whether it came about before the worker has to be woken anyway."""
        if self.calm.is_set():
            return False
        had = self._in_hand(place.process.pid)
        if wake == "moved" or not had:
            return not self.calm.wait(GROUP_SECONDS) and wake == "moved"
        if wake == "working":
            self.stack.call("POST", "/sandbox/faults", SLOW_OPERATIONS)
        deadline = time.monotonic() + WAKE_SECONDS
        while time.monotonic() < deadline and not self.calm.wait(LOOK_SECONDS):
            if self._has_come(had, wake):
                return True
        return False

    def _in_hand(self, pid):
        return self._rows("SELECT application_id, command_id, epoch, intent_number FROM provision.command "
                          f"WHERE worker LIKE '%-{pid}' AND status = 'running'")

    def _has_come(self, had, wake):
        """A place's successor is the one that has claimed after it."""
        keys = ", ".join(f"('{row['application_id']}', '{row['command_id']}'::uuid, {row['epoch']}, "
                         f"{row['intent_number']})" for row in had)
        comes = {"taken": "c.status = 'running'", "ended": "c.status = 'finished'",
                 "working": "c.status = 'running' AND c.intent_number > h.number "
                            "AND c.intent_status = 'closed'"}[wake]
        return self._rows("SELECT 1 FROM provision.command c JOIN "
                          f"(VALUES {keys}) AS h(application, command, epoch, number) "
                          "ON c.application_id = h.application AND c.command_id = h.command "
                          f"WHERE c.epoch > h.epoch AND {comes}")

    def _rows(self, query):
        try:
            return self.stack.psql(query)
        except RuntimeError:
            return []  # the ledger is away, too
