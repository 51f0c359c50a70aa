import assert from "node:assert/strict";
import { test } from "node:test";
import type { TObject } from "typebox";
import { keyOf } from "./spawner-bench.ts";
import type { SpawnerKit } from "./spawner-kit.ts";

/** What a start left is forgotten by its tag, also when no handle of it was ever stored. */
export function cleanupPromises<O extends TObject, H extends TObject>({
  given,
  bench,
}: SpawnerKit<O, H>): void {
  test("cleans up without a handle: what never was, what was cancelled, what has ended", async (t) => {
    const b = bench(t);
    const spawner = await b.spawner();
    if (!spawner.cleanup) return t.skip("it keeps nothing");
    for (const _ of ["once", "again"]) await spawner.cleanup(keyOf(b.request(given.request?.argv)), b.call());

    const cut = b.request(given.request?.argv);
    const cancel = new AbortController();
    const atFirstStep = { signal: cancel.signal, progress: () => cancel.abort() };
    const early = await b.start(spawner, cut, atFirstStep).catch(() => undefined);
    if (!early) {
      const other = await b.spawner(b.host.another());
      for (const _ of ["once", "again"]) await other.cleanup?.(keyOf(cut), b.call());
    }

    const request = b.request(given.request?.argv);
    const server = await b.start(spawner, request);
    await b.untilRunning(spawner, server);
    await spawner.stop(server, { graceSeconds: 1, ...b.call() });
    await b.untilEnded(spawner, server, "a stopped server ends");
    const other = await b.spawner(b.host.another());
    for (const _ of ["once", "again"]) await other.cleanup?.(keyOf(request), b.call());
    const left = await other.logs?.(server, { lines: 50, ...b.call() }).catch(() => []);
    assert.deepEqual(left ?? [], [], "cleanup without a handle must forget the server's output too");
  });
}
