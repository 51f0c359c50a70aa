import assert from "node:assert/strict";
import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { shapeMissing, shapes } from "../fixtures/hub.ts";
import { aloneGround, apartGround, selfSigned } from "../fixtures/install/ground.ts";
import { hubOf, type Installed, install, installMissing } from "../fixtures/install/installed.ts";
import { loginPage, type Running, start } from "../fixtures/install/running.ts";
import { startServer } from "../fixtures/install/servers.ts";
import { systemdLines } from "../fixtures/install/start-lines.ts";
import { supervise, supervisorMissing } from "../fixtures/install/supervisor.ts";
import { endServersOf } from "../fixtures/processes.ts";

const shapeMissingNow = { alone: await shapeMissing("alone"), apart: await shapeMissing("apart") };
const grounds = { alone: aloneGround, apart: apartGround };

describe("an installed hub", { skip: installMissing() }, () => {
  let installed: Installed;
  before(async () => {
    installed = await install();
  });
  after(() => {
    endServersOf(`http://127.0.0.1:${installed.ports.internal}`);
    installed.close();
  });
  const lineOf = (words: string): string =>
    installed.here(systemdLines(installed.opt).find(({ line }) => line.includes(words))?.line ?? "");

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
        /elara-[\d.]+\/(services|plugins|shared)\//,
      );
  });

  test("its command finds its tree through links, and says how it is called", () => {
    assert.equal(installed.run("--version"), `${installed.archive.folder.replace("elara-", "")}\n`);
    const written = installed.run("init", join(installed.data, "new.config.ts"));
    assert.match(written, /then run `elara check`/);
  });

  test("another version beside it takes over and gives back; people, tokens and servers stay", async () => {
    const ground = await aloneGround(installed);
    const line = lineOf("run all");
    const version = async (): Promise<string> =>
      String(Object(await (await fetch(`${ground.url}/hub/api/`)).json()).version);
    const api = (token: string, path: string, init: RequestInit = {}) =>
      fetch(`${ground.url}/hub/api${path}`, { ...init, headers: { authorization: `token ${token}` } });
    let running = await start(installed, line);
    try {
      assert.equal(await loginPage(ground.url), "Log in · Elara");
      const token = installed.run("token", "ada", "--data", installed.data).trim();
      const server = await startServer(ground.url, token, "ada");
      const first = installed.archive.folder.replace("elara-", "");
      installed.unpackAs("9.9.9");
      for (const next of ["9.9.9", first]) {
        assert.equal(await running.stop(), 0);
        installed.use(next);
        running = await start(installed, line);
        assert.match(running.said(), new RegExp(`Elara ${next.replaceAll(".", "\\.")} is ready`));
        assert.equal((await api(token, "/user")).status, 200, "the token is good still");
        assert.equal(await server.pid(), server.pidAtStart, "the same process serves");
        assert.equal(await server.answers(), 200);
      }
      assert.ok(await version());
      assert.equal((await api(token, "/users/ada/server", { method: "DELETE" })).status < 300, true);
    } finally {
      await running.stop();
    }
  });

  for (const shape of shapes)
    describe(shape, { skip: supervisorMissing() || shapeMissingNow[shape] }, () => {
      test("every line of the systemd units starts its part, and SIGTERM ends it well", async () => {
        const ground = await grounds[shape](installed);
        const running: Running[] = [];
        try {
          const lines = systemdLines(installed.opt).filter((each) => each.shape === shape);
          assert.equal(lines.length, shape === "alone" ? 1 : 5);
          for (const { line } of lines) running.push(await start(installed, installed.here(line)));
          assert.equal(await loginPage(ground.url, ground.ask), "Log in · Elara");
          for (const each of running) assert.equal(await each.stop(), 0, each.said());
        } finally {
          for (const each of running) await each.stop();
          await ground.close();
        }
      });

      test("supervisord runs every program of its file", async () => {
        const ground = await grounds[shape](installed);
        const supervised = await supervise(
          installed,
          shape === "alone" ? "elara.conf" : "elara-services.conf",
        );
        try {
          assert.equal(Object.keys(supervised.status()).length, shape === "alone" ? 1 : 5);
          assert.equal(await loginPage(ground.url, ground.ask), "Log in · Elara");
          assert.deepEqual(new Set(Object.values(supervised.stop())), new Set(["STOPPED"]));
        } finally {
          await supervised.close();
          await ground.close();
        }
      });
    });

  test("serves over HTTPS with its own certificate; nobody else's is trusted", async () => {
    const { files, ask } = selfSigned(installed);
    const other = selfSigned(installed);
    installed.configure(hubOf(installed, { network: { tls: files } }));
    const running = await start(installed, lineOf("run all"));
    try {
      const url = `https://localhost:${installed.ports.public}`;
      assert.equal(await loginPage(url, ask), "Log in · Elara");
      const cookie = (await ask(`${url}/hub/login`)).headers.get("set-cookie") ?? "";
      assert.match(cookie, /; Secure/i, "cookies do not travel in clear");
      await assert.rejects(other.ask(`${url}/hub/login`), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
    } finally {
      await running.stop();
    }
    assert.match(running.said(), /Open +https:\/\//);
    assert.match(readFileSync(files.key, "utf8"), /BEGIN PRIVATE KEY/);
  });
});
