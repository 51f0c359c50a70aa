import assert from "node:assert/strict";
import { test } from "node:test";
import { newTag } from "@elara/sdk/testing";
import { Value } from "typebox/value";
import { asking } from "../src/ask.ts";
import { openDesk } from "../src/desk.ts";
import { newHandle } from "../src/handle.ts";
import { sharedListing } from "../src/listing.ts";
import { watching } from "../src/observe.ts";
import { options } from "../src/options.ts";
import { slurm } from "../src/schedulers/slurm.ts";
import type { Transport } from "../src/transports/transport.ts";

const nothing = { claim: null, state: null, exit: null };

/** Looks at two starting servers, `ada`'s and `bob`'s; bob's home hangs until it is let go. */
function bench(squeue: () => string = () => "1|7|RUNNING|5|5|9|n1|None\n2|7|RUNNING|5|5|9|n1|None\n") {
  const servers = ["ada", "bob"].map((account, index) => {
    const tag = newTag();
    const handle = newHandle(tag, { jobId: `${index + 1}`, owner: "7", account, submittedAt: 5 });
    return { tag, user: { id: account, name: account }, server: "", handle, url: "" };
  });
  const asked: string[] = [];
  const given: string[] = [];
  const home = Promise.withResolvers<void>();
  const transport: Transport = {
    async run({ account, stdin = "", signal }) {
      const done = (stdout: string) => ({ exitCode: 0, stdout, stderr: "" });
      if (account === undefined) return done(squeue());
      asked.push(account);
      const { promise, reject } = Promise.withResolvers<never>();
      signal?.addEventListener("abort", () => {
        given.push(account);
        reject(signal.reason);
      });
      promise.catch(() => {});
      if (account === "bob") await Promise.race([home.promise, promise]);
      const { tags } = JSON.parse(stdin.slice(stdin.indexOf("\n"))) as { tags: string[] };
      return done(
        JSON.stringify({ ok: true, records: Object.fromEntries(tags.map((tag) => [tag, nothing])) }),
      );
    },
  };
  const ask = asking(slurm, transport);
  const config = Value.Parse(options, Value.Default(options, {}));
  const observe = watching({
    ...{ scheduler: slurm, ask, listing: sharedListing(ask, slurm), nodeAddress: "name", now: Date.now },
    portRange: [20_000, 29_999],
    desk: openDesk(config, transport),
    cluster: { partitions: async () => [], address: async () => undefined },
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
  const look = async (signal = new AbortController().signal) => {
    const { rows } = await observe(servers, signal);
    return rows.map(({ state }) => state);
  };
  return { look, asked, given, home };
}

test("a home that hangs holds up a look 3 s once, then 0.4 s; its server stays as it was, one reading goes on", async () => {
  const { look, asked } = bench();
  let begun = performance.now();
  assert.deepEqual(await look(), ["starting", "starting"]);
  assert.ok(performance.now() - begun < 5_000);
  begun = performance.now();
  assert.deepEqual(await look(), ["starting", "starting"]);
  assert.ok(performance.now() - begun < 2_500);
  assert.deepEqual(asked.sort(), ["ada", "ada", "bob"]);
});

test("of a job that ended meanwhile nothing is concluded from records read before", async () => {
  let squeue = "1|7|RUNNING|5|5|9|n1|None\n2|7|RUNNING|5|5|9|n1|None\n";
  const { look, home } = bench(() => squeue);
  await look();
  home.resolve();
  squeue = "1|7|RUNNING|5|5|9|n1|None\n2|7|FAILED|5|5|9|n1|NonZeroExitCode\n";
  assert.deepEqual(await look(), ["starting", "unknown"]);
  assert.deepEqual(await look(), ["starting", "ended"], "read anew it is");
});

test("a look that is given up ends its commands, and the next asks anew", async () => {
  const { look, asked, given, home } = bench();
  const giveUp = new AbortController();
  const looking = look(giveUp.signal);
  while (!asked.includes("bob")) await new Promise((done) => setImmediate(done));
  giveUp.abort();
  await assert.rejects(looking, { name: "AbortError" });
  assert.ok(given.includes("bob"));
  home.resolve();
  assert.deepEqual(await look(), ["starting", "starting"]);
  assert.deepEqual(asked.filter((account) => account === "bob").length, 2);
});
