import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
// @boundaries-ignore the real program is started by the fixture that all rooms share
import { natsMissing, startNats } from "../../../test/fixtures/nats.ts";
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
});
