import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, createServer as plainServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { MongoClient } from "mongodb";
import { elara, shapeMissing, shapes, startHub, type TestHub } from "../fixtures/hub.ts";
import { logInByForm } from "../fixtures/login.ts";

const configOf = (hub: TestHub): string => join(hub.dataDir, "elara.config.ts");

/** Runs `elara check` in a hub's folder, with these variables too. */
const check = async (
  hub: TestHub,
  { env = {}, args = ["--config", configOf(hub)] }: { env?: NodeJS.ProcessEnv; args?: string[] } = {},
): Promise<string> => {
  const { stdout, stderr } = await elara(["check", ...args], {
    cwd: hub.dataDir,
    env: { ...hub.environment, ...env },
  });
  assert.match(stdout, /account of the servers/, stderr);
  return stdout;
};

for (const shape of shapes)
  describe(`elara check beside the running hub, ${shape}`, { skip: await shapeMissing(shape) }, () => {
    test("tells the hub's own ports from another program's", async (t) => {
      const hub = await startHub({ shape });
      t.after(() => hub.close());
      const [port, internal] = [new URL(hub.url).port, new URL(hub.internalUrl).port];
      const told = await check(hub);
      for (const own of [port, internal])
        assert.match(told, new RegExp(`^ {2}ok +port ${own}: in use by this hub, which runs$`, "m"));

      // Another secret makes another hub.
      const other = mkdtempSync(join(tmpdir(), "elara-other-"));
      t.after(() => rmSync(other, { recursive: true, force: true }));
      writeFileSync(join(other, "cookie_secret"), "cd".repeat(32), { mode: 0o600 });
      writeFileSync(join(other, "crypt_key"), "cd".repeat(32), { mode: 0o600 });
      assert.match(
        await check(hub, { args: ["--config", configOf(hub), "--data", other] }),
        new RegExp(`FAULT +port ${port}: PORT_TAKEN: .*${port} .*an Elara hub with another cookie_secret`),
      );

      const site = createServer((_request, response) => response.writeHead(404).end());
      const mute = plainServer((socket) => socket.on("error", () => {}).on("data", () => socket.destroy()));
      for (const server of [site, mute]) {
        await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
        t.after(() => server.close());
      }
      const portOf = (server: { address(): unknown }) => String((server.address() as AddressInfo).port);
      const moved = join(hub.dataDir, "moved.config.ts");
      const text = readFileSync(configOf(hub), "utf8");
      writeFileSync(moved, text.replace(port, portOf(site)).replace(internal, portOf(mute)));
      const taken = await check(hub, { args: ["--config", moved] });
      assert.match(
        taken,
        new RegExp(`FAULT +port ${portOf(site)}: PORT_TAKEN: .*not this hub: .*status 404.*--port`),
      );
      assert.match(
        taken,
        new RegExp(`FAULT +port ${portOf(mute)}: PORT_TAKEN: .*not this hub: .*no HTTP.*--internal-port`),
      );
    });

    test("counts kept log-ins that the keys configured now do not open", async (t) => {
      const folder = mkdtempSync(join(tmpdir(), "elara-giver-"));
      t.after(() => rmSync(folder, { recursive: true, force: true }));
      writeFileSync(
        join(folder, "giver.ts"),
        `import dummy from "@elara/auth-dummy";
         export default { ...dummy, name: "giver", async setup(options, host) {
           const own = await dummy.setup(options, host);
           return { ...own, async finish(request) {
             const user = await own.finish(request);
             return user && { ...user, authState: { token: "of-the-provider" } };
           } };
         } };\n`,
      );
      const hub = await startHub({
        shape,
        config: {
          authenticators: [{ use: join(folder, "giver.ts"), options: { anyPassword: true } }],
        },
      });
      t.after(() => hub.close());
      assert.match(await check(hub), /^ {2}ok +kept log-ins: none$/m);
      await logInByForm(hub.url, "ada");
      await logInByForm(hub.url, "bob");
      assert.match(await check(hub), /^ {2}ok +kept log-ins: 2, and the configured keys open all$/m);
      const replaced = await check(hub, { env: { JUPYTERHUB_CRYPT_KEY: "ab".repeat(32) } });
      assert.match(
        replaced,
        /^ {2}FAULT +kept log-ins: AUTH_STATE_UNREADABLE: 2 of 2 .*secrets\.cryptKey.*behind/m,
      );
      if (!hub.mongo) {
        rmSync(join(hub.dataDir, "control"), { recursive: true });
        assert.match(await check(hub), /^ {2}ok +kept log-ins: not counted: the running hub/m);
        return;
      }
      // Of a database that is not there nothing is made either.
      const fresh = join(hub.dataDir, "fresh.config.ts");
      const text = readFileSync(configOf(hub), "utf8");
      writeFileSync(fresh, text.replace(hub.mongo.database, "elara_test_fresh"));
      assert.match(await check(hub, { args: ["--config", fresh] }), /^ {2}ok +kept log-ins: none$/m);
      const client = new MongoClient(hub.mongo.uri);
      t.after(() => client.close());
      assert.deepEqual(await client.db("elara_test_fresh").listCollections().toArray(), []);
    });
  });
