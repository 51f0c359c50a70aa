import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HubError } from "@elara/contracts";
import { commonFilters, isEventPattern } from "@elara/runtime/bus/accounts/subject-filters";
import { wrongTokens } from "../src/subscribers/attempts.ts";
import { grantedFilters } from "../src/subscribers/positions.ts";
import { wishOf } from "../src/subscribers/wish.ts";

describe("what a subscriber asks for", () => {
  test("is read", () => {
    assert.deepEqual(wishOf({}), {});
    assert.deepEqual(wishOf({ from: "all", filter: ">" }), { start: { from: "all" }, filters: [">"] });
    assert.deepEqual(wishOf({ from: "sequence", sequence: "12" }).start, { from: "sequence", sequence: 12 });
    assert.deepEqual(wishOf({ from: "time", time: "2026-11-23T09:00:00+01:00" }).start, {
      from: "time",
      time: "2026-11-23T08:00:00.000Z",
    });
  });

  const wrong: [string, unknown][] = [
    ["(body)", []],
    ["(body)", "all"],
    ["form", { form: "all" }],
    ["from", { from: "last" }],
    ["sequence", { sequence: 3 }],
    ["sequence", { from: "sequence", sequence: 0 }],
    ["sequence", { from: "sequence", sequence: 1.5 }],
    ["time", { from: "all", time: "2026-11-23" }],
    ["time", { from: "time", time: "yesterday" }],
    ["filter", { filter: [] }],
    ["filter", { filter: "hub.ev" }],
    ["filter", { filter: 7 }],
    ["filter", { filter: Array.from({ length: 101 }, () => ">") }],
  ];
  for (const [field, body] of wrong)
    test(`${JSON.stringify(body).slice(0, 60)} is refused, ${field} is named`, () => {
      assert.throws(
        () => wishOf(body),
        (error) =>
          error instanceof HubError && error.code === "SUBSCRIBER_WISH_INVALID" && error.field === field,
      );
    });
});

describe("filters", () => {
  const server = "hub.ev.v1.server.*.*.*";
  const ada = "hub.ev.v1.*.*.ada.*";

  test("everything is what is allowed, less is less, other is nothing", () => {
    assert.deepEqual(commonFilters([">"], [ada]), [ada]);
    assert.deepEqual(commonFilters(["hub.ev.v1.server.>"], [ada]), ["hub.ev.v1.server.*.ada.*"]);
    assert.deepEqual(commonFilters([server], ["hub.ev.v1.>"]), [server]);
    assert.deepEqual(commonFilters(["hub.or.>", "$JS.>", "hub.ev.v1.token.*.bob.*"], [ada, server]), []);
  });

  test("no two match one subject, whatever overlaps", () => {
    const parts = commonFilters([">"], [server, ada]);
    assert.ok(parts.includes(server) && parts.includes("hub.ev.v1.token.*.ada.*"));
    assert.ok(!parts.includes("hub.ev.v1.server.*.ada.*"));
    for (const [index, a] of parts.entries())
      for (const b of parts.slice(index + 1)) assert.deepEqual(commonFilters([a], [b]), [], `${a} and ${b}`);
    assert.deepEqual(commonFilters([">", server, ">"], ["hub.ev.v1.>"]), ["hub.ev.v1.*.*.*.*"]);
  });

  test("where nothing is allowed yet the list is not empty: nats-server would take that for everything", () => {
    const nothing = grantedFilters([">"], { subjects: [], tooMany: false });
    assert.equal(nothing.length, 1);
    assert.ok(isEventPattern(nothing[0] ?? ""));
    assert.deepEqual(commonFilters(nothing, ["hub.ev.v1.*.*.ada.*", "hub.ev.v1.server.*.*.*"]), []);
  });
});

describe("wrong tokens", () => {
  test("many different ones from one address are too many for a while; the same one again is one", () => {
    let now = 0;
    const clock = { now: () => now, monotonic: () => now };
    const wrong = wrongTokens({ failuresPerAddress: 3, windowSeconds: 60 }, clock);
    for (let again = 0; again < 10; again += 1) wrong.add("10.0.0.1", "a");
    assert.equal(wrong.tooMany("10.0.0.1"), false);
    for (const token of ["b", "c"]) wrong.add("10.0.0.1", token);
    assert.equal(wrong.tooMany("10.0.0.1"), true);
    assert.equal(wrong.tooMany("10.0.0.2"), false);
    now = 60_000;
    assert.equal(wrong.tooMany("10.0.0.1"), false);
  });
});
