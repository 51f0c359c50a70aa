import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { newTag, standInCommand, testHost } from "@elara/sdk/testing";
import { benchOn, engine, inspect, isThere, skip } from "./fixtures/docker.ts";

/** Makes a container by hand, as somebody else at the engine would. */
async function stranger(tag: string, ...labels: string[]): Promise<string> {
  const { docker, image } = await engine();
  const flags = labels.flatMap((label) => ["--label", label]);
  return docker(
    "run",
    "--detach",
    "--name",
    `elara-${tag}`,
    ...flags,
    image,
    "sh",
    "-c",
    "echo word; sleep 300",
  );
}

describe("a container of our name that another one made", { skip }, () => {
  const makers: [whose: string, labels: (hubId: string, tag: string) => string[]][] = [
    ["nobody's", () => []],
    ["another hub's", (_, tag) => ["org.elara.hub=other", `org.elara.tag=${tag}`]],
    ["of another start of ours, renamed", (hubId) => [`org.elara.hub=${hubId}`, `org.elara.tag=${newTag()}`]],
  ];
  for (const [whose, labels] of makers)
    test(`${whose}: is refused, never touched, never taken for ours`, async (t) => {
      const bench = await benchOn(t);
      const request = bench.request();
      const { tag } = request;
      const id = await stranger(tag, ...labels(bench.host.hubId, tag));
      const spawner = await bench.spawner();
      await assert.rejects(bench.start(spawner, request), { code: "DOCKER_NAME_TAKEN" });
      assert.equal(await spawner.locate(request, bench.call()), undefined);
      const forged = bench.stored(request, { v: 1, container: id });
      assert.equal(await bench.row(spawner, [forged], tag), undefined);
      await spawner.stop(forged, { graceSeconds: 0, ...bench.call() });
      await spawner.cleanup?.(forged, bench.call());
      assert.deepEqual(await spawner.logs?.(forged, { lines: 5, ...bench.call() }), []);
      assert.equal(await inspect(tag, "{{.Id}} {{.State.Running}}"), `${id} true`);
      await (await engine()).docker("rm", "--force", id);
    });
});

describe("a container of ours", { skip }, () => {
  test("is not hidden by another one with the same labels, as a copy of it has them", async (t) => {
    const bench = await benchOn(t);
    const spawner = await bench.spawner();
    const request = bench.request();
    const { docker, image } = await engine();
    const labels = [
      "--label",
      `org.elara.hub=${bench.host.hubId}`,
      "--label",
      `org.elara.tag=${request.tag}`,
    ];
    const copy = (name: string) =>
      docker("run", "--detach", "--name", name, ...labels, image, "sleep", "300");
    // Engines list the newest one first: one stands before it, one behind.
    const ids = [await copy(`copy-of-elara-${request.tag}`)];
    const server = await bench.start(spawner, request);
    ids.push(await copy(`elara-${request.tag}-copy`));
    assert.ok(await bench.untilRunning(spawner, server));
    await docker("rm", "--force", ...ids);
  });

  test("of an earlier life neither stands in the way nor is taken for the new one", async (t) => {
    const bench = await benchOn(t);
    const spawner = await bench.spawner();
    const before = bench.request();
    const old = await bench.start(spawner, before);
    await bench.untilRunning(spawner, old);
    const next = { ...before, tag: newTag() };
    assert.equal(await spawner.locate(next, bench.call()), undefined);
    const server = await bench.start(spawner, next);
    const ids = new Set<string>();
    for (const each of [old, server])
      ids.add((await bench.facts(await bench.untilRunning(spawner, each))).id);
    assert.equal(ids.size, 2);
    await spawner.stop(old, { graceSeconds: 1, ...bench.call() });
    await bench.untilEnded(spawner, old, "the old one ends");
    await bench.untilRunning(spawner, server);
  });

  test("that was killed leaves its address, not its port, to the next one", async (t) => {
    const bench = await benchOn(t);
    const spawner = await bench.spawner();
    const { docker } = await engine();
    const before = await bench.start(spawner, bench.request());
    const old = new URL(await bench.untilRunning(spawner, before));
    await docker("rm", "--force", `elara-${before.tag}`);
    // The engine gives the lowest address that is free.
    const next = new URL(await bench.untilRunning(spawner, await bench.start(spawner, bench.request())));
    assert.equal(next.hostname, old.hostname);
    await bench.facts(next.href);
    const stale = await fetch(old).catch((error: unknown) => Object(error).cause?.code);
    assert.equal(stale, "ECONNREFUSED");
  });

  test("is found by its tag when the handle was lost", async (t) => {
    const bench = await benchOn(t);
    const request = bench.request();
    const { handle } = await bench.start(await bench.spawner(), request);
    const other = await bench.spawner(bench.host.another());
    assert.deepEqual(await other.locate(request, bench.call()), handle);
  });

  test("that was made but not begun is found, begun once it was left, and stopped for good", async (t) => {
    const made = async (later: number) => {
      const bench = await benchOn(t, {}, { host: () => testHost({ now: () => Date.now() + later }) });
      const request = bench.request();
      const { docker, image } = await engine();
      await docker(
        ...[
          "create",
          "--name",
          `elara-${request.tag}`,
          "--env",
          "JUPYTERHUB_SERVICE_URL=http://0.0.0.0:8888/",
        ],
        ...["--label", `org.elara.hub=${bench.host.hubId}`, "--label", `org.elara.tag=${request.tag}`],
        ...["--label", "org.elara.port=8888", image, "python3", "-c", "import time; time.sleep(300)"],
      );
      const spawner = await bench.spawner();
      const handle = await spawner.locate(request, bench.call());
      assert.ok(handle, "a container that was not begun is found");
      return { bench, spawner, server: bench.stored(request, handle) };
    };
    const fresh = await made(0);
    const row = await fresh.bench.row(fresh.spawner, [fresh.server], fresh.server.tag);
    assert.equal(row?.state, "submitting");
    await fresh.spawner.stop(fresh.server, { graceSeconds: 1, ...fresh.bench.call() });
    assert.equal(await isThere(fresh.server.tag), false, "stopped before it was begun, it is gone");

    const left = await made(60_000);
    await left.bench.untilRunning(left.spawner, left.server);
    await left.spawner.stop(left.server, { graceSeconds: 0, ...left.bench.call() });
    await left.bench.untilEnded(left.spawner, left.server, "ends");
  });

  test("that was made but not begun is begun by a start of the same tag", async (t) => {
    const bench = await benchOn(t);
    const request = bench.request();
    const { docker, image } = await engine();
    const id = await docker(
      ...["create", "--name", `elara-${request.tag}`, "--label", `org.elara.hub=${bench.host.hubId}`],
      ...["--label", `org.elara.tag=${request.tag}`, "--label", "org.elara.port=8888", image, "sleep", "300"],
    );
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, request);
    assert.deepEqual(server.handle, { v: 1, container: id });
    await bench.untilRunning(spawner, server);
    await spawner.stop(server, { graceSeconds: 0, ...bench.call() });
  });

  test("that was made but not begun is cleaned up by its tag, one that runs or is another's is not", async (t) => {
    const bench = await benchOn(t, { remove: false });
    const spawner = await bench.spawner();
    const request = bench.request();
    const { docker, image } = await engine();
    const made = (hubId: string) =>
      docker(
        ...["create", "--name", `elara-${request.tag}`, "--label", `org.elara.hub=${hubId}`],
        ...["--label", `org.elara.tag=${request.tag}`, image, "sleep", "300"],
      );
    const cleanup = async () => spawner.cleanup?.(request, bench.call());
    await made(bench.host.hubId);
    for (const _ of ["once", "again"]) await cleanup();
    assert.equal(await isThere(request.tag), false);

    const id = await made(bench.host.hubId);
    await docker("start", id);
    await assert.rejects(cleanup, { code: "DOCKER_STILL_RUNNING" });
    await docker("rm", "--force", id);

    const foreign = await made("other");
    await cleanup();
    assert.equal(await isThere(request.tag), true);
    await docker("rm", "--force", foreign);
  });

  test("that was renamed is ours by its id; whoever took its name is not", async (t) => {
    const bench = await benchOn(t);
    const { docker } = await engine();
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, bench.request());
    const url = await bench.untilRunning(spawner, server);
    const { container } = server.handle;
    await docker("rename", `elara-${server.tag}`, `kept-${server.tag}`);
    const other = await stranger(server.tag);
    assert.equal(await bench.untilRunning(spawner, server), url);
    const lines = await spawner.logs?.(server, { lines: 1, ...bench.call() });
    assert.ok(lines?.length === 1 && lines[0] !== "word", String(lines));
    const later = { ...server, handle: { v: 2, container } };
    assert.deepEqual(
      await spawner.logs?.(later, { lines: 1, ...bench.call() }),
      [],
      "no guess at its fields",
    );
    await assert.rejects(async () => spawner.cleanup?.(server, bench.call()), {
      code: "DOCKER_STILL_RUNNING",
    });
    await spawner.stop(server, { graceSeconds: 1, ...bench.call() });
    await bench.untilEnded(spawner, server, "ends");
    for (const _ of ["once", "again"]) await spawner.cleanup?.(server, bench.call());
    assert.equal(await docker("ps", "--all", "--quiet", "--filter", `id=${container}`), "");
    assert.equal(await inspect(server.tag, "{{.Id}} {{.State.Running}}"), `${other} true`);
    await docker("rm", "--force", other);
  });

  test("that was made anew under its name, with its labels, is still ours", async (t) => {
    const bench = await benchOn(t);
    const { docker, image } = await engine();
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, bench.request());
    const name = `elara-${server.tag}`;
    await docker("rm", "--force", name);
    const labels = [`org.elara.hub=${bench.host.hubId}`, `org.elara.tag=${server.tag}`];
    const flags = [...labels, "org.elara.port=8888"].flatMap((label) => ["--label", label]);
    await docker("run", "--detach", "--name", name, ...flags, image, "sleep", "300");
    await bench.untilRunning(spawner, server);
    await spawner.stop(server, { graceSeconds: 0, ...bench.call() });
    await bench.untilEnded(spawner, server, "ends");
  });

  test("that is paused is suspended, not ended, and can be stopped", async (t) => {
    const bench = await benchOn(t);
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, bench.request());
    await bench.untilRunning(spawner, server);
    await (await engine()).docker("pause", `elara-${server.tag}`);
    assert.equal((await bench.row(spawner, [server], server.tag))?.state, "suspended");
    await spawner.stop(server, { graceSeconds: 1, ...bench.call() });
    await bench.untilEnded(spawner, server, "ends");
  });

  test("is removed after its end, not before, and kept where that is wanted", async (t) => {
    for (const remove of [true, false]) {
      const bench = await benchOn(t, { remove });
      const spawner = await bench.spawner();
      const server = await bench.start(spawner, bench.request(standInCommand()));
      await bench.untilRunning(spawner, server);
      await assert.rejects(async () => spawner.cleanup?.(server, bench.call()), {
        code: "DOCKER_STILL_RUNNING",
      });
      await spawner.stop(server, { graceSeconds: 1, ...bench.call() });
      await bench.untilEnded(spawner, server, "ends");
      for (const _ of ["once", "again"]) await spawner.cleanup?.(server, bench.call());
      assert.equal(await isThere(server.tag), !remove);
    }
  });
});
