import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, type TestContext, test } from "node:test";
import type { Static, TObject } from "typebox";
import type { SpawnerPlugin, StoredServer } from "../spawner.ts";
import { watchCommandLines } from "./command-lines.ts";
import { askElsewhere } from "./second-process.ts";
import { keyOf, newTag, SpawnerBench, type SpawnerCase } from "./spawner-bench.ts";
import { standInCommand, standInPath } from "./stand-in-command.ts";

/** The same data with one text put for another wherever it stands, and numbers named `v` changed. */
function altered<T>(value: T, from: string, to: string, version?: number): T {
  return JSON.parse(JSON.stringify(value), (key, part: unknown) => {
    if (typeof part === "string") return part.replaceAll(from, to);
    return version !== undefined && key === "v" && typeof part === "number" ? version : part;
  });
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";

const digestOf = (secret: string): string => createHash("sha256").update(secret).digest("hex");

/**
 * The promises of every spawner, as tests: declares them with `node:test`, so a call is the start of a plugin's test
 * file. Starts real processes of a stand-in server, each in a test of its own, and ends them.
 */
export function spawnerConformance<O extends TObject, H extends TObject>(
  plugin: SpawnerPlugin<O, H>,
  given: SpawnerCase = {},
): void {
  const bench = (t: TestContext): SpawnerBench<O, H> => new SpawnerBench(t, plugin, given);
  const ownCommand = given.request?.argv !== undefined && "the case brings its own command";

  const { module, skip } = given;
  if (skip !== undefined) {
    // As a test, because a skipped suite is not counted as skipped.
    test(`spawner ${plugin.name} keeps its promises`, { skip });
    return;
  }

  describe(`spawner ${plugin.name} keeps its promises`, () => {
    test("declares itself: options fit their schema, errors have its name and sentences", (t) => {
      bench(t).options();
      const prefix = `${plugin.name.toUpperCase().replaceAll("-", "_")}_`;
      for (const [code, entry] of Object.entries(plugin.errors)) {
        assert.ok(code.startsWith(prefix), `error code ${code} must begin with ${prefix}`);
        assert.ok(
          entry.user && entry.operator,
          `${code} needs a sentence for the user and one for the operator`,
        );
      }
      assert.ok(
        Object.hasOwn(plugin.handle.properties, "v"),
        "the handle needs a version: `v: Type.Integer()`",
      );
    });

    test("lives: start, another instance observes, locate, start again, stop, stop again, forget", async (t) => {
      const b = bench(t);
      const request = b.request(given.request?.argv);
      const server = await b.start(await b.spawner(), request);

      // From here on only instances that never saw the start.
      const other = await b.spawner(b.host.another());
      const url = await b.untilRunning(other, server);
      const facts = await b.facts(url);
      if (b.usesStandIn) {
        assert.equal(facts.tokenDigest, digestOf(b.secret), "the server did not get JUPYTERHUB_API_TOKEN");
      }

      const found = await other.locate(keyOf(request), b.call());
      assert.ok(found, "locate must find a running server by its tag");
      assert.equal(
        await b.untilRunning(other, b.stored(request, found)),
        url,
        "the located handle leads elsewhere",
      );

      const again = await b.start(other, b.repeated(request));
      const same = await b.facts(await b.untilRunning(other, again));
      assert.equal(same.id, facts.id, "start again with the same tag must give the same server");
      assert.equal(same.tokenDigest, facts.tokenDigest, "start again changed the token of the server");
      if (b.usesStandIn)
        assert.equal(b.processes().length, 1, "start again with the same tag made a second process");

      const third = await b.spawner(b.host.another());
      await third.stop(server, { graceSeconds: 2, ...b.call() });
      await b.untilEnded(third, server, "a stopped server ends");
      await b.untilNoProcess("a stopped server ends");
      await assert.rejects(fetch(url), "its url still answers after the end");
      await third.stop(server, { graceSeconds: 2, ...b.call() });
      assert.equal(
        await third.locate(keyOf(request), b.call()),
        undefined,
        "locate must not find an ended server",
      );
      await third.cleanup?.(server, b.call());
      await third.cleanup?.(server, b.call());
      await b.untilEnded(third, server, "a forgotten server stays ended");
    });

    if (module !== undefined)
      test("is the same from a second process", async (t) => {
        const b = bench(t);
        const request = b.request(given.request?.argv);
        const spawner = await b.spawner();
        const server = await b.start(spawner, request);
        const { id } = await b.facts(await b.untilRunning(spawner, server));
        const answer = await askElsewhere({
          module,
          options: b.options(),
          dataDir: b.host.dataDir,
          server,
          request: b.repeated(request),
        });
        const row = answer.observation.rows.find(({ tag }) => tag === request.tag);
        assert.equal(row?.state, "running", "a second process does not see the server running");
        assert.ok(answer.located, "a second process does not locate the server");
        const still = await b.facts(await b.untilRunning(spawner, server));
        assert.equal(still.id, id, "start from a second process must give the same server");
        if (b.usesStandIn)
          assert.equal(b.processes().length, 1, "start from a second process made another server");
      });

    test("started twice at the same moment, there is one server", async (t) => {
      const b = bench(t);
      const request = b.request(given.request?.argv);
      const one = await b.spawner();
      const two = await b.spawner(b.host.another());
      const servers = await Promise.all([b.start(one, request), b.start(two, b.repeated(request))]);
      const ids = new Set<string>();
      for (const server of servers) {
        const { id, tokenDigest } = await b.facts(await b.untilRunning(two, server));
        ids.add(id);
        if (b.usesStandIn)
          assert.ok(
            [b.secret, b.repeatedSecret].map(digestOf).includes(tokenDigest),
            "the server has the token of neither start",
          );
      }
      assert.equal(ids.size, 1, "two starts with one tag gave two servers");
      if (b.usesStandIn) assert.equal(b.processes().length, 1, "two starts with one tag left two processes");
    });

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
      for (const afterMs of [0, 2, 10, 30, 60]) {
        const b = bench(t);
        const spawner = await b.spawner();
        const request = b.request(given.request?.argv);
        const cancel = new AbortController();
        let isDone = false;
        const timer = setTimeout(() => {
          if (!isDone) cancel.abort();
        }, afterMs);
        const outcome = await b.start(spawner, request, b.call(cancel.signal)).then(
          () => "started",
          () => "thrown",
        );
        isDone = true;
        clearTimeout(timer);
        if (cancel.signal.aborted)
          assert.equal(outcome, "thrown", `start resolved although it was cancelled after ${afterMs} ms`);
        else assert.equal(outcome, "started", "start threw although nobody cancelled");
        if (outcome === "started") continue;
        await b.untilNoProcess(`a start cancelled after ${afterMs} ms leaves no process`);
        assert.equal(
          await spawner.locate(keyOf(request), b.call()),
          undefined,
          `a start cancelled after ${afterMs} ms can be located`,
        );
      }
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
      if (!cancel.signal.aborted) return; // it tells no steps
      assert.equal(outcome, "thrown", "start resolved although it was cancelled at its first step");
      await b.untilNoProcess("a cancelled start leaves no process");
      assert.equal(
        await spawner.locate(keyOf(request), b.call()),
        undefined,
        "a cancelled start can be located",
      );
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

    test("leaves other servers alone", async (t) => {
      const b = bench(t);
      const spawner = await b.spawner();
      const mine = b.request(given.request?.argv);
      const other = { ...b.request(given.request?.argv), user: { id: "u2", name: "grace" } };
      const server = await b.start(spawner, mine);
      const otherServer = await b.start(spawner, other);
      const { id } = await b.facts(await b.untilRunning(spawner, server));
      const otherUrl = await b.untilRunning(spawner, otherServer);
      if (b.usesStandIn) assert.notEqual((await b.facts(otherUrl)).id, id, "two tags led to one server");

      const stranger = newTag();
      assert.equal(
        await spawner.locate({ ...keyOf(mine), tag: stranger }, b.call()),
        undefined,
        "locate found a tag nobody started",
      );
      const forged = altered(server, mine.tag, stranger);
      await spawner.stop(forged, { graceSeconds: 0, ...b.call() }).catch(() => {});
      await spawner.stop(otherServer, { graceSeconds: 1, ...b.call() });
      await b.untilEnded(spawner, otherServer, "a stopped server ends");
      const still = await b.facts(await b.untilRunning(spawner, server));
      assert.equal(still.id, id, "stopping other tags touched this server");
    });

    test("answers sensibly for handles it does not know", async (t) => {
      const b = bench(t);
      const spawner = await b.spawner();
      const request = b.request(given.request?.argv);
      const server = await b.start(spawner, request);
      await b.untilRunning(spawner, server);
      const [lost, later] = [newTag(), newTag()];
      const servers = [
        altered(server, request.tag, lost),
        server,
        altered(server, request.tag, later, 1_000_000),
      ];
      const row = await b.row(spawner, servers, lost);
      assert.ok(
        row === undefined || row.state === "lost" || row.state === "unknown",
        `a handle whose server is nowhere must be lost, unknown or absent, not ${row?.state}`,
      );
      assert.equal(
        (await b.row(spawner, servers, later))?.state,
        "unknown",
        "a handle of a version it does not understand must be unknown: it may be a living server of a newer hub",
      );
      assert.equal(
        (await b.row(spawner, servers, request.tag))?.state,
        "running",
        "one strange handle hides the others",
      );
      assert.equal((await spawner.observe([], b.call())).complete, true, "observe without handles must work");
    });

    test("shows no secret: command lines, handle, log", { skip: ownCommand }, async (t) => {
      const b = bench(t);
      const watch = await watchCommandLines([b.secret, standInPath]);
      const spawner = await b.spawner();
      const request = b.request();
      const server = await b.start(spawner, request);
      await b.facts(await b.untilRunning(spawner, server));
      const seen = await watch.stop();
      assert.ok(seen.includes(standInPath), "the watch saw no process: this check is blind");
      assert.ok(!seen.includes(b.secret), "the token stood on a command line");
      assert.ok(!JSON.stringify(server).includes(b.secret), "the token stands in the handle");
      assert.ok(!JSON.stringify(b.host.lines).includes(b.secret), "the token stands in the log");
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
  });
}
