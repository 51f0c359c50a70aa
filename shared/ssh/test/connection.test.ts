import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { testHost } from "@elara/sdk/testing";
import ssh2, { type Connection as ServerConnection } from "ssh2";
import { Value } from "typebox/value";
import { authority } from "../src/authority.ts";
import { Connection } from "../src/connection.ts";
import { openSsh, sshOptions } from "../src/index.ts";
import { Pool } from "../src/pool.ts";
import { throwAwayKey } from "../src/throw-away-key.ts";

/** A host of our own that lets everybody in; `begin` says what it does with a connection. */
async function hostOf(t: TestContext, begin: (client: ServerConnection) => void) {
  const [hostKey, hubKey] = [throwAwayKey(), throwAwayKey()];
  const clients = new Set<ServerConnection>();
  const server = new ssh2.Server({ hostKeys: [hostKey.private] }, (client) => {
    clients.add(client);
    client.on("error", () => {});
    client.on("authentication", (login) => login.accept());
    begin(client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const folder = mkdtempSync(join(tmpdir(), "elara-host-"));
  t.after(() => {
    for (const client of clients) client.end();
    server.close();
    rmSync(folder, { recursive: true });
  });
  const address = server.address();
  assert.ok(typeof address === "object" && address);
  const { port } = address;
  const [knownHosts, privateKey] = [join(folder, "known_hosts"), join(folder, "key")];
  writeFileSync(knownHosts, `[127.0.0.1]:${port} ${hostKey.public}\n`);
  writeFileSync(privateKey, hubKey.private, { mode: 0o600 });
  const optionsOf = (change: object = {}) =>
    Value.Parse(sshOptions, Value.Default(sshOptions, { knownHosts, privateKey, ...change }));
  return { target: { host: "127.0.0.1", port, account: "ada" }, optionsOf };
}

test("a host that forbids commands for good is not asked without end", async (t) => {
  let asked = 0;
  const { target, optionsOf } = await hostOf(t, (client) =>
    client.on("session", (_, reject) => {
      asked += 1;
      reject();
    }),
  );
  const ssh = openSsh(optionsOf(), testHost());
  t.after(() => ssh.close());
  const begin = performance.now();
  await assert.rejects(ssh.run(target, { argv: ["true"], deadlineMs: 20_000 }), { fault: "unreachable" });
  assert.ok(performance.now() - begin < 8_000, "it asked until the deadline");
  assert.ok(asked > 2 && asked < 12, `it was asked ${asked} times`);
});

test("one that allows a single command at a time carries out five", async (t) => {
  let busy = false;
  let asked = 0;
  const { target, optionsOf } = await hostOf(t, (client) =>
    client.on("session", (accept, reject) => {
      asked += 1;
      if (busy) return reject();
      busy = true;
      accept().on("exec", (begin) => {
        const channel = begin();
        channel.resume();
        channel.on("close", () => {
          busy = false;
        });
        setTimeout(() => {
          channel.exit(0);
          channel.end();
        }, 300);
      });
    }),
  );
  const ssh = openSsh(optionsOf(), testHost());
  t.after(() => ssh.close());
  const run = () => ssh.run(target, { argv: ["true"], deadlineMs: 20_000 });
  const results = await Promise.all([run(), run(), run(), run(), run()]);
  assert.deepEqual(
    results.map(({ exitCode }) => exitCode),
    [0, 0, 0, 0, 0],
  );
  assert.ok(asked < 60, `it was asked ${asked} times`);
});

test("an ssh2 that is not the one expected: nothing is left of the connection", async (t) => {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === "object" && address);
  server.on("connection", (socket) => {
    socket.on("error", () => {});
    t.after(() => socket.destroy());
  });
  const ended = Promise.withResolvers<boolean>();
  const original = ssh2.Client.prototype.connect;
  t.mock.method(ssh2.Client.prototype, "connect", function connect(this: ssh2.Client, ...given: [object]) {
    const client = original.apply(this, given);
    this.once("close", () => ended.resolve(true));
    Object.assign(this, { _protocol: Object.assign(Reflect.get(this, "_protocol"), { authPK: undefined }) });
    return client;
  });
  const pair = throwAwayKey();
  const credential = { privateKey: pair.private, certificate: "ssh-ed25519-cert-v01@openssh.com AAAA" };
  const options = Value.Parse(sshOptions, Value.Default(sshOptions, { knownHosts: "/nonexistent" }));
  const target = { host: "127.0.0.1", port: address.port, account: "ada" };
  await assert.rejects(Connection.open(target, options, credential), {
    fault: "credential",
    message: /not the one expected/,
  });
  const timer = setTimeout(() => ended.resolve(false), 3_000);
  assert.ok(await ended.promise, "the connection stays open");
  clearTimeout(timer);
});

test("what is closed or expired is forgotten", async (t) => {
  const clients: ServerConnection[] = [];
  const { target, optionsOf } = await hostOf(t, (client) => clients.push(client));
  const pool = new Pool(optionsOf(), Date.now);
  t.after(() => pool.close());
  const connection = await pool.get(target);
  assert.deepEqual(pool.size, { connections: 1, logins: 0 });
  const closed = new Promise<void>((resolve) => connection.onClose(resolve));
  for (const client of clients) client.end();
  await closed;
  assert.deepEqual(pool.size, { connections: 0, logins: 0 });

  let at = 0;
  const issued = new Map();
  const issue = authority("/nonexistent/ca", 600, () => at, issued);
  const pending = [issue("ada"), issue("bob")];
  assert.equal(issued.size, 2);
  at = 300_001;
  pending.push(issue("eve"));
  assert.deepEqual([...issued.keys()], ["eve"]);
  await Promise.allSettled(pending);
});
