import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { newTag } from "@elara/sdk/testing";
import { type Bench, benchOn, requestAt, running, skip, theBed } from "./fixtures/bed.ts";

/** A server on each machine, and a spawner that sees both. */
async function both(t: TestContext) {
  const bench = await benchOn(t);
  const one = await running(bench, "login1");
  const two = await running(bench, "login2");
  const { spawner } = two;
  await bench.untilRunning(spawner, one.server);
  const states = async () => {
    const { rows, complete } = await spawner.observe([one.server, two.server], bench.call());
    assert.ok(complete);
    return [one, two].map(({ server }) => rows.find(({ tag }) => tag === server.tag));
  };
  return { bench, one, two, spawner, states };
}

const untilRunning = (
  bench: Bench,
  spawner: Awaited<ReturnType<Bench["spawner"]>>,
  server: Awaited<ReturnType<Bench["start"]>>,
) => bench.until(spawner, server, (row) => row?.state === "running", "it is seen running again");

test("one look is one command for each account and machine, however many servers there are", {
  skip,
}, async (t) => {
  const bed = await theBed();
  const bench = await benchOn(t);
  const [one, two, three] = [
    await running(bench, "login1"),
    await running(bench, "login1"),
    await running(bench, "login2"),
  ];
  const { spawner } = three;
  await bench.untilRunning(spawner, one.server);
  const counts = () => bed.hosts.map(({ host }) => bed.log(host).split("Starting session: ").length - 1);
  const before = counts();
  const { rows } = await spawner.observe([one.server, two.server, three.server], bench.call());
  assert.deepEqual(
    rows.map(({ state }) => state),
    ["running", "running", "running"],
  );
  assert.deepEqual(
    counts().map((count, at) => count - (before[at] ?? 0)),
    [1, 1],
  );
});

describe("several machines", { skip }, () => {
  test("a server runs where it was asked for; a lost handle is found on the right one", async (t) => {
    const { bench, one, two, spawner } = await both(t);
    assert.deepEqual([one.server.handle.host, two.server.handle.host], ["login1", "login2"]);
    assert.notEqual(new URL(one.url).hostname, new URL(two.url).hostname);
    for (const { server, url } of [one, two]) {
      const found = await spawner.locate(server, bench.call());
      assert.deepEqual(found, server.handle);
      assert.equal(await bench.untilRunning(spawner, server), url);
    }
    assert.equal(await spawner.locate({ ...one.server, tag: newTag() }, bench.call()), undefined);
  });

  test("without a wish they are spread, one tag always to the same", async (t) => {
    const bench = await benchOn(t);
    const spawner = await bench.spawner();
    const hosts = new Set<string>();
    let count = 0;
    // By chance all of a few tags would go to one machine.
    while (hosts.size < 2 && count < 30) {
      count += 1;
      const request = bench.request();
      const servers = [await bench.start(spawner, request), await bench.start(spawner, request)];
      const [first, again] = servers.map(({ handle }) => handle.host);
      assert.equal(first, again);
      hosts.add(first ?? "");
    }
    assert.deepEqual([...hosts].sort(), ["login1", "login2"]);
    assert.equal(bench.processes().length, count);
  });

  test("a machine that is not offered is refused; the form offers those that are", async (t) => {
    const bench = await benchOn(t);
    const spawner = await bench.spawner();
    await assert.rejects(bench.start(spawner, requestAt(bench, "login3")), {
      code: "SSH_HOST_UNKNOWN",
      status: 400,
    });
    assert.deepEqual(await spawner.form?.(bench.call()), { host: { enum: ["any", "login1", "login2"] } });
  });

  test("one that is down: its servers are unknown with its name, others go on; back, all go on", async (t) => {
    const bed = await theBed();
    const { bench, one, two, spawner, states } = await both(t);
    const { host } = bed.hosts[1] ?? { host: "" };
    await bed.stop(host);
    const [first, second] = await states();
    assert.deepEqual([first?.state, first?.url], ["running", one.url]);
    assert.deepEqual([second?.state, second?.reason], ["unknown", "login2 does not answer at the moment."]);
    await assert.rejects(spawner.stop(two.server, { graceSeconds: 0, ...bench.call() }), {
      code: "SSH_UNREACHABLE",
      retryable: true,
      operator: /does not answer: .*ECONNREFUSED/,
    });
    await assert.rejects(bench.start(spawner, requestAt(bench, "login2")), { code: "SSH_UNREACHABLE" });

    // A handle that was lost may be on the machine that does not answer; one that is found elsewhere is found.
    assert.deepEqual(await spawner.locate(one.server, bench.call()), one.server.handle);
    await assert.rejects(spawner.locate(two.server, bench.call()), { code: "SSH_UNREACHABLE" });

    await bed.start(host);
    await untilRunning(bench, spawner, two.server);
    assert.equal((await bench.facts(two.url)).pid, two.child.pid, "it ran all the time");
  });

  test("one that is down gets no servers that may run anywhere, until it answers", async (t) => {
    const bed = await theBed();
    const bench = await benchOn(t);
    const spawner = await bench.spawner();
    const seen = await bench.start(spawner, requestAt(bench, "login2"));
    const anywhere = async () => (await bench.start(spawner, requestAt(bench, "any"))).handle.host;
    const { host } = bed.hosts[1] ?? { host: "" };
    await bed.stop(host);
    assert.equal((await bench.row(spawner, [seen], seen.tag))?.state, "unknown");
    for (let count = 0; count < 6; count += 1) assert.equal(await anywhere(), "login1");
    await bed.start(host);
    await untilRunning(bench, spawner, seen);
    // By chance all of a few would go to the other.
    for (let count = 0; (await anywhere()) !== "login2"; count += 1) assert.ok(count < 30, "it is left out");
  });

  test("one that hangs: rows of the other within 5 s, also the first time; it answers again, all go on", async (t) => {
    const bed = await theBed();
    const { bench, one, two } = await both(t);
    const fresh = await bench.spawner(bench.host.another());
    await bench.untilRunning(fresh, one.server); // nothing of the other yet
    const { host } = bed.hosts[1] ?? { host: "" };
    bed.freeze(host);
    t.after(() => bed.thaw(host));
    for (const spawner of [two.spawner, fresh]) {
      const begin = performance.now();
      const { rows } = await spawner.observe([one.server, two.server], bench.call());
      const took = performance.now() - begin;
      const [first, second] = [one, two].map(({ server }) => rows.find(({ tag }) => tag === server.tag));
      assert.deepEqual([first?.state, second?.state], ["running", "unknown"]);
      assert.match(second?.reason ?? "", /^login2 does not answer/);
      assert.ok(took < 5_000, `it took ${took} ms`);
    }
    bed.thaw(host);
    await untilRunning(bench, two.spawner, two.server);
  });

  test("one whose key is another: nothing is sent, its servers are unknown with that reason, until the key is known", async (t) => {
    const bed = await theBed();
    const { bench, two, states } = await both(t);
    const { host, port } = bed.hosts[1] ?? { host: "", port: 0 };
    await bed.changeHostKey(host);
    const [first, second] = await states();
    assert.equal(first?.state, "running");
    assert.deepEqual(
      [second?.state, second?.reason],
      ["unknown", "login2 could not prove that it is the right machine. The administrators have to look."],
    );
    const told = await two.spawner.stop(two.server, { graceSeconds: 0, ...bench.call() }).then(
      () => assert.fail("a machine with another key was told something"),
      (error: unknown) => (error instanceof Error && "operator" in error ? String(error.operator) : ""),
    );
    assert.match(told, /another machine may be answering/);
    const line = told.slice(told.lastIndexOf(`[${host}]`));
    assert.ok(line.startsWith(`[${host}]:${port} ssh-ed25519 `), told);

    const knownHosts = join(bench.host.dataDir, "known_hosts");
    writeFileSync(knownHosts, `${line}\n`);
    const ssh = { knownHosts, privateKey: bed.privateKeyFile };
    const knowing = await (await benchOn(t, { ssh })).spawner();
    await untilRunning(bench, knowing, two.server);
    await knowing.stop(two.server, { graceSeconds: 1, ...bench.call() });
    await bench.untilEnded(knowing, two.server, "it is stopped");
  });
});

/** A machine that takes connections and says nothing. */
async function silent(t: TestContext) {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === "object" && address);
  return { name: "silent", host: "127.0.0.1", port: address.port };
}

test("a start that is cancelled while the machine says nothing is given up at once", { skip }, async (t) => {
  const bench = await benchOn(t, { hosts: [await silent(t)] });
  const cancel = new AbortController();
  const spawner = await bench.spawner();
  const start = spawner.start(bench.request(), bench.call(cancel.signal));
  setTimeout(() => cancel.abort(new Error("cancelled")), 100);
  const begin = performance.now();
  await assert.rejects(start, /cancelled/);
  assert.ok(performance.now() - begin < 2_000, "it waited for the machine");
});

test("a machine that swallows everything holds up looks at others once, not each time", {
  skip,
}, async (t) => {
  const bed = await theBed();
  const mute = await silent(t);
  const hosts = [{ name: "login1", ...bed.hosts[0] }, mute];
  const ssh = { knownHosts: bed.knownHostsFile, privateKey: bed.privateKeyFile, connectSeconds: 2 };
  const bench = await benchOn(t, { hosts, ssh });
  const { server, spawner } = await running(bench, "login1");
  const lost = {
    ...server,
    tag: newTag(),
    handle: { ...server.handle, host: mute.name, address: mute.host, port: mute.port },
  };
  const timed = async () => {
    const begin = performance.now();
    const { rows } = await spawner.observe([server, lost], bench.call());
    assert.deepEqual(rows.map(({ state }) => state).sort(), ["running", "unknown"]);
    return performance.now() - begin;
  };
  const first = await timed();
  assert.ok(first > 1_500, "this machine answers: the test shows nothing");
  const later = [await timed(), await timed(), await timed()];
  t.diagnostic(`looks took ${[first, ...later].map(Math.round).join(", ")} ms`);
  assert.ok(Math.max(...later) < 1_200, `a dead machine held up later looks for ${Math.max(...later)} ms`);
});

test("options that cannot work are told by name", { skip }, async (t) => {
  const wrong: [change: Record<string, unknown>, told: RegExp][] = [
    [{ hosts: [{ host: "a" }, { host: "a" }] }, /"a" cannot be a name, or stands there twice/],
    [{ hosts: [{ name: "any", host: "a" }] }, /"any"/],
    [{ portRange: [2, 1] }, /2 is above 1/],
    [{ runDir: "/var/tmp/run", account: "{username}" }, /accounts cannot share/],
    [{ forwardHost: "0.0.0.0", connect: "forward" }, /one address/],
    [{ ssh: {} }, /give either `privateKey` or `certificateAuthority.key`/],
  ];
  for (const [change, told] of wrong) {
    const bench = await benchOn(t, change);
    const [field] = Object.keys(change);
    await assert.rejects(async () => (await bench.spawner()).checkOptions?.(bench.options(), bench.call()), {
      code: "SSH_OPTIONS_INVALID",
      field,
      operator: told,
    });
  }
  const bench = await benchOn(t, { host: "elsewhere" });
  await assert.rejects(async () => (await bench.spawner()).checkOptions?.(bench.options(), bench.call()), {
    code: "SSH_HOST_UNKNOWN",
    field: "host",
  });
});
