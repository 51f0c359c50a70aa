import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { TObject } from "typebox";
import type { SpawnerPlugin } from "../spawner.ts";
import { askElsewhere } from "./second-process.ts";
import { awayPromises } from "./spawner-away.ts";
import { keyOf, newTag, SpawnerBench, type SpawnerCase } from "./spawner-bench.ts";
import { cancelPromises } from "./spawner-cancel.ts";
import { cleanupPromises } from "./spawner-cleanup.ts";
import { endPromises } from "./spawner-ends.ts";
import type { SpawnerKit } from "./spawner-kit.ts";
import { valuePromises } from "./spawner-values.ts";
import { digestOf } from "./stand-in-facts.ts";

/** The same data with one text put for another wherever it stands, and numbers named `v` changed. */
function altered<T>(value: T, from: string, to: string, version?: number): T {
  return JSON.parse(JSON.stringify(value), (key, part: unknown) => {
    if (typeof part === "string") return part.replaceAll(from, to);
    return version !== undefined && key === "v" && typeof part === "number" ? version : part;
  });
}

/**
 * The promises of every spawner, as tests: declares them with `node:test`, so a call is the start of a plugin's test
 * file. Starts real processes of a stand-in server, each in a test of its own, and ends them.
 */
export function spawnerConformance<O extends TObject, H extends TObject>(
  plugin: SpawnerPlugin<O, H>,
  given: SpawnerCase = {},
): void {
  const kit: SpawnerKit<O, H> = {
    plugin,
    given,
    ownCommand: given.request?.argv !== undefined && "the case brings its own command",
    bench: (t) => new SpawnerBench(t, plugin, given),
  };
  const { bench } = kit;
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
      if (third.logs && b.usesStandIn)
        assert.ok(
          (await third.logs(server, { lines: 50, ...b.call() })).includes("stand-in was started"),
          "the output of a server that has ended is kept until cleanup",
        );
      if (!third.cleanup) return;
      await third.cleanup(server, b.call());
      await third.cleanup(server, b.call());
      await b.untilEnded(third, server, "a forgotten server stays ended");
      assert.equal(
        await third.locate(keyOf(request), b.call()),
        undefined,
        "locate finds a forgotten server",
      );
      const left = await third.logs?.(server, { lines: 50, ...b.call() }).catch(() => []);
      assert.deepEqual(left ?? [], [], "cleanup must forget the server's output too");
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

    cancelPromises(kit);
    cleanupPromises(kit);
    endPromises(kit);
    valuePromises(kit);
    awayPromises(kit);
  });
}
