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

const who = { pid: 7, start: 1 };

/** What a look says of ada's job on n1 when her record names this port. */
async function lookAt(port: number) {
  const tag = newTag();
  const handle = newHandle(tag, { jobId: "1", owner: "7", account: "ada", submittedAt: 5 });
  const state = {
    ...{ v: 1, tag, phase: "running", bootId: "boot1", startedAt: "2026-01-01T00:00:00.000Z" },
    ...{ launcher: who, child: who, port, url: `http://elsewhere:${port}` },
  };
  const records = { [tag]: { claim: { jobId: "1" }, state, exit: null } };
  const transport: Transport = {
    run: async ({ account }) => ({
      exitCode: 0,
      stdout: account === undefined ? "1|7|RUNNING|5|5|9|n1|None\n" : JSON.stringify({ ok: true, records }),
      stderr: "",
    }),
  };
  const ask = asking(slurm, transport);
  const observe = watching({
    ...{ scheduler: slurm, ask, listing: sharedListing(ask, slurm), nodeAddress: "name", now: Date.now },
    portRange: [20_000, 29_999],
    desk: openDesk(Value.Parse(options, Value.Default(options, {})), transport),
    cluster: { partitions: async () => [], address: async () => undefined },
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
  const server = { tag, user: { id: "u", name: "ada" }, server: "", handle, url: "" };
  const { rows } = await observe([server], new AbortController().signal);
  return rows[0];
}

test("of a record that its owner wrote only a port is taken, and only one that servers get", async () => {
  assert.deepEqual(
    [(await lookAt(20_005))?.state, (await lookAt(20_005))?.url],
    ["running", "http://n1:20005"],
  );
  for (const port of [8081, 22, 99_999_999]) {
    const row = await lookAt(port);
    assert.deepEqual([row?.state, row?.url], ["starting", undefined], String(port));
  }
});
