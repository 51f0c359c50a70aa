import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request } from "node:http";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { describe, type TestContext, test } from "node:test";
import { sshMissing } from "@elara/beds/ssh";
import { sshOf, target, theBed } from "./fixtures/bed.ts";

const skip = sshMissing();

/** An HTTP server that answers with what it was sent, and upgrades to an echo. */
async function echo(t: TestContext): Promise<{ host: string; port: number }> {
  const server = createServer(async (incoming, response) => response.end(`echo ${await text(incoming)}`));
  server.on("upgrade", (_, socket: Socket) => {
    socket.on("error", () => {});
    socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n");
    socket.pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return { host: "127.0.0.1", port: typeof address === "object" && address ? address.port : 0 };
}

const listen = { host: "127.0.0.1", port: 0 };
const post = async (port: number, body: string): Promise<string> =>
  (await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body })).text();

describe("a forward", { skip }, () => {
  test("carries requests, large ones and several at once", async (t) => {
    const ssh = await sshOf(t);
    const { port, close } = await ssh.forward(target(await theBed()), await echo(t), listen);
    const bodies = Array.from({ length: 12 }, (_, at) => `${at} `.repeat(at * 40_000));
    const answers = await Promise.all(bodies.map((body) => post(port, body)));
    assert.ok(answers.every((answer, at) => answer === `echo ${bodies[at]}`));
    await close();
    await assert.rejects(post(port, "x"), "it is closed");
  });

  test("small pieces do not wait for each other", async (t) => {
    const ssh = await sshOf(t);
    const { port } = await ssh.forward(target(await theBed()), await echo(t), listen);
    const took: number[] = [];
    for (let round = 0; round < 21; round += 1) {
      const begin = performance.now();
      const asked = request({ port, method: "POST", agent: false, headers: { "content-length": 2 } });
      asked.write("a");
      setImmediate(() => asked.end("b"));
      const [answer] = await once(asked, "response");
      assert.equal(await text(answer), "echo ab");
      took.push(performance.now() - begin);
    }
    const median = took.sort((one, other) => one - other)[10] ?? 0;
    t.diagnostic(`median ${median.toFixed(1)} ms`);
    assert.ok(median < 35, `${median} ms: the system holds small pieces back for 40 ms`);
  });

  test("carries upgraded connections both ways", async (t) => {
    const ssh = await sshOf(t);
    const { port } = await ssh.forward(target(await theBed()), await echo(t), listen);
    const asked = request({ port, headers: { connection: "upgrade", upgrade: "echo" } }).end();
    const [, socket]: [unknown, Socket] = await new Promise((resolve) =>
      asked.once("upgrade", (response, stream: Socket) => resolve([response, stream])),
    );
    for (const word of ["one", "two"]) {
      socket.write(word);
      const [data] = await once(socket, "data");
      assert.equal(String(data), word);
    }
    socket.destroy();
  });

  test("to a port where nobody listens is a reset, and the listener stays", async (t) => {
    const ssh = await sshOf(t);
    const there = await echo(t);
    const nowhere = await ssh.forward(target(await theBed()), { ...there, port: 1 }, listen);
    for (const _ of [1, 2]) {
      const socket = connect(nowhere.port, "127.0.0.1");
      const [error] = await once(socket, "error");
      assert.equal(error.code, "ECONNRESET");
    }
  });

  test("reconnects when its host was away", async (t) => {
    const bed = await theBed();
    const ssh = await sshOf(t);
    const to = target(bed, 1);
    const { port } = await ssh.forward(to, await echo(t), listen);
    assert.equal(await post(port, "before"), "echo before");
    await bed.stop(to.host);
    await assert.rejects(post(port, "away"));
    await bed.start(to.host);
    assert.equal(await post(port, "after"), "echo after");
  });

  test("listens on the port that is asked for; a taken one is told", async (t) => {
    const ssh = await sshOf(t);
    const [to, there] = [target(await theBed()), await echo(t)];
    const first = await ssh.forward(to, there, listen);
    await assert.rejects(ssh.forward(to, there, first), { code: "EADDRINUSE" });
    await first.close();
    assert.equal((await ssh.forward(to, there, first)).port, first.port);
  });

  test("ends with the library, with what it carries", async (t) => {
    const ssh = await sshOf(t);
    const { port } = await ssh.forward(target(await theBed()), await echo(t), listen);
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    await once(socket, "data");
    const closed = once(socket, "close");
    await ssh.close();
    await closed;
  });
});
