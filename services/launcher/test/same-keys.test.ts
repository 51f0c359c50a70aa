import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { systemClock } from "@elara/runtime/clock";
import { startInstance } from "@elara/runtime/instances";
import { type Keys, keysFrom } from "@elara/runtime/keys";
import { sqliteStore } from "@elara/runtime/store/sqlite";
import { pino } from "pino";
import { assertSameKeys, keyDigests } from "../src/same-keys.ts";

const log = pino({ level: "silent" });
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const cookieSecret = Buffer.alloc(32, 1);
const [old, fresh] = [Buffer.alloc(32, 2), Buffer.alloc(32, 3)];
const keys = (...cryptKey: Buffer[]): Keys => keysFrom({ cookieSecret, cryptKey });

/** A replica with the second keys starts while one with the first runs. */
async function started(running: Keys, starting: Keys): Promise<void> {
  const store = await sqliteStore({ file: ":memory:", log });
  const row = await startInstance({
    store,
    service: "auth",
    log,
    clock: systemClock,
    address: "",
    digests: keyDigests(running),
    onLost: () => {},
  });
  closers.push(
    () => store.close(),
    () => row.close(),
  );
  await assertSameKeys(store, starting);
}

describe("keys of replicas that run at once", () => {
  test("are changed one replica at a time: the new one added behind, then first, then alone", async () => {
    const steps = [keys(old), keys(old, fresh), keys(fresh, old), keys(fresh)];
    for (const [index, next] of steps.entries()) {
      const before = steps[index - 1];
      if (before === undefined) continue;
      await started(before, next);
      await started(next, before);
    }
  });

  test("are refused where one could not read what the other seals", async () => {
    const apart: [Keys, Keys][] = [
      [keys(old), keys(fresh)],
      [keys(old), keys(fresh, old)],
      [keys(old, fresh), keys(fresh)],
      [keys(old), keysFrom({ cookieSecret: Buffer.alloc(32, 9), cryptKey: old })],
    ];
    await Promise.all(
      apart.flatMap(([one, other]) =>
        [started(one, other), started(other, one)].map((start) =>
          assert.rejects(start, { code: "CONFIG_KEYS_DIFFER" }),
        ),
      ),
    );
  });
});
