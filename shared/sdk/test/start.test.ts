import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  attender,
  codesOf,
  type Launch,
  type LaunchExit,
  type LaunchState,
  startOrTakeBack,
} from "../launcher/index.ts";

const log = { debug() {}, info() {}, warn() {}, error() {} };
const who = { pid: 7, start: 1 };
const state: LaunchState = {
  ...{ v: 1, tag: "t", phase: "starting", bootId: "boot1", startedAt: "", launcher: who, child: who },
};
const exit: LaunchExit = {
  ...{ v: 1, tag: "t", cause: "failed", exitCode: null, signal: null, at: "", code: "NO_PORT" },
  message: "none is free",
};
const order = {
  ...{ action: "start" as const, tag: "t", argv: ["x"], env: {}, servicePrefix: "/", host: "127.0.0.1" },
  ...{ portRange: [1, 2] as const, portRestSeconds: 0, logBytes: 4096 },
};
const failure = (code: string, message: string) => new Error(`${code}: ${message}`);

/** A launcher with this answer to a start; `asked` has the orders. */
function fake(answer: Partial<Awaited<ReturnType<Launch>>>, onStart = () => {}) {
  const asked: string[] = [];
  const launch: Launch = async ({ action }) => {
    asked.push(action);
    if (action === "start") onStart();
    return { ok: true, state, exit: null, claimed: true, ...answer };
  };
  return { launch, asked };
}

describe("a start", () => {
  test("gives the record of the server", async () => {
    const { launch, asked } = fake({});
    assert.equal(await startOrTakeBack(launch, order, { log, failure }), state);
    assert.deepEqual(asked, ["start"]);
  });

  test("that was cancelled takes back what it made, not what another one did", async () => {
    for (const [claimed, orders] of [
      [true, ["start", "stop", "cleanup"]],
      [false, ["start"]],
    ] as const) {
      const call = new AbortController();
      const { launch, asked } = fake({ claimed }, () => call.abort(new Error("cancelled")));
      await assert.rejects(
        startOrTakeBack(launch, order, { signal: call.signal, log, failure }),
        /cancelled/,
      );
      assert.deepEqual(asked, orders);
      await assert.rejects(
        startOrTakeBack(launch, order, { signal: call.signal, log, failure }),
        /cancelled/,
      );
      assert.deepEqual(asked, orders, "nothing is asked for one that was cancelled before");
    }
  });

  test("that failed leaves nothing and says why", async () => {
    const { launch, asked } = fake({ exit });
    await assert.rejects(startOrTakeBack(launch, order, { log, failure }), /NO_PORT: none is free/);
    assert.deepEqual(asked, ["start", "cleanup"]);
    const silent = fake({ state: null });
    await assert.rejects(startOrTakeBack(silent.launch, order, { log, failure }), /LAUNCHER_FAILED/);
  });
});

test("a server without a launcher is given one by one call at a time; that it failed throws nothing", async () => {
  const calls: PromiseWithResolvers<Awaited<ReturnType<Launch>>>[] = [];
  const launch: Launch = () => {
    const call = Promise.withResolvers<Awaited<ReturnType<Launch>>>();
    calls.push(call);
    return call.promise;
  };
  const attend = attender(log);
  const first = attend("t", launch);
  await attend("t", launch);
  assert.equal(calls.length, 1);
  calls[0]?.reject(new Error("refused"));
  await first;
  const second = attend("t", launch);
  calls[1]?.resolve({ ok: true, state, exit: null });
  await second;
  assert.equal(calls.length, 2);
});

test("a plugin has its own code for one of the launcher, or none", () => {
  const entry = { status: 500, retryable: false, user: "", operator: "" };
  const codeOf = codesOf({ OTHER_BUSY: entry, OTHER_HOME: entry }, "OTHER", { CWD_UNUSABLE: "HOME" });
  assert.deepEqual(["BUSY", "CWD_UNUSABLE", "NEW", "constructor"].map(codeOf), [
    "OTHER_BUSY",
    "OTHER_HOME",
    undefined,
    undefined,
  ]);
});
