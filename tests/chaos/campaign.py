"""A campaign: sends what plan.py draws from a seed, breaks what it says, and lets checker.py judge."""
import argparse
import base64
import os
import shutil
import sys
import tempfile
import threading
import time

import checker
import confluent_kafka
import doors
import evidence
import faults
import forms
import keys
import plan
import selftest
import stack
import topics
import zombies

QUIET_SECONDS = 240  # in which everything ends once nothing breaks any more
STRANGER = base64.b64encode(bytes(range(1, 33))).decode()


def arguments():
    parser = argparse.ArgumentParser(prog="tests/chaos/run", description=__doc__)
    parser.add_argument("--seed", default=str(int(time.time())), help="what the campaign is drawn from")
    parser.add_argument("--commands", type=int, default=400, help="records to send, about (400)")
    parser.add_argument("--minutes", type=float, default=1.25, help="in which they are sent (1.25)")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--bin", default=os.path.join(stack.ROOT, "build", "debug"),
                        help="build folder with the programs (build/debug)")
    parser.add_argument("--dir", help="new folder for logs, below folders that all may enter")
    parser.add_argument("--keep", action="store_true", help="leave the folder when all is well, too")
    parser.add_argument("--calm", action="store_true", help="break nothing")
    parser.add_argument("--computes", action="store_true",
                        help="branches are PostgreSQL clusters: roles and logins are part of it, and slow")
    parser.add_argument("--print-plan", action="store_true", help="print what would be sent and broken")
    return parser.parse_args()


class Campaign:
    def __init__(self, options, directory):
        self.options = options
        self.seconds = options.minutes * 60
        self.sends = plan.commands(options.seed, options.commands, options.computes)
        applications = sorted({send.application for send in self.sends})
        self.doors = doors.Doors()
        stages = zombies.Stages(options.seed)
        self.stack = stack.Stack(directory, os.path.abspath(options.bin), applications, options.workers, self.doors,
                                 points=None if options.calm else stages.take, computes=options.computes)
        schedule = [] if options.calm else plan.faults(options.seed, self.seconds, options.workers)
        self.breaker = faults.Breaker(self.stack, self.doors, stages, schedule, self.seconds, self._cancel)
        self.breaker.is_old_fleet_key_done = self._is_old_fleet_key_done
        self.watcher = None
        self.unsent = []
        self.sending_later = threading.Lock()
        self.began = 0.0

    def say(self, text):
        print(f"{time.monotonic() - self.began:6.1f} s  {text}", flush=True)

    def run(self):
        """The evidence."""
        self.began = time.monotonic()
        self.stack.start()
        foreign = self.stack.make_foreign()
        self.messages = topics.Messages(self.stack.dir)
        recipient = base64.b64encode(bytes.fromhex(self.stack.recipient)).decode()
        self.names = {"@recipient": recipient, "@stranger": STRANGER}
        for number, one in enumerate(foreign):
            self.names[f"@foreign:{number}:project"] = one["project"]
            self.names[f"@foreign:{number}:branch"] = one["branch"]
        self.boxes = self._seal_keys()
        self._date(self.sends)
        self.watcher = topics.Watcher(self.stack.bootstrap, self.messages, checker.is_outcome)
        self.watcher.start()
        self.say(f"{options_text(self.options)}: {len(self.sends)} records of "
                 f"{len(self.stack.applications)} applications, {len(self.breaker.schedule)} faults")
        self._under_fire()
        broken = {} if self.options.calm else self.breaker.evidence()
        self.say("nothing breaks any more")
        self._await_end()
        if self.options.computes:
            self._reveal_all()
        self.say("all has ended, or never will")
        codes = self.stack.stop_workers()
        self.breaker.keeper.finish()
        self.watcher.stop()
        found = evidence.collect(self.stack, self.messages, self.sends, foreign, plan.KEYS, recipient, codes,
                                 self.breaker.stops, self.boxes)
        found["troubles"] += self.unsent + self.breaker.troubles
        found["planned_faults"] = plan.kinds(self.breaker.schedule)
        found["broken"] = broken
        found["sealing_key"] = keys.ledger_id(keys.OLD if self.options.calm else keys.NEW)
        return found

    def _date(self, sends):
        """Signed ones have to say when they were made; one that is sent again says the same."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        for send in sends:
            if send.command is not None:
                send.command.setdefault("requestedAt", now)

    def _seal_keys(self):
        """{box: the file that holds the same}; names what the plan calls "@sealed:…"."""
        boxes = {}
        for application in self.stack.applications:
            for account in plan.ACCOUNTS:
                for key in plan.KEYS:
                    plain = self.messages.pack("SealedApiKey", {
                        "applicationId": application, "account": account, "apiKey": f"napi_{application}_{key}"})
                    for number in (keys.OLD, keys.NEW):
                        box = keys.seal(plain, number)
                        self.names[f"@sealed:{application}:{account}:{key}:{number}"] = box
                        boxes[box["box"]] = f"file:{key}"
        return boxes

    def _is_old_fleet_key_done(self):
        """No command is left that only the old key of the fleet opens."""
        sealed = {(send.application, send.command["commandId"]) for send in self.sends
                  if send.command and str(send.command.get("connectAccount", {}).get("sealed", "")).endswith(keys.OLD)}
        return sealed <= self.watcher.ended

    def _under_fire(self):
        tending = threading.Event()
        tender = threading.Thread(target=self._tend, args=(tending,), daemon=True)
        tender.start()
        self.breaker.start()
        producers = [threading.Thread(target=self._produce, args=(number,), daemon=True)
                     for number in range(plan.PRODUCERS)]
        for thread in producers:
            thread.start()
        for thread in producers:
            thread.join()
        self.breaker.finish()
        self.doors.calm()
        tending.set()
        tender.join()

    def _tend(self, done):
        while not done.wait(0.2):
            for worker in self.stack.workers:
                worker.tend()

    def _produce(self, number):
        producer = topics.Producer(self.stack.bootstrap_doors, self.messages, self.names)
        began = time.monotonic()
        for index, send in enumerate(list(self.sends)):
            if send.producer == number:
                stack.pause(began + send.at * self.seconds - time.monotonic())
                producer.send(index, send)
        left = producer.finish(120)
        self.unsent += producer.unsent + ([f"{left} records of producer {number} stay"] if left else [])

    def _cancel(self, application, command_id):
        """Of what a worker has in hand that stands still."""
        self._send_later([(application, {"cancelCommand": {"commandId": command_id}})])

    def _send_later(self, actions):
        """Commands that the plan can't know."""
        with self.sending_later:
            producer = topics.Producer(self.stack.bootstrap, self.messages, self.names)
            for application, action in actions:
                send = plan.later(self.options.seed, len(self.sends), application, action)
                self._date([send])
                self.sends.append(send)
                producer.send(len(self.sends) - 1, send)
            left = producer.finish(60)
            self.unsent += producer.unsent + ([f"{left} records stay"] if left else [])

    def _reveal_all(self):
        """Of every role that logs in, in every environment that is ours: the last credentials."""
        actions = []
        for row in self.stack.psql(evidence.SERVICES):
            for service in [None, *row["services"]]:
                target = {"service": service} if service else {}
                actions.append((row["application_id"], {"revealCredentials": {
                    "environment": row["environment"], "replyPublicKey": "@recipient", **target}}))
        self._send_later(actions)
        self._await_end()

    # ---- the end

    def _await_end(self):
        """Every record consumed, every command with an outcome; the checker tells what is missing."""
        group = confluent_kafka.Consumer({"bootstrap.servers": self.stack.bootstrap, "group.id": stack.GROUP,
                                          "enable.auto.commit": False})
        try:
            stack.until(lambda: self._is_over(group), "all has ended", QUIET_SECONDS)
        except TimeoutError:
            pass
        group.close()

    def _is_over(self, group):
        for worker in self.stack.workers:
            worker.tend()
        valid = {(s.application, s.command["commandId"]) for s in list(self.sends) if s.invalid is None}
        if not valid <= self.watcher.ended or not self.watcher.follow_ups <= self.watcher.ended:
            return False
        places = [confluent_kafka.TopicPartition("commands", partition) for partition in range(stack.PARTITIONS)]
        try:
            committed = group.committed(places, timeout=10)
        except confluent_kafka.KafkaException:
            return False
        ends = self.watcher.command_ends
        return all(place.offset >= ends[place.partition] for place in committed if place.partition in ends)

    def stop(self):
        self.stack.stop()
        self.doors.stop()


def options_text(options):
    calm = (" --computes" if options.computes else "") + (" --calm" if options.calm else "")
    return (f"tests/chaos/run --seed {options.seed} --commands {options.commands} --minutes {options.minutes:g} "
            f"--workers {options.workers}{calm}")


def percentile(values, part):
    return values[min(len(values) - 1, int(len(values) * part))] if values else 0


def report(found, findings, stops):
    """The figures."""
    topic = checker.Sorted(found)
    told = checker.Told(found, topic.commands)
    by_check = {name: sum(1 for check, _ in findings if check == name) for name, _ in findings}
    lost = sum(1 for key in topic.commands if not told.first[key])
    doubled = sum(1 for key in topic.commands
                  if sum(1 for record in told.first[key] if checker.is_outcome(record["form"])) > 1)
    times = evidence.hand_overs(found, stops)
    taken = [row for row in found["ledger"]["command"] if row["takeovers"]]
    models = checker.run_models(found, topic, told).values()
    print(f"commands      {len(topic.commands)} by {len(found['applications'])} applications, "
          f"{sum(topic.copies.values())} sent again, {len(topic.letters)} invalid records")
    actions = {}
    for form in topic.commands.values():
        actions[forms.action_of(form)] = actions.get(forms.action_of(form), 0) + 1
    print("              " + ", ".join(f"{name} {count}" for name, count in sorted(actions.items())))
    print("outcomes      " + ", ".join(f"{k} {n}" for k, n in evidence.outcomes_by_kind(found).items()))
    print("faults        " + ", ".join(f"{name} {count}" for name, count in found["broken"].items()))
    print(f"taken over    {len(taken)} commands, {sum(row['takeovers'] for row in taken)} times, "
          f"{sum(row['abandoned'] for row in found['ledger']['command'])} calls with an unknown end")
    print(f"hand-over     p50 {percentile(times, 0.5):.0f} ms, p99 {percentile(times, 0.99):.0f} ms "
          f"({len(times)} commands of stopped workers)")
    print(f"bounded       {sum(one.by_fault for one in models)} outcomes that only a fault explains")
    print(f"lost {lost}, duplicates {doubled}, orphans {by_check.get('neon', 0)}, "
          f"re-executions {by_check.get('once', 0)}, findings {len(findings)}")


def main():
    options = arguments()
    if options.print_plan:
        for one in plan.commands(options.seed, options.commands):
            print(one.form())
        for one in plan.faults(options.seed, options.minutes * 60, options.workers):
            print(one.form())
        return 0
    directory = options.dir or tempfile.mkdtemp(prefix="provision-chaos-", dir="/tmp")
    os.makedirs(directory, exist_ok=True)
    os.chmod(directory, 0o755)
    campaign = Campaign(options, directory)
    try:
        found = campaign.run()
    finally:
        campaign.stop()
    findings = checker.check(found)
    for check, sentence in findings[:100]:
        print(f"{check}: {sentence}")
    report(found, findings, campaign.breaker.stops)
    missed = [] if findings else selftest.run(found)
    for text in missed:
        print(f"selftest: {text}")
    is_good = not findings and not missed
    if is_good and not options.keep:
        shutil.rmtree(directory)
    else:
        evidence.write(found, os.path.join(directory, "evidence.json"))
        print(f"kept: {directory}")
    print(f"{options_text(options)}: {'ok' if is_good else 'FAILED'}")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
