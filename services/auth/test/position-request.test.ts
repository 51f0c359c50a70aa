import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HubError } from "@elara/contracts";
import { commonFilters, isEventPattern } from "@elara/runtime/bus/accounts/subject-filters";
import { positionRequest } from "../src/subscribers/position-request.ts";
import { granted } from "../src/subscribers/positions.ts";
import { wrongTokens } from "../src/subscribers/wrong-tokens.ts";

describe("what a subscriber asks for", () => {
  test("is read", () => {
    assert.deepEqual(positionRequest({}), {});
    assert.deepEqual(positionRequest({ from: "all", filter: ">" }), {
      start: { from: "all" },
      filters: [">"],
    });
    assert.deepEqual(positionRequest({ from: "sequence", sequence: "12" }).start, {
      from: "sequence",
      sequence: 12,
    });
    assert.deepEqual(positionRequest({ from: "time", time: "2026-11-23T09:00:00+01:00" }).start, {
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
    // What a nats-server cannot count in nanoseconds, or not read.
    ["time", { from: "time", time: "+275760-09-13T00:00:00Z" }],
    ["time", { from: "time", time: "2300-01-01T00:00:00Z" }],
    ["time", { from: "time", time: "1600-01-01T00:00:00Z" }],
    ["filter", { filter: [] }],
    ["filter", { filter: "hub.ev" }],
    ["filter", { filter: 7 }],
    ["filter", { filter: Array.from({ length: 101 }, () => ">") }],
  ];
  for (const [field, body] of wrong)
    test(`${JSON.stringify(body).slice(0, 60)} is refused, ${field} is named`, () => {
      assert.throws(
        () => positionRequest(body),
        (error) =>
          error instanceof HubError && error.code === "SUBSCRIBER_POSITION_INVALID" && error.field === field,
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

  test("what is covered by another is left out: JetStream refuses it", () => {
    assert.deepEqual(commonFilters([">"], [server, ada, "hub.ev.v1.server.*.ada.*"]), [ada, server]);
    assert.deepEqual(commonFilters([">", server, ">"], ["hub.ev.v1.>"]), ["hub.ev.v1.*.*.*.*"]);
  });

  test("where nothing is allowed yet the list is not empty: nats-server would take that for everything", () => {
    const { filters, reason } = granted([">"], { subjects: [], tooMany: false });
    assert.equal(reason, "not there yet");
    assert.equal(filters.length, 1);
    assert.ok(isEventPattern(filters[0] ?? ""));
    assert.deepEqual(commonFilters(filters, ["hub.ev.v1.*.*.ada.*", "hub.ev.v1.server.*.*.*"]), []);
  });

  test("too many is nothing, be it by the scopes or by what is asked for", () => {
    const nothing = { filters: granted([">"], { subjects: [], tooMany: false }).filters, reason: "too many" };
    assert.deepEqual(granted([">"], { subjects: [], tooMany: true }), nothing);
    const users = Array.from({ length: 60 }, (_, index) => `hub.ev.v1.*.*.u${index}.*`);
    const wish = ["hub.ev.v1.server.>", "hub.ev.v1.user.>"];
    assert.deepEqual(granted(wish, { subjects: users, tooMany: false }), nothing);
    assert.equal(granted(["hub.or.>"], { subjects: users, tooMany: false }).reason, "not allowed");
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
