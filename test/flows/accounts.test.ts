import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { accountMissing, makeAccount } from "../fixtures/account.ts";
import { startHub } from "../fixtures/hub.ts";
import { startKernel } from "../fixtures/kernel.ts";
import { loginAnswer } from "../fixtures/login.ts";
import { serversOf } from "../fixtures/processes.ts";
import { startServer } from "../fixtures/server.ts";

test("with PAM, people log in with their system password and work as their own account", {
  timeout: 120_000,
  skip: accountMissing(),
}, async (t) => {
  const account = makeAccount();
  const hub = await startHub({ shape: "alone", config: { authenticators: ["pam"] } });
  t.after(async () => {
    await hub.close();
    account.remove();
  });
  assert.equal((await loginAnswer(hub.url, account.name, "not the password")).status, 403);
  assert.equal((await loginAnswer(hub.url, account.name, account.password)).status, 302);

  const token = await hub.token(account.name);
  await startServer(hub, token, account.name);
  const [server, ...more] = serversOf(hub.internalUrl);
  assert.ok(server);
  assert.deepEqual(more, []);
  const status = readFileSync(`/proc/${server.pid}/status`, "utf8");
  assert.match(status, new RegExp(`^Uid:\\s+${account.uid}\\s+${account.uid}\\s+${account.uid}`, "m"));
  assert.match(status, new RegExp(`^Groups:.*\\b${account.gid}\\b`, "m"));
  assert.equal(server.environment.HOME, account.home);

  const kernel = await startKernel(hub.url, account.name, token);
  t.after(() => kernel.close());
  const code =
    'import getpass, pathlib; pathlib.Path("made-by-kernel").write_text("x"); print(getpass.getuser())';
  assert.equal(await kernel.run(code), account.name);
  assert.equal(statSync(join(account.home, "made-by-kernel")).uid, account.uid);
});
