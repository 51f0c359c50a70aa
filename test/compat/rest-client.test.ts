import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { shapeMissing, shapes, startHub } from "../fixtures/hub.ts";
import { jupyterBin } from "../fixtures/jupyter.ts";
import { startServer } from "../fixtures/server.ts";

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL("rest_client.py", import.meta.url));

for (const shape of shapes) {
  describe(`a Python client with requests (${shape})`, { skip: await shapeMissing(shape) }, () => {
    test("lists users, starts and stops another user's server, reads routes and a 404, at both doors", {
      timeout: 180_000,
    }, async (t) => {
      const hub = await startHub({ shape });
      t.after(() => hub.close());
      const token = await hub.token("root-admin");
      const python = join(await jupyterBin(), "python");
      const doors = { public: `${hub.url}/hub/api`, internal: `${hub.internalUrl}/hub/api` };
      for (const [door, api] of Object.entries(doors)) {
        const user = `grace-${door}`;
        const { stdout } = await run(python, [SCRIPT, api, token, user]);
        const seen: Record<string, unknown> = JSON.parse(stdout);
        assert.equal(seen.version, "6.1.1");
        assert.ok(Array.isArray(seen.users) && seen.users.includes(user), `${door}: ${stdout}`);
        assert.ok([201, 202].includes(Number(seen.start)), `${door}: start answered ${seen.start}`);
        assert.equal(seen.url, `/user/${user}/`);
        assert.deepEqual(seen.routes, [`/user/${user}/`]);
        assert.ok([202, 204].includes(Number(seen.stop)), `${door}: stop answered ${seen.stop}`);
        assert.deepEqual(seen.servers_after, []);
        const [status, keys, message] = seen.missing as [number, string[], string];
        assert.equal(status, 404);
        assert.ok(keys.includes("status") && keys.includes("message"));
        assert.ok(message, "the message of a 404 says something");
      }
    });

    test("whoever is not the owner gets 403 at /user/name/", { timeout: 120_000 }, async (t) => {
      const hub = await startHub({ shape });
      t.after(() => hub.close());
      const admin = await hub.token("root-admin");
      const [ada, eve] = [await hub.token("ada"), await hub.token("eve")];
      await startServer(hub, ada, "ada");
      const at = (token: string) =>
        fetch(`${hub.url}/user/ada/api/status`, { headers: { authorization: `token ${token}` } });
      assert.equal((await at(ada)).status, 200);
      assert.equal((await at(eve)).status, 403);
      assert.equal((await fetch(`${hub.url}/user/ada/api/status`)).status, 403);
      assert.equal((await at(admin)).status, 200, "an administrator holds access:servers");
    });
  });
}
