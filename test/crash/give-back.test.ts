import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { shapeMissing, shapes, startHub, type TestHub } from "../fixtures/hub.ts";
import { logInByForm } from "../fixtures/login.ts";
import { until } from "../fixtures/until.ts";

/**
 * An authenticator that gets a token with each log-in. While `away` is there, giving it back hangs; while `silent` is, asking
 * who it is does.
 */
const plugin = (folder: string): string => `
import { randomBytes } from "node:crypto";
import { appendFileSync, existsSync } from "node:fs";
import { authPlugin, Type } from "@elara/sdk";

const note = (file, line) => appendFileSync(${JSON.stringify(folder)} + "/" + file, line + "\\n");
export default authPlugin({
  name: "giver",
  options: Type.Object({}),
  errors: {},
  setup: () => ({
    begin: () => ({
      kind: "form",
      fields: ["username", "password"].map((name) => ({ name, label: name, type: "text" })),
    }),
    async finish({ input: { username }, hold }) {
      const token = "token-" + randomBytes(12).toString("hex");
      note("given", token);
      await hold({ token });
      note("held", token);
      if (existsSync(${JSON.stringify(folder)} + "/silent")) await new Promise(() => setInterval(() => {}, 1000));
      return { issuer: "giver:", subject: username, name: username, authState: { token } };
    },
    async logout({ authState }) {
      note("asked", authState.token);
      if (existsSync(${JSON.stringify(folder)} + "/away")) await new Promise(() => setInterval(() => {}, 1000));
      note("returned", authState.token);
    },
  }),
});
`;

/** Writes the plugin, with this fault until it `recovers`; `lines` are what it noted in a file. */
function giver(t: TestContext, fault: "away" | "silent") {
  const folder = mkdtempSync(join(tmpdir(), "elara-giver-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const use = join(folder, "giver.ts");
  writeFileSync(use, plugin(folder));
  writeFileSync(join(folder, fault), "");
  const lines = (file: string): string[] =>
    existsSync(join(folder, file))
      ? readFileSync(join(folder, file), "utf8").split("\n").filter(Boolean)
      : [];
  return { use, lines, recovers: () => rmSync(join(folder, fault)) };
}

/** kill -9 of everything that is the auth service; resolves when it is there again. */
async function killAuth(hub: TestHub): Promise<void> {
  if (hub.shape === "alone") return (await hub.crashSpawn())();
  const before = Object.entries(hub.pids()).filter(([name]) => name.startsWith("auth"));
  assert.ok(before.length > 0);
  for (const [, pid] of before) process.kill(pid, "SIGKILL");
  await until("the auth service to be back", () =>
    before.every(([name, pid]) => (hub.pids()[name] ?? 0) > 0 && hub.pids()[name] !== pid),
  );
}

// Side by side: they wait most of their time.
for (const shape of shapes)
  describe(`auth is killed while it gives tokens back (${shape})`, {
    concurrency: true,
    skip: await shapeMissing(shape),
  }, () => {
    test("whoever comes after it gives them back, once", { timeout: 180_000 }, async (t) => {
      const { use, lines, recovers } = giver(t, "away");
      const hub = await startHub({ shape, config: { authenticators: [{ use }] } });
      t.after(() => hub.close());
      const cookie = await logInByForm(hub.url, "ada");
      const left = await fetch(`${hub.url}/hub/logout`, { headers: { cookie }, redirect: "manual" });
      assert.equal(left.status, 302);
      await until("the provider is asked", () => lines("asked").length === 1);
      await killAuth(hub);
      recovers();
      await until("the token is given back", () => lines("returned").length > 0, 60_000);
      assert.deepEqual(lines("returned"), lines("given"));
      assert.equal(lines("asked").length, 2);
      const [token = "none"] = lines("given");
      assert.ok(!hub.log().includes(token), "it is in no log");
    });

    test("and what a log-in got that it was killed in, before anybody knew who it is", {
      timeout: 180_000,
    }, async (t) => {
      const { use, lines } = giver(t, "silent");
      const hub = await startHub({
        shape,
        config: { authenticators: [{ use }], auth: { loginSeconds: 2 } },
      });
      t.after(() => hub.close());
      const people = ["ada", "bob", "grace"];
      const logIns = people.map((name) => logInByForm(hub.url, name).catch(() => {}));
      await until("the provider has given", () => lines("held").length === people.length);
      await killAuth(hub);
      await Promise.all(logIns);
      await until("all of it is given back", () => lines("returned").length === people.length, 120_000);
      assert.deepEqual(lines("returned").toSorted(), lines("given").toSorted());
    });
  });
