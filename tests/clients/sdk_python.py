#!/usr/bin/env python3
"""The official Python SDK: projects, branches, computes, roles and databases through its models, which
refuse replies that they don't know. It knows an older API: what Neon has dropped since isn't called."""
import os
import sys

from stand import Stand, equal, fetched, holds, until

if "neon_api" not in sys.argv:
    PYTHON = os.path.join(fetched("python"), "bin", "python")
    os.execv(PYTHON, [PYTHON, os.path.realpath(__file__), "neon_api"])

from neon_api import NeonAPI
from neon_api.exceptions import NeonAPIError

STAND = Stand("--operation-ms", "20")
# It joins paths to the base as they are.
NEON = NeonAPI(api_key="sandbox-solo-key", base_url=STAND.api_url + "/")


def refused(call, part):
    try:
        call()
    except NeonAPIError as error:
        holds(str(error), part)
    else:
        raise AssertionError(f"not refused: {part}")


def end(project_id):
    until(lambda: all(operation.status.value == "finished" for operation in
                      NEON.operations(project_id).operations), "operations end")


def check_account():
    equal(NEON.me().login, "sandbox", "me")
    key = NEON.api_key_create(key_name="robot")
    robot = NeonAPI(api_key=key.key, base_url=NEON.base_url)
    equal(robot.projects().projects, [], "no project yet")
    equal(NEON.api_key_revoke(key.id).revoked, True, "revoked")
    refused(robot.projects, "supplied credentials do not pass authentication")


def check_branch(project_id):
    made = NEON.branch_create(project_id, branch={"name": "dev"}, endpoints=[{"type": "read_write"}])
    end(project_id)
    branch_id = made.branch.id
    NEON.branch_update(project_id, branch_id, branch={"name": "trial"})
    equal(NEON.branch(project_id, branch_id).branch.name, "trial", "the branch's new name")
    equal(sorted(branch.name for branch in NEON.branches(project_id).branches), ["main", "trial"],
          "branches")
    refused(lambda: NEON.branch_create(project_id, branch={"name": "trial"}), "already exists")
    return branch_id


def check_contents(project_id, branch_id):
    at = (project_id, branch_id)
    first = NEON.role_create(*at, "app").role.password
    end(project_id)
    second = NEON.role_password_reset(*at, "app").role.password
    end(project_id)
    assert first and second and first != second, "a new password"
    NEON.database_create(*at, database={"name": "shop", "owner_name": "app"})
    end(project_id)
    NEON.database_update(*at, "shop", database={"name": "store"})
    end(project_id)
    equal(sorted((found.name, found.owner_name) for found in NEON.databases(*at).databases),
          [("neondb", "neondb_owner"), ("store", "app")], "databases")
    NEON.database_delete(*at, "store")
    end(project_id)
    NEON.role_delete(*at, "app")
    end(project_id)
    equal([role.name for role in NEON.roles(*at).roles], ["neondb_owner"], "roles")


def check_compute(project_id, branch_id):
    endpoint_id = next(endpoint.id for endpoint in NEON.endpoints(project_id).endpoints
                       if endpoint.branch_id == branch_id)
    NEON.endpoint_update(project_id, endpoint_id, endpoint={"suspend_timeout_seconds": 90})
    end(project_id)
    NEON.endpoint_suspend(project_id, endpoint_id)
    end(project_id)
    endpoint = NEON.endpoint(project_id, endpoint_id).endpoint
    equal((endpoint.current_state.value, endpoint.suspend_timeout_seconds), ("idle", 90), "suspended")
    NEON.endpoint_start(project_id, endpoint_id)
    end(project_id)
    equal(NEON.endpoint(project_id, endpoint_id).endpoint.current_state.value, "active", "started")


check_account()
PROJECT = NEON.project_create(project={"name": "tour", "pg_version": 17}).project.id
end(PROJECT)
for pooled in (False, True):
    uri = NEON.connection_uri(PROJECT, "neondb", "neondb_owner", pooled).uri
    equal(STAND.psql(uri, "SELECT current_user"), "neondb_owner", "a login")
BRANCH = check_branch(PROJECT)
check_contents(PROJECT, BRANCH)
check_compute(PROJECT, BRANCH)
NEON.branch_delete(PROJECT, BRANCH)
end(PROJECT)
equal(NEON.project_update(PROJECT, project={"name": "end"}).project.name, "end", "renamed")
NEON.project_delete(PROJECT)
refused(lambda: NEON.project(PROJECT), "not found")
