import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { ServerUnknown } from "@elara/contracts";
import type { ServerDoc, ServerSet } from "../src/decision.ts";
import { eventData } from "../src/event-data.ts";
import { mayFollow } from "../src/phases.ts";
import { untold } from "../src/untold.ts";
import { Stand } from "./stand.ts";

describe("a step that nobody tells", () => {
  let stand: Stand;
  let doc: ServerDoc;
  beforeEach(async () => {
    stand = await Stand.open();
    await stand.start({});
    await stand.order();
    doc = await stand.rest("ready");
  });
  afterEach(() => stand.close());

  const event: Parameters<typeof untold>[2] = (contract, of, data) => ({
    id: contract.type,
    type: contract.type,
    userId: of.userId,
    objectId: of._id,
    // biome-ignore lint/suspicious/noExplicitAny: only the type is looked at
    event: { data } as any,
  });
  const types = (before: Partial<ServerDoc>, set: ServerSet, told: "told" | "untold" = "untold") =>
    untold(
      { ...doc, ...before },
      {
        set,
        events: told === "told" ? [event(ServerUnknown, doc, { ...eventData(doc), reason: "" }, "test")] : [],
      },
      event,
    ).map(({ type }) => type);

  it("is told by the ledger, whatever made it: queue, allocation, end, driver, a start that waits", () => {
    assert.deepEqual(types({ phase: "starting" }, { phase: "queued", reason: "Resources" }), [
      "server.queued",
    ]);
    assert.deepEqual(types({ phase: "queued" }, { phase: "starting" }), ["server.allocated"]);
    assert.deepEqual(types({ phase: "requested" }, { phase: "starting" }), ["server.starting"]);
    assert.deepEqual(types({ phase: "ready" }, { phase: "stopping" }), ["server.stopping"]);
    assert.deepEqual(types({ endsAt: "" }, { endsAt: "2026-11-23T00:00:00.000Z" }), ["server.end_known"]);
    const [a, b, none] = [
      { instance: "a", epoch: 1 },
      { instance: "b", epoch: 1 },
      { instance: "", epoch: 0 },
    ];
    assert.deepEqual(types({ driver: a }, { driver: b }), ["server.adopted"]);
    assert.deepEqual(types({ driver: none }, { driver: b }), []);
    assert.deepEqual(types({ driver: a }, { driver: none }), []);
    const waits = { phase: "stopping", desired: "stopped" } as const;
    assert.deepEqual(types(waits, { desired: "running" }), ["server.start_deferred"]);
  });

  it("is not told twice, and what is no change is not told", () => {
    assert.deepEqual(types({ phase: "queued" }, { phase: "starting" }, "told"), []);
    assert.deepEqual(types({ phase: "ready" }, { phase: "ready", routed: true }), []);
    assert.deepEqual(types({ endsAt: "2026-11-23T00:00:00.000Z" }, { endsAt: "" }), []);
  });

  it("leaves no phase untold: the others are told by who decides on them", () => {
    // Each of these is written in one place only, with its event.
    const byDecision = new Set(["requested", "ready", "failed", "stopped", "unknown"]);
    const phases = [
      "stopped",
      "requested",
      "queued",
      "starting",
      "ready",
      "stopping",
      "failed",
      "unknown",
    ] as const;
    for (const from of phases)
      for (const to of phases)
        if (from !== to && mayFollow(from, to) && !byDecision.has(to))
          assert.equal(types({ phase: from }, { phase: to }).length, 1, `${from} to ${to}`);
  });
});
