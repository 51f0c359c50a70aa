import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { dockerMissing } from "@elara/beds/docker";
import { composed, composeMissing, imageTrial } from "../fixtures/install/image.ts";
import { type Installed, install, installMissing } from "../fixtures/install/installed.ts";

describe("containers of an installed hub", { skip: installMissing() }, () => {
  let installed: Installed;
  before(async () => {
    installed = await install();
  });
  after(() => installed.close());

  test("docker-compose accepts the compose file; bus and store promise what the hub rests on", {
    skip: composeMissing(),
  }, () => {
    const { services, networks } = composed(installed);
    assert.deepEqual(Object.keys(services).sort(), [
      "auth",
      "culler",
      "mongo",
      "nats",
      "proxy",
      "spawn",
      "web",
    ]);
    for (const name of ["auth", "culler", "proxy", "spawn", "web"]) {
      const { command, environment } = services[name] ?? {};
      assert.deepEqual(command, ["run", name, "--config", "/etc/elara/elara.config.ts"]);
      const uri = new URL(environment?.MONGODB_URI ?? "");
      assert.equal(`${uri.searchParams.get("w")} ${uri.searchParams.get("journal")}`, "majority true");
      assert.equal(networks.inside?.ipam?.config[0]?.subnet, `${environment?.ELARA_INSIDE}.0/24`);
      const hasSecrets = Object.keys(environment ?? {}).includes("GITHUB_CLIENT_SECRET");
      assert.equal(hasSecrets, name === "auth", `${name}: what GitHub gave is for auth alone`);
    }
    const on = Object.fromEntries(
      Object.entries(services).map(([name, each]) => [name, Object.keys(each.networks ?? {}).sort()]),
    );
    for (const name of ["auth", "web", "culler", "nats", "mongo"])
      assert.deepEqual(on[name], ["inside"], name);
    for (const name of ["spawn", "proxy"]) assert.deepEqual(on[name], ["inside", "servers"], name);
    assert.deepEqual(services.nats?.command, ["-c", "/etc/elara/nats.conf"], "written by elara nats config");
  });

  test("the image is built without a registry, runs as nobody special and shows the log-in page", {
    skip: dockerMissing(),
  }, async () => {
    const { title, account, version, listening } = await imageTrial(installed);
    assert.equal(title, "Log in · Elara");
    assert.equal(account, "1000");
    assert.equal(version, installed.archive.version);
    assert.equal(listening.length, 2);
    for (const { address, chosen } of listening)
      assert.equal(chosen, address, "one of the network it was told");
  });
});
