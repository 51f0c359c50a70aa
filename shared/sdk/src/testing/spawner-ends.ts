import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf } from "@elara/contracts";
import type { Static, TObject } from "typebox";
import type { StoredServer } from "../spawner.ts";
import { keyOf } from "./spawner-bench.ts";
import type { SpawnerKit } from "./spawner-kit.ts";
import { standInCommand } from "./stand-in-command.ts";

/** How servers end, and that an end is told. */
export function endPromises<O extends TObject, H extends TObject>({
  plugin,
  given,
  bench,
  ownCommand,
}: SpawnerKit<O, H>): void {
  test("started again after its end, nothing new runs", async (t) => {
    const b = bench(t);
    const request = b.request(given.request?.argv);
    const spawner = await b.spawner();
    const server = await b.start(spawner, request);
    await b.untilRunning(spawner, server);
    await spawner.stop(server, { graceSeconds: 1, ...b.call() });
    await b.untilEnded(spawner, server, "a stopped server ends");
    const other = await b.spawner(b.host.another());
    const again = await b.start(other, b.repeated(request));
    await b.untilEnded(other, again, "start must start nothing for a tag whose server has ended");
    if (b.usesStandIn)
      assert.deepEqual(b.processes(), [], "start must start nothing for a tag whose server has ended");
  });

  test("a command that ends at once is told as ended", { skip: ownCommand }, async (t) => {
    const b = bench(t);
    const spawner = await b.spawner();
    const request = b.request(standInCommand("--exit", "7"));
    const server = await b.start(spawner, request);
    const row = await b.untilEnded(spawner, server, "a server that exits is told as ended");
    assert.equal(row?.state, "ended", "it exited by itself: the row must be ended, not absent or lost");
    assert.equal(row?.end?.exitCode ?? 7, 7, "the exit code is wrong");
    if (!spawner.logs) return;
    const log = await spawner.logs(server, { lines: 50, ...b.call() });
    assert.equal(log.at(-1), "stand-in gives up", "logs must hold the last lines, newest last");
    assert.equal(
      (await spawner.logs(server, { lines: 1, ...b.call() })).length,
      1,
      "logs gave more lines than asked",
    );
  });

  test("a command that does not exist is told", { skip: ownCommand }, async (t) => {
    const b = bench(t);
    const spawner = await b.spawner();
    const request = b.request(["/nonexistent/elara-no-such-command"]);
    let server: StoredServer<Static<H>>;
    try {
      server = await b.start(spawner, request);
    } catch (error) {
      assert.ok(
        Object.hasOwn(plugin.errors, codeOf(error)),
        `start must throw an error of the plugin's table, not: ${error}`,
      );
      assert.equal(
        await spawner.locate(keyOf(request), b.call()),
        undefined,
        "a failed start can be located",
      );
      return;
    }
    const row = await b.untilEnded(spawner, server, "a command that does not exist ends");
    assert.equal(row?.state, "ended", "the row must be ended with a reason");
  });

  test("ends one that ignores being asked", { skip: ownCommand }, async (t) => {
    const b = bench(t);
    const spawner = await b.spawner();
    const request = b.request(standInCommand("--stubborn"));
    const server = await b.start(spawner, request);
    await b.facts(await b.untilRunning(spawner, server));
    await spawner.stop(server, { graceSeconds: 0.5, ...b.call() });
    await b.untilEnded(spawner, server, "a stubborn server is killed after its grace");
    await b.untilNoProcess("a stubborn server is killed after its grace");
  });
  test("stopped right after the start, it ends", async (t) => {
    const b = bench(t);
    const spawner = await b.spawner();
    const request = b.request(given.request?.argv);
    const server = await b.start(spawner, request);
    await spawner.stop(server, { graceSeconds: 1, ...b.call() });
    await b.untilEnded(spawner, server, "a server stopped while it starts ends");
    await b.untilNoProcess("a server stopped while it starts ends");
  });
}
