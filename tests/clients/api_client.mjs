// @neondatabase/api-client: projects, branches, computes, roles and databases. Its promises are
// rejected with axios' errors.
import assert from "node:assert/strict";
import { createApiClient } from "@neondatabase/api-client";

const baseURL = process.env.NEON_API_URL;
const api = createApiClient({ apiKey: process.env.NEON_API_KEY, baseURL });

async function refused(promise, status, part) {
  const error = await promise.then(() => assert.fail(`not refused with ${status}`), (e) => e);
  assert.equal(error.response?.status, status, error.message);
  assert.ok(error.response.data.request_id, "an error names its request");
  assert.ok(error.response.data.message.includes(part), error.response.data.message);
}

async function ended(projectId, data) {
  for (const { id } of data.operations) {
    let status;
    do {
      const reply = await api.getProjectOperation(projectId, id);
      status = reply.data.operation.status;
      assert.ok(["scheduling", "running", "finished"].includes(status), status);
    } while (status !== "finished");
  }
  return data;
}

const wrong = createApiClient({ apiKey: "nobody", baseURL });
await refused(wrong.listProjects({}), 401, "supplied credentials");
assert.equal((await api.getCurrentUserInfo()).data.login, "sandbox");
const { data: { organizations } } = await api.getCurrentUserOrganizations();
assert.deepEqual(organizations.map((o) => o.id), ["org-sandbox-solo"]);
assert.equal((await api.getOrganization("org-sandbox-solo")).data.id, "org-sandbox-solo");
const { data: { regions } } = await api.getActiveRegions({});
assert.equal(regions.filter((region) => region.default).length, 1);

const { data: made } = await api.createProject({
  project: { name: "tour", pg_version: 17, branch: { name: "trunk" } },
});
const projectId = made.project.id;
const trunk = made.branch.id;
assert.equal(made.branch.name, "trunk");
await refused(api.createProjectBranch(projectId, {}), 423, "conflicting operations");
await ended(projectId, made);
assert.deepEqual((await api.listProjects({ search: "tou" })).data.projects.map((p) => p.id),
  [projectId]);

const { data: dev } = await api.createProjectBranch(projectId, {
  branch: { name: "dev" }, endpoints: [{ type: "read_write" }], annotation_value: { why: "tour" },
});
await ended(projectId, dev);
assert.equal(dev.branch.parent_id, trunk);
await refused(api.createProjectBranch(projectId, { branch: { name: "dev" } }), 409, "already exists");
assert.equal((await api.countProjectBranches({ projectId })).data.count, 2);
const listed = (await api.listProjectBranches({ projectId })).data;
assert.deepEqual(listed.annotations[dev.branch.id].value, { why: "tour" });

const branch = [projectId, dev.branch.id];
const { data: app } = await api.createProjectBranchRole(...branch, { role: { name: "app" } });
await ended(projectId, app);
assert.equal((await api.getProjectBranchRolePassword(...branch, "app")).data.password,
  app.role.password);
const { data: reset } = await api.resetProjectBranchRolePassword(...branch, "app");
await ended(projectId, reset);
assert.notEqual(reset.role.password, app.role.password);
const { data: group } = await api.createProjectBranchRole(...branch,
  { role: { name: "readers", no_login: true } });
await ended(projectId, group);
assert.equal(group.role.password, undefined);
const { data: shop } = await api.createProjectBranchDatabase(...branch,
  { database: { name: "shop", owner_name: "app" } });
await ended(projectId, shop);
const { data: renamed } = await api.updateProjectBranchDatabase(...branch, "shop",
  { database: { name: "store" } });
await ended(projectId, renamed);
assert.deepEqual((await api.listProjectBranchDatabases(...branch)).data.databases
  .map((d) => `${d.name} of ${d.owner_name}`).sort(), ["neondb of neondb_owner", "store of app"]);

const endpointId = dev.endpoints[0].id;
for (const [change, state] of [["suspendProjectEndpoint", "idle"], ["startProjectEndpoint", "active"],
  ["restartProjectEndpoint", "active"]]) {
  await ended(projectId, (await api[change](projectId, endpointId)).data);
  const { data: { endpoint } } = await api.getProjectEndpoint(projectId, endpointId);
  assert.equal(endpoint.current_state, state, change);
}
const { data: slow } = await api.updateProjectEndpoint(projectId, endpointId,
  { endpoint: { suspend_timeout_seconds: 120 } });
await ended(projectId, slow);
assert.equal((await api.getProjectEndpoint(projectId, endpointId)).data.endpoint
  .suspend_timeout_seconds, 120);

const uris = {};
for (const pooled of [false, true]) {
  const { data: { uri } } = await api.getConnectionUri(
    { projectId, branch_id: dev.branch.id, database_name: "store", role_name: "app", pooled });
  assert.equal(new URL(uri).hostname.includes("-pooler"), pooled, uri);
  uris[uri] = "app";
}
await ended(projectId, (await api.restoreProjectBranch(projectId, trunk,
  { source_branch_id: dev.branch.id, preserve_under_name: "old" })).data);
assert.deepEqual((await api.listProjectBranchRoles(projectId, trunk)).data.roles
  .map((r) => r.name).sort(), ["app", "neondb_owner", "readers"]);
await refused(api.getProject("not-there-12345678"), 404, "not found");
process.stdout.write(JSON.stringify(uris));
