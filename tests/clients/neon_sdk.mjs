// @neon/sdk: its workflows from project to login, which poll operations by themselves, and its paging
// and typed errors.
import assert from "node:assert/strict";
import { createNeonClient } from "@neon/sdk";

const baseUrl = process.env.NEON_API_URL;
const wait = { pollIntervalMs: 50, timeoutMs: 60000 };
const neon = createNeonClient({
  apiKey: process.env.NEON_API_KEY, baseUrl, throwOnError: true, wait, waitForReadiness: true,
});

const wrong = createNeonClient({ apiKey: "nobody", baseUrl });
const { error: stranger } = await wrong.projects.get({ projectId: "any-name-12345678" });
assert.equal(stranger.kind, "auth");
assert.equal(stranger.status, 401);
const { error: absent } = await neon.projects.get({ projectId: "any-name-12345678" },
  { throwOnError: false });
assert.equal(absent.kind, "not_found");
assert.ok(absent.requestId, "an error names its request");

const uris = {};
const { project, connectionString } = await neon.projects.createAndConnect(
  { name: "sdk-one", pg_version: 17, pooled: true });
assert.ok(new URL(connectionString).hostname.includes("-pooler"), connectionString);
uris[connectionString] = "neondb_owner";
const projectId = project.id;
for (const name of ["sdk-two", "sdk-three"]) {
  await neon.projects.create({ name, pg_version: 17 });
}
const streamed = [];
for await (const one of neon.projects.list({ limit: 1, search: "sdk-" })) {
  streamed.push(one.name);
}
assert.deepEqual(streamed.sort(), ["sdk-one", "sdk-three", "sdk-two"]);

const main = await neon.branches.getDefault({ projectId });
assert.equal(main.name, "main");
const { branch, endpoint, connectionString: preview } = await neon.branches.createAndConnect(
  { projectId, name: "preview/pr-123", parentId: main.id, compute: { minCu: 0.25, maxCu: 1 } });
assert.equal(branch.parent_id, main.id);
assert.equal(endpoint.autoscaling_limit_max_cu, 1);
uris[preview] = "neondb_owner";
const at = { projectId, branchId: branch.id };
const { error: twice } = await neon.branches.create({ projectId, name: "preview/pr-123" },
  { throwOnError: false });
assert.equal(twice.status, 409);

const role = await neon.postgres.roles.create({ ...at, name: "app" });
assert.equal(await neon.postgres.roles.password({ ...at, roleName: "app" }), role.password);
await neon.postgres.databases.create({ ...at, name: "shop", owner_name: "app" });
uris[await neon.postgres.connectionString({ ...at, databaseName: "shop", roleName: "app",
  pooled: false })] = "app";
const names = (await neon.postgres.databases.list(at)).map((one) => one.name).sort();
assert.deepEqual(names, ["neondb", "shop"]);

const spare = await neon.branches.create({ projectId, name: "spare" });
await neon.postgres.roles.create({ projectId, branchId: spare.id, name: "lost" });
await neon.branches.resetFromParent({ projectId, branchId: spare.id });
assert.deepEqual((await neon.postgres.roles.list({ projectId, branchId: spare.id }))
  .map((one) => one.name), ["neondb_owner"]);
await neon.branches.delete({ projectId, branchId: spare.id });
assert.deepEqual((await neon.branches.list({ projectId }).all()).map((one) => one.name).sort(),
  ["main", "preview/pr-123"]);
process.stdout.write(JSON.stringify(uris));
