import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, type TestContext, test } from "node:test";
import { PluginError } from "@elara/sdk";
import { checkCall, newTag, SpawnerBench } from "@elara/sdk/testing";
import plugin from "../src/index.ts";
import { benchOn, engine, isThere, skip } from "./fixtures/docker.ts";

describe("an engine that is away", { skip }, () => {
  test("nothing ends; what it had is there again when it is back", async (t) => {
    const bench = await benchOn(t);
    const spawner = await bench.spawner();
    const request = bench.request();
    const server = await bench.start(spawner, request);
    const url = await bench.untilRunning(spawner, server);
    const { id } = await bench.facts(url);
    const bed = await engine();
    await bed.stop();
    const away = { code: "DOCKER_ENGINE_AWAY", status: 503, retryable: true };
    await assert.rejects(spawner.observe([server], bench.call()), away);
    await assert.rejects(spawner.locate(request, bench.call()), away);
    await assert.rejects(bench.start(spawner, bench.request()), { ...away, nothingMade: true });
    await assert.rejects(spawner.stop(server, { graceSeconds: 1, ...bench.call() }), away);
    await assert.rejects(async () => spawner.check?.(...checkCall()), away);
    assert.equal((await bench.facts(url)).id, id, "the server goes on meanwhile");
    await bed.start();
    assert.equal((await bench.facts(await bench.untilRunning(spawner, server))).id, id);
  });

  test("killed while it fetches an image: told as away, and nothing is made", async (t) => {
    const bed = await engine();
    const bench = await benchOn(t, { images: [bed.registry.image] });
    const spawner = await bench.spawner();
    const request = bench.request();
    let killed: Promise<void> | undefined;
    const progress = (_: string, message: string) => {
      if (message.includes("layers")) killed ??= bed.stop();
    };
    await assert.rejects(bench.start(spawner, request, { ...bench.call(), progress }), {
      code: "DOCKER_ENGINE_AWAY",
    });
    await killed;
    await bed.start();
    assert.equal(await isThere(request.tag), false);
  });
});

/** An engine that answers as it is told, for what a real one does on its worst days only. */
async function fakeEngine(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
) {
  const folder = mkdtempSync(join(tmpdir(), "elara-fake-engine-"));
  const socket = join(folder, "sock");
  const server = createServer(answer).listen(socket);
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });
  return new SpawnerBench(t, plugin, { options: { engine: `unix://${socket}`, images: ["lab:1"] } });
}

describe("an engine on a bad day", () => {
  const bad: [what: string, status: number, body: string][] = [
    ["an error", 500, '{"message":"driver failed"}'],
    ["no JSON", 200, "<html>maintenance</html>"],
    ["an object instead of a list", 200, "{}"],
    ["half a list", 200, '[{"Id":"a"'],
    ["containers without what they need", 200, '[{"Id":"a"}]'],
  ];
  for (const [what, status, body] of bad)
    test(`a listing that is ${what}: nobody is missing`, async (t) => {
      const bench = await fakeEngine(t, (_, response) => response.writeHead(status).end(body));
      const spawner = await bench.spawner();
      const server = bench.stored(bench.request(), { v: 1, container: "a" });
      await assert.rejects(spawner.observe([server], bench.call()));
    });

  test("one container it cannot tell of does not hide the others", async (t) => {
    const container = (id: string, tag: string) => ({
      Id: id,
      Names: [`/elara-${tag}`],
      State: "exited",
      Labels: { "org.elara.tag": tag },
    });
    const State = { Status: "exited", ExitCode: 3, Error: "", OOMKilled: false };
    const [bad, good] = [newTag(), newTag()];
    const bench = await fakeEngine(t, ({ url = "" }, response) => {
      if (url.startsWith("/containers/json"))
        response.end(JSON.stringify([container("bad", bad), container("good", good)]));
      else if (url.startsWith("/containers/good/")) response.end(JSON.stringify({ State }));
      else response.writeHead(500).end('{"message":"input/output error"}');
    });
    const servers = [bad, good].map((tag) =>
      bench.stored({ ...bench.request(), tag }, { v: 1, container: tag }),
    );
    const { rows } = await (await bench.spawner()).observe(servers, bench.call());
    assert.deepEqual(
      rows.map(({ state, end, reason }) => [state, end?.exitCode, reason]),
      [
        ["unknown", undefined, "the engine cannot tell of it: input/output error"],
        ["ended", 3, "ended with exit code 3"],
      ],
    );
  });

  const REFUSALS: [word: string, field: string, told: string][] = [
    ["Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available", "cpus", "Range of CPUs"],
    ["Minimum memory limit allowed is 6MB", "memory", "Minimum memory"],
    ['invalid CapAdd: unknown capability: "CAP_FLY"', "capAdd", "What was chosen"],
  ];
  for (const [word, field, told] of REFUSALS)
    test(`what it says of ${field} is told at that option, once`, async (t) => {
      const bench = await fakeEngine(t, ({ url = "" }, response) => {
        const isCreate = url.startsWith("/containers/create");
        response.writeHead(isCreate ? 400 : 404).end(JSON.stringify({ message: isCreate ? word : "none" }));
      });
      const start = bench.start(await bench.spawner(), bench.request());
      await assert.rejects(start, (error: unknown) => {
        assert.ok(error instanceof PluginError);
        assert.deepEqual([error.code, error.field, error.status], ["DOCKER_OPTIONS_INVALID", field, 400]);
        assert.equal(error.operator, `${field}: ${word}`);
        assert.ok(error.message.startsWith(told), error.message);
        assert.equal(error.cause, undefined);
        return true;
      });
    });

  test("more processors than its machine has are refused at their field; it is asked once a minute", async (t) => {
    let asked = 0;
    const bench = await fakeEngine(t, ({ url }, response) => {
      asked += Number(url === "/info");
      response.end('{"NCPU":2}');
    });
    const spawner = await bench.spawner();
    const options = (cpus: number) => ({ ...bench.options(), cpus });
    await spawner.checkOptions?.(options(0), bench.call());
    assert.equal(asked, 0);
    await spawner.checkOptions?.(options(2), bench.call());
    await assert.rejects(async () => spawner.checkOptions?.(options(64), bench.call()), {
      ...{ code: "DOCKER_OPTIONS_INVALID", field: "cpus", status: 400 },
      message: "64 processors are more than there are: 2.",
    });
    assert.equal(asked, 1);
  });

  test("that does not tell its processors, nobody can say how many are too many", async (t) => {
    const bench = await fakeEngine(t, (_, response) => response.destroy());
    const spawner = await bench.spawner();
    await assert.rejects(async () => spawner.checkOptions?.({ ...bench.options(), cpus: 64 }, bench.call()), {
      ...{ code: "DOCKER_ENGINE_AWAY", field: "" },
    });
  });

  test("a pull that tells what cannot be read is a pull that failed", async (t) => {
    const bench = await fakeEngine(t, ({ url = "" }, response) => {
      if (url.startsWith("/images/create")) response.end('{"status":"Pulling"}\n<html>proxy error</html>\n');
      else response.writeHead(404).end('{"message":"no such image: lab:1"}');
    });
    const start = bench.start(await bench.spawner(), bench.request());
    await assert.rejects(start, { code: "DOCKER_PULL_FAILED", retryable: true });
  });

  test("an answer that never comes is not waited for when the call is given up", async (t) => {
    const bench = await fakeEngine(t, () => {});
    const spawner = await bench.spawner();
    const giveUp = new AbortController();
    const seen = spawner.observe([], { signal: giveUp.signal });
    setTimeout(() => giveUp.abort(), 20);
    await assert.rejects(seen, { name: "AbortError" });
  });

  test("a connection cut in the middle of an answer is away, not empty", async (t) => {
    const bench = await fakeEngine(t, (_, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write("[", () => response.destroy());
    });
    const spawner = await bench.spawner();
    await assert.rejects(spawner.observe([], { signal: AbortSignal.timeout(2_000) }));
  });

  test("sees secrets in the body of one request only, never in a URL, which engines log", async (t) => {
    const seen: { url: string; body: string }[] = [];
    const bench = await fakeEngine(t, async (request, response) => {
      seen.push({ url: request.url ?? "", body: await text(request) });
      if (request.url?.startsWith("/containers/create")) response.writeHead(201).end('{"Id":"a"}');
      else if (request.url?.endsWith("/start")) response.writeHead(204).end();
      else response.writeHead(404).end("{}");
    });
    await bench.start(await bench.spawner(), bench.request());
    assert.deepEqual(
      seen.filter(({ body }) => body.includes(bench.secret)).map(({ url }) => url.split("?")[0]),
      ["/containers/create"],
    );
    assert.ok(!seen.some(({ url }) => decodeURIComponent(url).includes(bench.secret)));
  });
});
