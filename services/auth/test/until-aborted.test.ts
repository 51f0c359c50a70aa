import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { untilAborted } from "../src/until-aborted.ts";

describe("a call of a plugin until its signal aborts", () => {
  test("answers as the call does", async () => {
    const { signal } = new AbortController();
    assert.equal(await untilAborted(signal, async () => 7), 7);
    assert.equal(await untilAborted(signal, () => 8), 8);
  });

  test("rejects with the signal's reason although the call goes on", async () => {
    const ending = new AbortController();
    const call = untilAborted(ending.signal, () => new Promise(() => {}));
    ending.abort(new Error("over"));
    await assert.rejects(call, { message: "over" });
    await assert.rejects(
      untilAborted(ending.signal, () => assert.fail("not begun after it")),
      { message: "over" },
    );
  });

  test("a call that throws at once leaves nothing behind that rejects when the signal aborts later", async (t) => {
    const ending = new AbortController();
    const removed = t.mock.method(ending.signal, "removeEventListener");
    const throws = (): Promise<void> => {
      throw new Error("at once");
    };
    await assert.rejects(untilAborted(ending.signal, throws), { message: "at once" });
    assert.equal(removed.mock.callCount(), 1);
    ending.abort();
    // An unhandled rejection fails the test.
    await turn();
  });
});
