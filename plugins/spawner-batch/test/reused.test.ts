import assert from "node:assert/strict";
import { test } from "node:test";
import { newTag } from "@elara/sdk/testing";
import { asking } from "../src/ask.ts";
import { newHandle } from "../src/handle.ts";
import { sharedListing } from "../src/listing.ts";
import { watching } from "../src/observe.ts";
import { pbs } from "../src/schedulers/pbs.ts";

test("a PBS that gave an id again, to the same account, does not show the old server", async () => {
  const job = { Job_Owner: "ada@l", job_state: "Q", ctime: "Sun Nov 22 21:22:46 2026" };
  const stdout = JSON.stringify({ pbs_version: "22", Jobs: { "1.pbs01": job } });
  const ask = asking(pbs, { run: async () => ({ exitCode: 0, stdout, stderr: "" }) });
  const nothing = { claim: null, state: null, exit: null };
  const observe = watching({
    ...{ scheduler: pbs, ask, listing: sharedListing(ask, pbs), nodeAddress: "name", now: Date.now },
    portRange: [20_000, 29_999],
    desk: async (_account, wish) =>
      ({ ok: true, records: Object.fromEntries(tagsOf(wish).map((tag) => [tag, nothing])) }) as never,
    cluster: { partitions: async () => [], address: async () => undefined },
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
  const look = async (submittedAt: number) => {
    const tag = newTag();
    const handle = newHandle(tag, { jobId: "1.pbs01", owner: "ada", account: "ada", submittedAt });
    const server = { tag, user: { id: "u1", name: "ada" }, server: "", handle, url: "" };
    return (await observe([server])).rows.map(({ state }) => state);
  };
  const at = Date.parse("2026-11-22T21:22:46Z") / 1000;
  assert.deepEqual(await look(at), ["queued"]);
  assert.deepEqual(await look(at - 86_400), []);
});

const tagsOf = (wish: object): string[] => ("tags" in wish && Array.isArray(wish.tags) ? wish.tags : []);
