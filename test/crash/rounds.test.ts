import assert from "node:assert/strict";
import { test } from "node:test";
import { shapeMissing, startHub } from "../fixtures/hub.ts";
import { crashRounds, plan } from "./rounds.ts";

const ROUNDS = Number(process.env.ELARA_CRASH_ROUNDS ?? 10);

test("the plan of 20 rounds hits every service twice, 8 starts and 3 stops", () => {
  const rounds = plan(20, 7);
  const count = (key: "moment" | "service", value: string) =>
    rounds.filter((round) => round[key] === value).length;
  for (const service of ["auth", "spawn", "web", "proxy", "culler"])
    assert.ok(count("service", service) >= 2, service);
  assert.equal(rounds.length, 20);
  assert.ok(count("moment", "starting") >= 8);
  assert.ok(count("moment", "stopping") >= 3);
});

test(`nothing is lost or doubled in ${ROUNDS} rounds of kill -9`, {
  timeout: 900_000,
  skip: await shapeMissing("apart"),
}, async (t) => {
  const seed = Number(process.env.ELARA_SEED ?? Date.now() % 100_000);
  const hub = await startHub({ shape: "apart" });
  t.after(() => hub.close());
  const results = await crashRounds(hub, { rounds: ROUNDS, seed, say: (line) => t.diagnostic(line) });
  assert.deepEqual(
    results.filter(({ ok }) => !ok),
    [],
    `seed ${seed}`,
  );
});
