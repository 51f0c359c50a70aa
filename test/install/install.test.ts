import assert from "node:assert/strict";
import { readdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { noBrowser } from "../fixtures/browser.ts";
import { shapeMissing, shapes } from "../fixtures/hub.ts";
import { type Installed, install, installMissing } from "../fixtures/install/installed.ts";
import { supervisorMissing } from "../fixtures/install/supervisor.ts";
import { endServersOf } from "../fixtures/processes.ts";
import {
  bySupervisor,
  byUnits,
  clusterOverHttps,
  inBrowser,
  secure,
  upgrade,
} from "../fixtures/trials/install.ts";

const shapeMissingNow = { alone: await shapeMissing("alone"), apart: await shapeMissing("apart") };

describe("an installed hub", { skip: installMissing() }, () => {
  let installed: Installed;
  before(async () => {
    installed = await install();
  });
  after(() => {
    endServersOf(`http://127.0.0.1:${installed.ports.internal}`);
    installed.close();
  });
  test("its archive holds what the hub needs and nothing that only a developer needs", () => {
    const all = readdirSync(installed.opt, { recursive: true, encoding: "utf8" });
    const has = (path: string): boolean => all.includes(path);
    for (const path of [
      "node/bin/node",
      "bin/elara",
      "deploy/systemd/elara.service",
      "deploy/README.md",
      "LICENSE",
    ])
      assert.ok(has(path), path);
    for (const name of [
      "typescript",
      "@biomejs",
      "turbo",
      "playwright-core",
      "@elara/test",
      "@elara/beds",
      "@types",
      "npm",
    ])
      assert.ok(!has(`node_modules/${name}`), name);
    const ofDevelopers =
      /^(services|plugins|shared)\/([^/]+\/test\/|.*\.test\.ts$|.*turbo\.json$)|(^|\/)\.git(\/|$)/;
    assert.deepEqual(
      all.filter((path) => ofDevelopers.test(path)),
      [],
    );
    const links = readdirSync(join(installed.opt, "node_modules/@elara"));
    assert.ok(links.includes("launcher") && links.includes("auth-oauth"), `${links}`);
    for (const link of links)
      assert.match(
        realpathSync(join(installed.opt, "node_modules/@elara", link)),
        /elara-[\d.]+(-dirty)?\/(services|plugins|shared)\//,
      );
  });

  test("its command finds its tree through links, and says how it is called", () => {
    assert.equal(installed.run("--version"), `${installed.archive.version}\n`);
    const written = installed.run("init", join(installed.data, "new.config.ts"));
    assert.match(written, /then run `elara check`/);
  });

  test("another version beside it takes over and gives back; people, tokens and servers stay", async () => {
    const { awayMs } = await upgrade(installed);
    assert.equal(awayMs.length, 2, "there and back");
  });

  for (const shape of shapes)
    describe(shape, { skip: supervisorMissing() || shapeMissingNow[shape] }, () => {
      test("every line of the systemd units starts its part, and SIGTERM ends it well", async () => {
        const { url } = await byUnits(installed, shape);
        assert.equal(new URL(url).protocol, shape === "alone" ? "http:" : "https:");
      });

      test("supervisord runs every program of its file, with the secrets of elara.env", async () => {
        const { programs } = await bySupervisor(installed, shape);
        assert.ok(programs > 0);
      });
    });

  test("elara cluster is ready over HTTPS, and says so", { skip: shapeMissingNow.apart }, async () => {
    const { readyMs } = await clusterOverHttps(installed);
    assert.ok(readyMs < 60_000, "before its patience was over");
  });

  test("serves over HTTPS with its own certificate; nobody else's is trusted", async () => {
    assert.equal(await secure(installed), "Log in · Elara");
  });

  test("over HTTPS a notebook computes in a browser", { skip: noBrowser() }, async () => {
    const { sockets } = await inBrowser(installed);
    assert.ok(sockets > 0, "over wss:");
  });
});
