import assert from "node:assert/strict";
import { test } from "node:test";
import type { Static, TObject } from "typebox";
import type { Spawner, SpawnRequest } from "../spawner.ts";
import { keyOf, type SpawnerBench } from "./spawner-bench.ts";
import type { SpawnerKit } from "./spawner-kit.ts";

/** Parts of the time that a start takes. */
const PARTS = [0.1, 0.3, 0.6, 0.9];

/** How long a start takes here, in milliseconds. */
async function lasting(start: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await start();
  return performance.now() - began;
}

/** Starts, and cancels after so many milliseconds unless it is over. */
async function startCut<O extends TObject, H extends TObject>(
  b: SpawnerBench<O, H>,
  { spawner, request }: { spawner: Spawner<Static<O>, Static<H>>; request: SpawnRequest<Static<O>> },
  afterMs: number,
): Promise<{ outcome: "started" | "thrown"; isCancelled: boolean }> {
  const cancel = new AbortController();
  const timer = setTimeout(() => cancel.abort(), afterMs);
  try {
    await b.start(spawner, request, b.call(cancel.signal));
    return { outcome: "started", isCancelled: cancel.signal.aborted };
  } catch {
    return { outcome: "thrown", isCancelled: cancel.signal.aborted };
  } finally {
    clearTimeout(timer);
  }
}

/** A start that is cancelled takes back what it made, and nothing else. */
export function cancelPromises<O extends TObject, H extends TObject>({
  given,
  bench,
}: SpawnerKit<O, H>): void {
  test("cancelled beforehand, nothing is started", async (t) => {
    const b = bench(t);
    const spawner = await b.spawner();
    const request = b.request(given.request?.argv);
    await assert.rejects(
      b.start(spawner, request, b.call(AbortSignal.abort())),
      "start must throw when its signal is aborted already",
    );
    assert.equal(
      await spawner.locate(keyOf(request), b.call()),
      undefined,
      "a cancelled start can be located",
    );
    if (b.usesStandIn) assert.deepEqual(b.processes(), [], "a cancelled start left a process");
  });

  test("cancelled on the way, it throws and leaves nothing", async (t) => {
    const timed = bench(t);
    const first = await timed.spawner();
    const wholeMs = await lasting(() => timed.start(first, timed.request(given.request?.argv)));
    const moments = [0, 2, 10, 30, 60, ...PARTS.map((part) => Math.round(part * wholeMs))];
    for (const afterMs of new Set(moments)) {
      const b = bench(t);
      const spawner = await b.spawner();
      const request = b.request(given.request?.argv);
      const { outcome, isCancelled } = await startCut(b, { spawner, request }, afterMs);
      const when = `after ${afterMs} of ${Math.round(wholeMs)} ms`;
      if (isCancelled) assert.equal(outcome, "thrown", `start resolved although it was cancelled ${when}`);
      else assert.equal(outcome, "started", "start threw although nobody cancelled");
      if (outcome === "started") continue;
      await b.untilNoProcess(`a start cancelled ${when} leaves no process`);
      assert.equal(
        await spawner.locate(keyOf(request), b.call()),
        undefined,
        `a start cancelled ${when} can be located`,
      );
    }
  });

  test("cancelled, a start leaves a server alone that another start made", async (t) => {
    const b = bench(t);
    const request = b.request(given.request?.argv);
    const server = await b.start(await b.spawner(), request);
    const spawner = await b.spawner(b.host.another());
    const { id } = await b.facts(await b.untilRunning(spawner, server));
    const again = b.repeated(request);
    const cutOften = async () => {
      const wholeMs = await lasting(() => b.start(spawner, again));
      for (const part of PARTS) await startCut(b, { spawner, request: again }, part * wholeMs);
      const cancel = new AbortController();
      const atFirstStep = { signal: cancel.signal, progress: () => cancel.abort() };
      await b.start(spawner, again, atFirstStep).catch(() => {});
    };
    await cutOften();
    const row = await b.row(spawner, [server], request.tag);
    assert.equal(row?.state, "running", "a start that was cancelled ended the server of another one");
    assert.equal((await b.facts(row?.url ?? "")).id, id, "a start that was cancelled made another server");
    if (b.usesStandIn) assert.equal(b.processes().length, 1, "a cancelled start left a second process");

    await spawner.stop(server, { graceSeconds: 1, ...b.call() });
    const end = await b.untilEnded(spawner, server, "a stopped server ends");
    await cutOften();
    const told = "a start that was cancelled took away what is known of a server that has ended";
    const third = await b.spawner(b.host.another());
    assert.equal((await b.row(third, [server], request.tag))?.state, end?.state, told);
    const log = await third.logs?.(server, { lines: 50, ...b.call() });
    if (log && b.usesStandIn) assert.ok(log.includes("stand-in was started"), told);
  });

  test("cancelled at its first step of progress, it throws and leaves nothing", async (t) => {
    const b = bench(t);
    const spawner = await b.spawner();
    const request = b.request(given.request?.argv);
    const cancel = new AbortController();
    const call = { signal: cancel.signal, progress: () => cancel.abort() };
    const outcome = await b.start(spawner, request, call).then(
      () => "started",
      () => "thrown",
    );
    if (!cancel.signal.aborted) return t.skip("the spawner tells no step");
    assert.equal(outcome, "thrown", "start resolved although it was cancelled at its first step");
    await b.untilNoProcess("a cancelled start leaves no process");
    assert.equal(
      await spawner.locate(keyOf(request), b.call()),
      undefined,
      "a cancelled start can be located",
    );
  });
}
