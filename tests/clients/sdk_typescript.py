#!/usr/bin/env python3
"""The official TypeScript SDKs, the older and the newer one, as their READMEs say: a tour in a script
of its own each, which checks what came; logins with psql here."""
import json
import os
import shutil
import subprocess

from stand import CALL_SECONDS, Stand, equal, fetched

STAND = Stand("--operation-ms", "20")
HERE = os.path.dirname(os.path.realpath(__file__))
FOLDER = os.path.join(STAND.folder, "tour")


def tour(script):
    """Runs a script; at its end it prints {uri: who logs in through it}."""
    program = os.path.join(FOLDER, script)
    shutil.copy(os.path.join(HERE, script), program)
    environment = STAND.environment(NEON_API_URL=STAND.api_url, NEON_API_KEY="sandbox-solo-key")
    node = os.path.join(FOLDER, "node_modules", "node", "bin", "node")
    done = subprocess.run([node, program], env=environment, capture_output=True, text=True,
                          timeout=CALL_SECONDS * 3)
    equal(done.returncode, 0, f"{script} ends ({done.stderr.strip()})")
    uris = json.loads(done.stdout)
    assert uris, f"{script} printed no URI"
    for uri, role in uris.items():
        equal(STAND.psql(uri, "SELECT current_user"), role, f"a login of {script}")


# Node.js looks for packages beside the script.
os.mkdir(FOLDER)
os.symlink(os.path.join(fetched("clients"), "node_modules"), os.path.join(FOLDER, "node_modules"))
tour("api_client.mjs")
tour("neon_sdk.mjs")
