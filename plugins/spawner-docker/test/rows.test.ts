import assert from "node:assert/strict";
import { test } from "node:test";
import { causeOf, isSettling } from "../src/rows.ts";

const AT = Date.parse("2026-11-02T08:00:00Z");

/** What an engine says of a container that ended so long after its start. */
const ended = (ExitCode: number, ranMs: number, more: Record<string, unknown> = {}) => ({
  ...{
    Status: "exited",
    Running: false,
    Paused: false,
    Restarting: false,
    OOMKilled: false,
    Dead: false,
    Pid: 0,
  },
  ...{ ExitCode, Error: "", StartedAt: new Date(AT).toISOString() },
  FinishedAt: new Date(AT + ranMs).toISOString().replace("Z", "123456Z"),
  ...more,
});

test("126 and 127 mean that there is no program only right after the start", () => {
  for (const code of [126, 127]) {
    assert.equal(causeOf(ended(code, 200)), "DOCKER_COMMAND_MISSING");
    assert.equal(causeOf(ended(code, 3_600_000)), undefined);
  }
  assert.equal(causeOf(ended(1, 200)), undefined);
  const word = 'exec: "jupyterhub-singleuser": executable file not found in $PATH';
  assert.equal(causeOf(ended(127, 3_600_000, { Error: word })), "DOCKER_COMMAND_MISSING");
  const never = { StartedAt: "0001-01-01T00:00:00Z", FinishedAt: "0001-01-01T00:00:00Z" };
  assert.equal(causeOf(ended(127, 0, never)), "DOCKER_COMMAND_MISSING");
});

test("a kill for memory is waited for a moment, because an engine may hear of it after the end", () => {
  const end = AT + 5_000;
  assert.equal(isSettling(ended(137, 5_000), end + 300), true);
  assert.equal(isSettling(ended(137, 5_000), end + 1_500), false);
  assert.equal(isSettling(ended(137, 5_000, { OOMKilled: true }), end + 300), false);
  assert.equal(isSettling(ended(7, 5_000), end + 300), false);
  // The clock of an engine elsewhere may go ahead.
  assert.equal(isSettling(ended(137, 5_000), end - 60_000), false);
});
