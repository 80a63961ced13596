"""neonctl as a person calls it, a process a command; its JSON is what the tests look at."""
import json
import os
import subprocess

from stand import CALL_SECONDS, equal, fetched


class Neonctl:
    """neonctl with one API key, against one sandbox. The key goes in through the environment."""

    def __init__(self, stand, key):
        clients = fetched("clients")
        modules = os.path.join(clients, "node_modules")
        self.stand = stand
        self.compiled = os.path.join(clients, "compiled")
        self.key = key
        self.node = os.path.join(modules, "node", "bin", "node")
        self.program = os.path.join(modules, "neonctl", "bin", "cli.js")
        self.folder = os.path.join(stand.folder, "project")
        os.makedirs(self.folder, exist_ok=True)

    def run(self, *arguments, output="json", **environment):
        environment = self.stand.environment(
            NEON_API_KEY=self.key, NODE_COMPILE_CACHE=self.compiled, **environment)
        command = [self.node, self.program, *arguments[:1], "--api-host", self.stand.api_url,
                   "--no-analytics", "--output", output, *arguments[1:]]
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True,
                              text=True, timeout=CALL_SECONDS)

    def text(self, *arguments, **environment):
        """What a command prints that has to succeed."""
        done = self.run(*arguments, **environment)
        equal(done.returncode, 0, f"neonctl {' '.join(arguments)} ends ({done.stderr.strip()})")
        return done.stdout

    def json(self, *arguments):
        text = self.text(*arguments)
        try:
            return json.loads(text)
        except ValueError as error:
            raise AssertionError(f"neonctl {' '.join(arguments)} prints no JSON: {text!r}") from error

    def error(self, *arguments):
        """What a command says that has to fail."""
        done = self.run(*arguments)
        equal(done.returncode, 1, f"neonctl {' '.join(arguments)} ends ({done.stdout.strip()})")
        equal(done.stdout, "", "standard output of a failure")
        return done.stderr.strip()
