import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { Stand, until } from "./stand.ts";

describe("what a start left without a handle is cleaned up", () => {
  let stand: Stand;
  beforeEach(async () => {
    stand = await Stand.open();
    await stand.start();
  });
  afterEach(() => stand.close());

  it("after a submit that was refused", async () => {
    await stand.order({ refuses: true });
    const { tag } = await stand.rest("failed");
    assert.deepEqual(stand.world.cleaned, [tag]);
  });

  it("after a submit that was cancelled", async () => {
    await stand.order({ submitMs: 60_000 });
    await until("submit called", () => stand.world.calls.some((call) => call.startsWith("start")));
    await stand.orderStop();
    const { tag } = await stand.rest("stopped");
    assert.deepEqual(stand.world.cleaned, [tag]);
  });

  it("after a submit whose clock ran out", async () => {
    await stand.order({ submitMs: 60_000 });
    await until("submit called", () => stand.world.calls.some((call) => call.startsWith("start")));
    stand.clock.advance(31);
    const { tag } = await stand.rest("failed");
    assert.deepEqual(stand.world.cleaned, [tag]);
  });

  it("but not when nothing was submitted", async () => {
    stand.refusal = "STORE_AWAY";
    await stand.order();
    await stand.reach("waits for its grant", ({ clockLeftMs = 0 }) => clockLeftMs > 0);
    await stand.orderStop();
    await stand.rest("stopped");
    assert.deepEqual(stand.world.cleaned, []);
  });
});
