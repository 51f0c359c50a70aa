import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { Stand } from "./stand.ts";

describe("the life of a server", () => {
  let stand: Stand;
  beforeEach(async () => {
    stand = await Stand.open();
    await stand.start();
  });
  afterEach(() => stand.close());

  it("goes from an order to ready, every step told, and back to rest", async () => {
    const { generation } = await stand.order();
    assert.equal(generation, 1);
    const ready = await stand.rest("ready");
    assert.equal(ready.routed, true);
    assert.equal(ready.path, "/user/ada/");
    assert.match(ready.url, /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(ready.apiUrl, "http://127.0.0.1:8081/hub/api");
    assert.deepEqual(ready.driver, { instance: "", epoch: 0 });
    assert.equal(ready.deadlineAt, "");
    const { names, steps } = await stand.attempt();
    assert.deepEqual(names, [
      "requested",
      "environment",
      "submitting",
      "process_started",
      "port_answers",
      "route_added",
      "ready",
    ]);
    assert.deepEqual(
      steps.map((step) => step.progress),
      steps.map((step) => step.progress).sort((a, b) => a - b),
    );
    assert.equal(stand.grants.size, 1);

    const answer = await stand.orderStop();
    assert.equal(answer.stopped, false);
    const stopped = await stand.rest("stopped");
    assert.equal(stopped.routed, false);
    assert.equal(stopped.url, "");
    assert.equal(stopped.cause.code, "");
    assert.deepEqual(stopped.handle, {});
    assert.equal(stand.grants.size, 0);
    assert.equal(stand.world.alive.length, 0);
    await stand.told(
      "server.created",
      "server.requested",
      "server.starting",
      "server.ready",
      "server.stop_requested",
      "server.stopped",
    );
    assert.equal(stand.eventTypes().length, 6);
  });
});
