import assert from "node:assert/strict";
import { test } from "node:test";
import { groundsMissing, openGrounds } from "../fixtures/backends/grounds.ts";
import { openStand } from "../fixtures/backends/stand.ts";
import { shapeMissing } from "../fixtures/hub.ts";
import { seeded } from "../fixtures/random.ts";
import { aimedStretch, type KillMoment, killShares, SUBMIT_SECONDS, submitRounds } from "./submit-rounds.ts";

/** `npm run measure:backends` makes 30. */
const ROUNDS = 4;
const KILLED = ["docker", "slurm"] as const;

test("kills are spread evenly between order and stored handle, in no order", () => {
  const shares = killShares(30, seeded(7));
  const sorted = [...shares].sort((a, b) => a - b);
  for (const [index, share] of sorted.entries())
    assert.ok(share >= index / 30 && share < (index + 1) / 30, `${share} in part ${index}`);
  assert.notDeepEqual(shares, sorted);
});

test("aimed kills fall between those before the submit and those after the save", () => {
  const round = (delayMs: number, moment: KillMoment) => ({
    ...{ round: 1, victim: "spawn-1", mostAtOnce: 1, text: "", ok: true },
    ...{ delayMs, moment },
  });
  assert.deepEqual(aimedStretch([], 300), [0, 300]);
  const seen = [round(10, "before submit"), round(90, "before submit"), round(240, "after save")];
  assert.deepEqual(
    aimedStretch([...seen, round(280, "after save"), round(120, "between submit and save")], 300),
    [90, 240],
  );
  assert.deepEqual(aimedStretch([round(250, "before submit"), round(100, "after save")], 300), [0, 300]);
});

test(`one server for each start in ${ROUNDS} rounds of kill -9 around its submit`, {
  timeout: 600_000,
  skip: groundsMissing(KILLED) || (await shapeMissing("apart")),
}, async (t) => {
  const seed = Number(process.env.ELARA_SEED ?? Date.now() % 100_000);
  const grounds = await openGrounds(KILLED);
  t.after(() => grounds.close());
  const config = { ...grounds.config, spawn: { submitSeconds: SUBMIT_SECONDS } };
  const stand = await openStand({ shape: "apart", ...grounds, config });
  t.after(() => stand.close());
  const say = (line: string): void => t.diagnostic(line);
  for (const { backend, rounds, faults } of await submitRounds(stand, grounds.backends, {
    rounds: ROUNDS,
    seed,
    say,
  })) {
    assert.equal(rounds.length, ROUNDS);
    assert.deepEqual(
      rounds.filter(({ ok }) => !ok),
      [],
      `${backend.name}, seed ${seed}`,
    );
    assert.deepEqual(faults, [], `${backend.name}, seed ${seed}`);
  }
});
