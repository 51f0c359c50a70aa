import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ask } from "../src/ask.ts";
import { sharedListing } from "../src/listing.ts";
import { slurm } from "../src/schedulers/slurm.ts";

/** A scheduler whose answers wait until they are let go. */
function slow() {
  const asked: { owners: string; answer(stdout: string): void; fail(error: Error): void }[] = [];
  const ask: Ask = async (argv, parse, signal) => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    signal?.addEventListener("abort", () => reject(signal.reason));
    asked.push({ owners: argv[argv.indexOf("-u") + 1] ?? "", answer: resolve, fail: reject });
    return parse(await promise, false);
  };
  return { asked, list: sharedListing(ask, slurm) };
}
const turn = () => new Promise((done) => setImmediate(done));

test("who comes while a listing is under way shares the next one, for the owners of all", async () => {
  const { asked, list } = slow();
  const first = list(["1001"]);
  await turn();
  const later = [list(["1002"]), list(["1003"]), list(["1002"])];
  await turn();
  assert.deepEqual(
    asked.map(({ owners }) => owners),
    ["1001"],
    "one at a time",
  );
  asked[0]?.answer("");
  assert.equal((await first).size, 0);
  await turn();
  assert.deepEqual(
    asked.map(({ owners }) => owners),
    ["1001", "1002,1003"],
  );
  asked[1]?.answer("5|1002|RUNNING|1|1|1|n1|None\n");
  for (const jobs of await Promise.all(later)) assert.equal(jobs.get("5")?.state, "running");
});

test("one that fails fails for who waited for it, and the next is asked all the same", async () => {
  const { asked, list } = slow();
  const first = list(["1001"]);
  await turn();
  const second = list(["1001"]);
  asked[0]?.fail(new Error("away"));
  await assert.rejects(first, /away/);
  await turn();
  asked[1]?.answer("");
  assert.equal((await second).size, 0);
});

test("one is given up when all who wait for it have left, not before", async () => {
  const { asked, list } = slow();
  const [first, second] = [new AbortController(), new AbortController()];
  const both = [list(["1001"], first.signal), list(["1002"], second.signal)];
  await turn();
  first.abort();
  await assert.rejects(both[0] ?? Promise.resolve(), { name: "AbortError" });
  asked[0]?.answer("");
  assert.equal((await both[1])?.size, 0);

  const alone = new AbortController();
  const left = list(["1001"], alone.signal);
  await turn();
  alone.abort();
  await assert.rejects(left, { name: "AbortError" });
  const next = list(["1003"]);
  await turn();
  assert.equal(asked.at(-1)?.owners, "1003", "the next does not wait for it");
  asked.at(-1)?.answer("");
  assert.equal((await next).size, 0);
});
