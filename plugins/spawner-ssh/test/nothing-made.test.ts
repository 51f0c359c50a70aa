import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { PluginError } from "@elara/sdk";
import { newTag } from "@elara/sdk/testing";
import { authorityOf, type Bench, benchOn, requestAt, skip, theBed } from "./fixtures/bed.ts";

/** What a start throws. */
async function thrownBy(bench: Bench, start: Promise<unknown>): Promise<PluginError> {
  const error = await start.then(
    () => assert.fail("it started"),
    (error: unknown) => error,
  );
  assert.ok(error instanceof PluginError, String(error));
  assert.deepEqual(bench.processes(), []);
  return error;
}

describe("a start before its order is sent", { skip }, () => {
  test("promises that nothing was made: no such account", async (t) => {
    const bench = await benchOn(t, { account: "{username}", ssh: authorityOf(await theBed()) });
    const spawner = await bench.spawner();
    const request = { ...bench.request(), user: { id: "u2", name: "nobodyhere" } };
    const refused = await thrownBy(bench, bench.start(spawner, request));
    assert.deepEqual([refused.code, refused.status, refused.nothingMade], ["SSH_LOGIN_REFUSED", 403, true]);
    await assert.rejects(spawner.locate(request, bench.call()), { code: "SSH_LOGIN_REFUSED", status: 403 });
  });

  test("promises it of a machine that does not answer, and of a name that is no account", async (t) => {
    const bed = await theBed();
    const host = bed.hosts[1]?.host ?? "";
    const bench = await benchOn(t, { account: "{username}" });
    const spawner = await bench.spawner();
    await bed.stop(host);
    t.after(() => bed.start(host));
    const [name = ""] = bed.accounts;
    const at = { ...requestAt(bench, "login2"), user: { id: "u1", name } };
    const silent = await thrownBy(bench, bench.start(spawner, at));
    assert.deepEqual([silent.code, silent.nothingMade], ["SSH_UNREACHABLE", true]);
    const odd = { ...requestAt(bench, "login1"), user: { id: "u1", name: "root" } };
    const refused = await thrownBy(bench, bench.start(spawner, odd));
    assert.deepEqual([refused.code, refused.nothingMade], ["SSH_ACCOUNT_REFUSED", true]);
  });

  test("promises it when it is cancelled while it connects", async (t) => {
    const bench = await benchOn(t);
    const spawner = await bench.spawner();
    const cancel = new AbortController();
    const call = {
      signal: cancel.signal,
      progress: (step: string) => step === "connecting" && cancel.abort(),
    };
    const cancelled = await thrownBy(bench, spawner.start(requestAt(bench, "login1"), call));
    assert.deepEqual([cancelled.code, cancelled.nothingMade], ["SSH_CANCELLED", true]);
  });

  test("promises it where there is no Python, and nothing where the order was taken", async (t) => {
    const bench = await benchOn(t, { python: "/nonexistent/python3" });
    const missing = await thrownBy(bench, bench.start(await bench.spawner(), requestAt(bench, "login1")));
    assert.deepEqual([missing.code, missing.nothingMade], ["SSH_PYTHON_MISSING", true]);
    const other = await benchOn(t);
    const bad = { ...requestAt(other, "login1"), argv: ["/nonexistent/elara"] };
    const taken = await thrownBy(other, other.start(await other.spawner(), bad));
    assert.deepEqual([taken.code, taken.nothingMade], ["SSH_COMMAND_NOT_FOUND", false]);
  });
});

test("a search names the machine that is silent before those that refuse", { skip }, async (t) => {
  const bed = await theBed();
  const host = bed.hosts[1]?.host ?? "";
  const bench = await benchOn(t, { account: "{username}", ssh: authorityOf(bed) });
  const spawner = await bench.spawner();
  const key = { tag: newTag(), user: { id: "u2", name: "nobodyhere" }, server: "" };
  await bed.stop(host);
  t.after(() => bed.start(host));
  // What one does not say may be there.
  await assert.rejects(spawner.locate(key, bench.call()), { code: "SSH_UNREACHABLE" });
});
