import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
// @boundaries-ignore the real program is started by the fixture that all rooms share
import { natsMissing, startNats } from "../../../test/fixtures/nats.ts";
import { busInClear } from "../src/rules.ts";
import type { Settings } from "../src/settings.ts";
import { config, elara, folder } from "./fixtures/command.ts";

const hub = (address: string) =>
  `{ authenticators: ["dummy"], spawners: [{ use: "local", options: { systemAccounts: false } }], auth: { allowAll: true }, bus: { use: "nats", servers: ["${address}"] } }`;
/** The line of `elara check` about the bus. */
const busLine = (output: string): string => output.split("\n").find((line) => /\bbus\b/.test(line)) ?? output;

describe("elara nats config", { skip: (await natsMissing()) ?? false }, () => {
  test("writes what nats-server takes and the hub finds its accounts in; a plain one is told", async (t) => {
    const dir = folder(t);
    config(dir, hub("127.0.0.1:4222"));
    const written = await startNats({
      configuration: ({ listen, storeDir }) =>
        elara(dir, "nats", "config", "--listen", listen, "--store", storeDir).stdout,
    });
    t.after(() => written.close());
    config(dir, hub(written.address));
    assert.match(busLine(elara(dir, "check").stdout), /with the hub's accounts/);

    const plain = await startNats();
    t.after(() => plain.close());
    config(dir, hub(plain.address));
    const checked = elara(dir, "check");
    assert.match(checked.stdout + checked.stderr, /BUS_ACCOUNTS_MISSING[\s\S]*elara nats config/);
  });

  test("says the same each time, to a file too, and makes the keys where there are none", (t) => {
    const dir = folder(t);
    const args = ["nats", "config", "--data", join(dir, "data")];
    const first = elara(dir, ...args);
    assert.equal(first.status, 0, first.stderr);
    assert.ok(existsSync(join(dir, "data", "cookie_secret")));
    const file = join(dir, "nats.conf");
    assert.equal(elara(dir, ...args, "--out", file).status, 0);
    assert.equal(readFileSync(file, "utf8"), first.stdout);
    assert.match(first.stdout, /sync_interval: always/);
  });

  test("with a certificate everything goes over TLS; in clear beyond loopback is told", async (t) => {
    const dir = folder(t);
    config(dir, hub("127.0.0.1:4222"));
    assert.equal(elara(dir, "cert", "--self-signed", "--host", "127.0.0.1", "--out", dir).status, 0);
    const pair = ["--tls-certificate", "certificate.pem", "--tls-key", "key.pem"];
    const server = await startNats({
      configuration: ({ listen, storeDir }) =>
        elara(dir, "nats", "config", ...pair, "--listen", listen, "--store", storeDir).stdout,
    });
    t.after(() => server.close());
    const secured = (tls: string): string => hub(server.address).replace('"nats",', `"nats", tls: ${tls},`);
    config(dir, secured('{ ca: "certificate.pem" }'));
    assert.match(busLine(elara(dir, "check").stdout), /with the hub's accounts/);
    config(dir, secured("{}"));
    assert.match(busLine(elara(dir, "check").stdout), /BUS_AWAY/, "nobody the machine trusts signed it");

    const plain = elara(dir, "nats", "config", "--listen", "0.0.0.0:4222");
    assert.equal(plain.status, 0);
    assert.match(plain.stderr, /0\.0\.0\.0:4222.*in clear.*--tls-certificate/);
    assert.equal(elara(dir, "nats", "config", "--listen", "0.0.0.0:4222", ...pair).stderr, "");
    const half = elara(dir, "nats", "config", ...pair.slice(0, 2));
    assert.match(half.stderr, /--tls-key/);
    assert.notEqual(half.status, 0);
  });

  test("a bus in clear is told where others reach it", () => {
    const told = (bus: object): boolean => busInClear({ bus } as Settings) !== undefined;
    const use = "nats";
    for (const server of ["127.0.0.1:4222", "nats://localhost:4222", "[::1]:4222", "localhost"])
      assert.equal(told({ use, servers: [server] }), false, server);
    assert.equal(told({ use, servers: ["127.0.0.1:4222", "nats.example.org:4222"] }), true);
    assert.equal(told({ use, servers: ["nats.example.org:4222"], tls: {} }), false);
    assert.equal(told({ use: "memory", servers: ["nats.example.org:4222"] }), false);
  });
});
