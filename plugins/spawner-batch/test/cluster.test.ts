import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ask } from "../src/ask.ts";
import { knownCluster } from "../src/cluster.ts";
import { slurm } from "../src/schedulers/slurm.ts";

/** A cluster whose questions are counted; each gets the next of these answers, the last one for ever. */
function bench(...answers: (string | Error | Promise<string>)[]) {
  const clock = { now: 0 };
  const asked: string[] = [];
  const ask: Ask = async (argv, parse) => {
    const answer = await answers[Math.min(asked.push(argv[0] ?? "") - 1, answers.length - 1)];
    if (typeof answer === "string") return parse(answer, false);
    throw answer;
  };
  return { cluster: knownCluster(ask, slurm, () => clock.now), clock, asked };
}
const main = "main*|up|infinite|2|2000\n";

test("fifty starts at one time ask for partitions once, and for nodes once", async () => {
  const { cluster, clock, asked } = bench(main);
  const all = await Promise.all(Array.from({ length: 50 }, () => cluster.partitions()));
  assert.ok(all.every(([partition]) => partition?.name === "main"));
  await Promise.all(Array.from({ length: 50 }, () => cluster.address("n1")));
  assert.deepEqual(asked, ["sinfo", "scontrol"]);
  clock.now = 60_001;
  await Promise.all([cluster.partitions(), cluster.partitions()]);
  assert.deepEqual(asked, ["sinfo", "scontrol", "sinfo"], "again when it is old");
});

test("a failure is told to all who wait, and the next one asks anew", async () => {
  const { cluster, asked } = bench(new Error("away"), main);
  for (const one of await Promise.allSettled([cluster.partitions(), cluster.partitions()]))
    assert.equal(one.status, "rejected");
  assert.equal((await cluster.partitions())[0]?.name, "main");
  assert.equal(asked.length, 2);
});

test("who gives up gets away at once, the others have their answer", { timeout: 10_000 }, async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const { cluster, asked } = bench(promise);
  const giveUp = new AbortController();
  const left = cluster.partitions(giveUp.signal);
  const waiting = cluster.partitions(new AbortController().signal);
  giveUp.abort();
  await assert.rejects(left, { name: "AbortError" });
  resolve(main);
  assert.equal((await waiting)[0]?.name, "main");
  assert.equal(asked.length, 1);
});

test("a node that is not in the last listing is asked for again, but not all the time", async () => {
  const nodes = (name: string) => `NodeName=${name} NodeAddr=10.0.0.1 Port=1 \n`;
  const { cluster, clock, asked } = bench(nodes("n1"), nodes("n2"));
  assert.deepEqual([await cluster.address("n1"), await cluster.address("n2")], ["10.0.0.1", undefined]);
  clock.now = 10_001;
  assert.equal(await cluster.address("n1"), "10.0.0.1");
  assert.equal(asked.length, 1);
  assert.equal(await cluster.address("n2"), "10.0.0.1");
  assert.equal(asked.length, 2);
});
