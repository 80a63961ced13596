"""Requests that schemathesis makes from Neon's OpenAPI, against a sandbox of its own."""

import argparse
import collections
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(1, str(HERE.parent))

import hostile
import routes
import world

ROOT = HERE.parents[2]
READY_SECONDS = 60
# What of the API a cluster answers: the rest is the same without one.
CLUSTER_PARTS = ("/roles", "/databases", "/schema", "/connection_uri")


def parse_arguments():
    parser = argparse.ArgumentParser(prog="generate", description=__doc__)
    parser.add_argument("--sandbox", required=True, help="the program neon-sandbox")
    parser.add_argument("--spec", required=True, help="Neon's OpenAPI")
    parser.add_argument("--table", default=ROOT / "deploy/sandbox/routes.c", help="its routes")
    parser.add_argument("--clusters", action="store_true", help="with real branches, fewer routes")
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--max-examples", type=int, help="of each route (12, with clusters 4)")
    parser.add_argument("--all-output", action="store_true", help="of schemathesis, on success too")
    return parser.parse_args()


class Sandbox:
    """The program, ready, in a folder of its own; stopped and removed at the end."""

    def __init__(self, program, arguments):
        self.folder = tempfile.TemporaryDirectory(prefix="spec-generator-")
        os.chmod(self.folder.name, 0o755)
        self.log = open(os.path.join(self.folder.name, "log"), "wb")
        state = os.path.join(self.folder.name, "state")
        command = [program, "--port", "0", "--state", state, "--ephemeral", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=self.log)
        ready = os.path.join(state, "ready.json")
        deadline = time.monotonic() + READY_SECONDS
        while not os.path.exists(ready):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the sandbox doesn't start:\n{self.read_log()}")
            try:
                self.process.wait(0.02)
            except subprocess.TimeoutExpired:
                pass
        with open(ready, encoding="utf-8") as file:
            self.url = json.load(file)["api_url"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(READY_SECONDS)
        self.log.close()
        self.folder.cleanup()

    def read_log(self):
        self.log.flush()
        with open(self.log.name, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-30:])

    def faults(self):
        """What is wrong with how it lived and ended."""
        if self.process.poll() is not None:
            return [f"the sandbox ended by itself ({self.process.returncode}): {self.read_log()}"]
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(READY_SECONDS)
        return [f"the sandbox ended with {status}: {self.read_log()}"] if status != 0 else []


def run_schemathesis(arguments, sandbox, spec, examples):
    """Its exit status, its output, and what the hooks counted."""
    folder = sandbox.folder.name
    path = os.path.join(folder, "openapi.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(spec, file)
    environment = dict(
        os.environ,
        PYTHONPATH=str(HERE),
        SCHEMATHESIS_HOOKS="hooks",
        GENERATOR_URL=sandbox.url,
        GENERATOR_SINGLE="yes" if arguments.clusters else "no",
        GENERATOR_COUNTS=os.path.join(folder, "counts"),
    )
    command = [
        os.path.join(os.path.dirname(sys.executable), "schemathesis"),
        *("--config-file", str(HERE / "schemathesis.toml"), "--no-color", "run", path),
        *("--url", sandbox.url, "--header", f"Authorization: Bearer {world.KEY}"),
        *("--seed", str(arguments.seed), "--max-examples", str(examples), "--workers", "1"),
    ]
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        with open(environment["GENERATOR_COUNTS"], encoding="utf-8") as file:
            counts = json.load(file)
    except FileNotFoundError:
        counts = {}
    return done.returncode, done.stdout.decode("utf-8", "replace"), counts


def print_counts(wanted, counts):
    """A line for each route; returns the routes that no request got through."""
    total, unreached = collections.Counter(), []
    print(f"{'requests':>8} {'real ids':>8} {'2xx':>5} {'400':>5} {'404':>5} {'else':>5}  route")
    for label in wanted:
        of_route = collections.Counter()
        for name, count in counts.get(label, {}).items():
            if name == "real":
                of_route["real"] = count
                continue
            status = name.rsplit(" ", 1)[1]
            of_route["all"] += count
            of_route["2xx" if status[0] == "2" else status if status in ("400", "404") else "else"] += count
            total[name] += count
        print(
            f"{of_route['all']:8} {of_route['real']:8} {of_route['2xx']:5} {of_route['400']:5} "
            f"{of_route['404']:5} {of_route['else']:5}  {label}"
        )
        total["real"] += of_route["real"]
        if of_route["2xx"] == 0:
            unreached.append(label)
    real = total.pop("real")
    print(f"{sum(total.values())} requests, {real} with real ids in the path")
    print(", ".join(f"{name}: {count}" for name, count in sorted(total.items())))
    return unreached


def main():
    arguments = parse_arguments()
    began = time.monotonic()
    table = routes.read_table(arguments.table)
    spec, lacking = routes.cut_spec(arguments.spec, table)
    wanted = [f"{method} {path}" for method, path in table]
    if arguments.clusters:
        wanted = [label for label in wanted if any(part in label for part in CLUSTER_PARTS)]
        table = [tuple(label.split(" ")) for label in wanted]
        spec, lacking = routes.cut_spec(arguments.spec, table)
    faults = [f"not in Neon's OpenAPI: {label}" for label in lacking]
    options = ["--operation-ms", "0"] + ([] if arguments.clusters else ["--no-compute"])
    for folder in os.environ.get("PROVISION_POSTGRES_DIRS", "").split(":"):
        options += ["--postgres", folder] if arguments.clusters and folder else []
    examples = arguments.max_examples or (4 if arguments.clusters else 12)
    with Sandbox(arguments.sandbox, options) as sandbox:
        world.add_key(world.Api(sandbox.url))
        status, output, counts = run_schemathesis(arguments, sandbox, spec, examples)
        if status != 0 or arguments.all_output:
            print(output)
        unreached = print_counts(wanted, counts)
        faults += [f"schemathesis ended with {status}"] if status != 0 else []
        faults += [f"never answered with 2xx: {label}" for label in unreached]
        if not arguments.clusters:
            faults += hostile.attack(sandbox.url)
        faults += sandbox.faults()
    for fault in faults:
        print("FAULT", fault)
    print(f"{len(wanted)} routes, {len(faults)} faults, {time.monotonic() - began:.0f} s")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
