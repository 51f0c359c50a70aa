import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { endedRow, type LaunchExit, rowOf } from "../launcher/index.ts";
import type { SeenServer } from "../launcher/look.ts";

const errors = { OTHER_RESTARTED: { status: 500, retryable: false, user: "restarted", operator: "" } };
const wording = { codeOf: () => "OTHER_FAILED", errors, restarted: "OTHER_RESTARTED" };
const exit: LaunchExit = {
  ...{ v: 1, tag: "t", cause: "gone", exitCode: null, signal: null, at: "", code: null, message: "" },
};
const who = { pid: 7, start: 1 };
const state: SeenServer["state"] = {
  ...{ v: 1, tag: "t", phase: "running", bootId: "boot1", startedAt: "", launcher: who, child: who },
  ...{ url: "http://127.0.0.1:20000" },
};

const row = (change: Partial<SeenServer>) =>
  rowOf("t", { state, exit, alive: false, attended: false, ...change }, { isOtherBoot: false, wording }).row;

describe("the row of a server", () => {
  test("has texts of its records in one line of 500 characters, whole ones", () => {
    const long = row({ exit: { ...exit, message: `${"☃".repeat(498)}\n🙂🙂` } }).reason ?? "";
    assert.equal(long, `${"☃".repeat(498)} \ufffd`.trim().slice(0, long.length));
    assert.ok(long.length <= 500 && long.isWellFormed());
    const said = row({ exit: { ...exit, message: "a\u0000\u001b[2Jb\r\n\tc\u202e" } });
    assert.equal(said.reason, "a [2Jb c");
    const signalled = row({ exit: { ...exit, cause: "signalled", signal: "S".repeat(4000) } });
    assert.ok((signalled.reason?.length ?? 0) < 550 && signalled.end?.signal?.length === 500);
  });

  test("is no end as long as a process of it lives, whatever its owner wrote", () => {
    assert.equal(row({ alive: true, attended: true }).state, "running");
    assert.equal(row({ alive: true }).state, "running");
    assert.equal(row({ attended: true }).state, "stopping", "its launcher writes the true end soon");
    assert.equal(row({ state: null, stray: true }).state, "unknown");
    assert.equal(row({}).state, "ended");
    assert.equal(row({ state: null }).state, "ended");
  });

  test("of one that ended has the plugin's code and sentence; without a code the message has to do", () => {
    const failed: LaunchExit = { ...exit, cause: "failed", code: "NEW", message: "words" };
    const known = endedRow("t", failed, { codeOf: () => "OTHER_RESTARTED", errors });
    assert.deepEqual([known.reason, known.end], ["restarted", { code: "OTHER_RESTARTED" }]);
    const unknown = endedRow("t", failed, { codeOf: () => undefined, errors });
    assert.deepEqual([unknown.reason, unknown.end], ["words", {}]);
  });
});
