#!/usr/bin/env python3
"""neonctl's day with accounts and projects: who am I, organizations, keys of every kind and wrong
ones, projects from creation to recovery, and the folder's context."""
import json
import os

from neonctl import Neonctl
from stand import Stand, equal, holds, lacks

STAND = Stand("--operation-ms", "20", "--keep-deleted")
SOLO = Neonctl(STAND, "sandbox-solo-key")
PERSONAL = Neonctl(STAND, "sandbox-personal-key")
ORGANIZATION = Neonctl(STAND, "sandbox-org-key")


def check_identity():
    me = SOLO.json("me")
    equal(me["login"], "sandbox", "me")
    equal([org["id"] for org in SOLO.json("orgs", "list")], ["org-sandbox-solo"], "one organization")
    equal([org["id"] for org in PERSONAL.json("orgs", "list")],
          ["org-sandbox-one", "org-sandbox-two"], "two organizations")
    equal([org["id"] for org in ORGANIZATION.json("orgs", "list")], ["org-sandbox-one"],
          "an organization key's own")
    holds(ORGANIZATION.error("me"), "not allowed for organization API keys")


def check_wrong_key():
    wrong = Neonctl(STAND, "napi_nobody_has_this_one")
    for command in (("me",), ("projects", "list"), ("projects", "create", "--name", "mine")):
        said = wrong.error(*command)
        holds(said, "Authentication failed: the Neon API rejected the API key")
        lacks(said, wrong.key)


def check_project():
    """Returns the id of a project that stays."""
    made = SOLO.json("projects", "create", "--name", "shop", "--pg-version", "17", "--database",
                     "store", "--role", "keeper", "--cu", "0.25-1")
    project = made["project"]
    equal((project["name"], project["pg_version"], project["org_id"]),
          ("shop", 17, "org-sandbox-solo"), "the new project")
    uri = made["connection_uris"][0]["connection_uri"]
    equal(STAND.psql(uri, "SELECT current_user, current_database(), "
                          "current_setting('server_version_num')::int / 10000"),
          "keeper|store|17", "login with the URI that the creation printed")

    listed = SOLO.json("projects", "list")
    equal([entry["id"] for entry in listed["projects"]], [project["id"]], "projects")
    equal(listed["shared_with_you"], [], "shared projects")
    settings = project["default_endpoint_settings"]
    equal((settings["autoscaling_limit_min_cu"], settings["autoscaling_limit_max_cu"]), (0.25, 1),
          "sizes of computes")
    changed = SOLO.json("projects", "update", project["id"], "--name", "market", "--cu", "0.5")
    equal(changed["name"], "market", "the new name")
    seen = SOLO.json("projects", "get", project["id"])
    settings = seen["default_endpoint_settings"]
    equal((seen["name"], settings["autoscaling_limit_min_cu"]), ("market", 0.5),
          "what an update leaves")
    return project["id"]


def check_ip_allow(project_id):
    at = ("--project-id", project_id)
    equal(SOLO.json("ip-allow", "list", *at)["IP_addresses"], [], "no addresses at first")
    equal(SOLO.json("ip-allow", "add", "10.1.2.3", "10.2.0.0/16", "--protected-only",
                    *at)["IP_addresses"], ["10.1.2.3", "10.2.0.0/16"], "two addresses")
    left = SOLO.json("ip-allow", "remove", "10.1.2.3", *at)
    equal((left["IP_addresses"], left["protected_branches_only"]), (["10.2.0.0/16"], True),
          "one address")
    equal(SOLO.json("ip-allow", "reset", *at)["IP_addresses"], [], "none again")


def check_context(project_id):
    SOLO.text("set-context", "--project-id", project_id)
    with open(os.path.join(SOLO.folder, ".neon"), encoding="utf-8") as file:
        equal(json.load(file)["projectId"], project_id, "the context's project")
    equal([branch["name"] for branch in SOLO.json("branches", "list")], ["main"],
          "branches of the context's project")
    SOLO.text("link", "--project-id", project_id, "--branch", "main", "--yes", "--no-env-pull",
              "--no-config")
    with open(os.path.join(SOLO.folder, ".neon"), encoding="utf-8") as file:
        linked = json.load(file)
    equal((linked["orgId"], linked["branch"]), ("org-sandbox-solo", "main"), "what link found out")
    os.remove(os.path.join(SOLO.folder, ".neon"))


def check_organizations():
    holds(PERSONAL.error("projects", "list"), "org_id is required")
    made = PERSONAL.json("projects", "create", "--name", "theirs", "--org-id", "org-sandbox-two")
    project_id = made["project"]["id"]
    equal([entry["id"] for entry in
           PERSONAL.json("projects", "list", "--org-id", "org-sandbox-two")],
          [project_id], "the organization's projects")
    equal(ORGANIZATION.json("projects", "list")["projects"], [], "another organization's projects")
    holds(ORGANIZATION.error("projects", "get", project_id), "not found")
    equal(PERSONAL.json("projects", "delete", project_id)["id"], project_id, "deleted")


def check_keys(project_id):
    made = SOLO.json("api-keys", "create", "--name", "robot")
    robot = Neonctl(STAND, made["key"])
    equal(robot.json("projects", "get", project_id)["id"], project_id, "seen with the new key")
    assert "robot" in [key["name"] for key in SOLO.json("api-keys", "list")], "the key is listed"
    SOLO.json("api-keys", "revoke", str(made["id"]))
    holds(robot.error("projects", "get", project_id), "Authentication failed")

    made = SOLO.json("api-keys", "create", "--name", "deploys", "--project-id", project_id)
    scoped = Neonctl(STAND, made["key"])
    equal(scoped.json("projects", "get", project_id)["id"], project_id, "its own project")
    holds(scoped.error("projects", "create", "--name", "more"), "project")
    holds(scoped.error("projects", "delete", project_id), "project")
    other = SOLO.json("projects", "create", "--name", "other")["project"]["id"]
    holds(scoped.error("branches", "list", "--project-id", other),
          "not allowed to perform actions outside the project this key is scoped to")
    SOLO.json("projects", "delete", other)


def check_end(project_id):
    equal(SOLO.json("projects", "delete", project_id)["id"], project_id, "deleted")
    equal(SOLO.json("projects", "list")["projects"], [], "no project left")
    holds(SOLO.error("projects", "get", project_id), "not found")
    recoverable = SOLO.json("projects", "list", "--recoverable-only")
    assert project_id in [entry["id"] for entry in recoverable], "it can be recovered"
    SOLO.json("projects", "recover", project_id)
    equal(SOLO.json("projects", "get", project_id)["name"], "market", "back again")
    uri = SOLO.text("connection-string", "--project-id", project_id).strip()
    equal(STAND.psql(uri, "SELECT current_database()"), "store", "its data are back")
    SOLO.json("projects", "delete", project_id)


check_identity()
check_wrong_key()
PROJECT = check_project()
check_ip_allow(PROJECT)
check_context(PROJECT)
check_organizations()
check_keys(PROJECT)
check_end(PROJECT)
