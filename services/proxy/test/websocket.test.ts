import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import http from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo, Socket } from "node:net";
import { suite, type TestContext, test } from "node:test";
import { parseTarget } from "@elara/runtime/http/upstreams-target";
import { plainResponse, webSockets } from "../src/websockets.ts";
import { httpBackend, tcpBackend } from "./fixture/backend.ts";
import { serverDoc, startProxy, until } from "./fixture/hub.ts";
import { rawClient, rawExchange } from "./fixture/raw.ts";

interface Peer {
  on(event: "message", listener: (data: Buffer, isBinary: boolean) => void): void;
  on(event: "close", listener: (code: number) => void): void;
  send(data: Buffer | string, options?: { binary: boolean }): void;
  close(code: number): void;
}
interface WsModule {
  WebSocketServer: new (options: {
    port: number;
    host: string;
    handleProtocols?: () => string;
  }) => {
    on(event: "connection", listener: (peer: Peer, request: { url: string }) => void): void;
    on(event: "listening", listener: () => void): void;
    address(): AddressInfo;
    close(): void;
    clients: Set<{ terminate(): void }>;
  };
}
// The package brings no types.
const ws: WsModule = createRequire(import.meta.url)("ws");

/** Ada's server with a WebSocket that sends back what it gets. */
async function echoing(t: TestContext) {
  const hub = await startProxy(t);
  const server = new ws.WebSocketServer({ port: 0, host: "127.0.0.1" });
  const closes: number[] = [];
  server.on("connection", (peer) => {
    peer.on("message", (data, binary) => {
      if (data.toString() === "bye") peer.close(4321);
      else peer.send(data, { binary });
    });
    peer.on("close", (code) => closes.push(code));
  });
  await new Promise<void>((ready) => server.on("listening", ready));
  t.after(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  await hub.ledger.insert(serverDoc("ada", `http://127.0.0.1:${server.address().port}`));
  return { ...hub, closes };
}

/** The browser's own WebSocket. */
async function browser(url: string) {
  const socket = new WebSocket(url.replace("http", "ws"));
  socket.binaryType = "arraybuffer";
  const messages: (string | Buffer)[] = [];
  socket.addEventListener("message", ({ data }) => {
    messages.push(data instanceof ArrayBuffer ? Buffer.from(data) : String(data));
  });
  const closed = new Promise<number>((done) => socket.addEventListener("close", ({ code }) => done(code)));
  await new Promise<void>((open, failed) => {
    socket.addEventListener("open", () => open());
    socket.addEventListener("error", () => failed(new Error("not opened")));
  });
  return { socket, messages, closed };
}

const HANDSHAKE =
  "GET /user/ada/ws HTTP/1.1\r\nHost: hub:1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://hub:1\r\n\r\n";
const SWITCHING =
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n";

/** Ada's server by hand: it switches and hands over the connection; `heads` has what it was sent. */
async function byHand(t: TestContext, onOpen: (socket: Socket, rest: Buffer) => void, answer = SWITCHING) {
  const hub = await startProxy(t);
  const heads: string[] = [];
  const backend = await tcpBackend(t, (socket) => {
    let got = Buffer.alloc(0);
    const onData = (piece: Buffer) => {
      got = Buffer.concat([got, piece]);
      const end = got.indexOf("\r\n\r\n");
      if (end < 0) return;
      socket.off("data", onData);
      heads.push(got.subarray(0, end).toString());
      socket.write(answer);
      onOpen(socket, got.subarray(end + 4));
    };
    socket.on("data", onData);
  });
  await hub.ledger.insert(serverDoc("ada", backend.url));
  return { ...hub, heads, backend };
}

suite("websockets", () => {
  test("a server that takes the connection and never answers the upgrade is given up", async (t) => {
    const silent = await tcpBackend(t, (socket) => socket.resume().once("end", () => socket.end()));
    const target = parseTarget(silent.url);
    assert.ok(target);
    const sockets = webSockets(5000, 100);
    const failures: string[] = [];
    const door = http.createServer();
    door.on("upgrade", (request, socket, head) =>
      sockets.open(target, request, socket, head, {
        headers: [],
        onBytes: () => {},
        refused: () => failures.push("refused"),
        failed: ({ message }) => {
          failures.push(message);
          plainResponse(request, socket).writeHead(503).end();
        },
      }),
    );
    await new Promise<void>((ready) => door.listen(0, "127.0.0.1", ready));
    t.after(() => door.close());
    const address = door.address();
    assert.ok(typeof address === "object" && address);
    const client = await rawClient(t, address.port);
    client.socket.write(HANDSHAKE);
    await client.until("503");
    assert.deepEqual(failures, ["no answer to the upgrade in 100 ms"]);
    await until(() => silent.sockets.size === 0, "the server's connection is closed");
  });

  test("text and binary messages both ways, and the close code", async (t) => {
    const { origin, closes } = await echoing(t);
    const { socket, messages, closed } = await browser(
      `${origin}/user/ada/api/kernels/x/channels?session_id=1`,
    );
    const bytes = randomBytes(300_000);
    socket.send("hello");
    socket.send(bytes);
    await until(() => messages.length === 2, "both came back");
    assert.equal(messages[0], "hello");
    assert.deepEqual(messages[1], bytes);
    socket.send("bye");
    assert.equal(await closed, 4321);
    await until(() => closes.length === 1, "closed at the server too");
  });

  test("the handshake as the client wrote it, and the server's answer as it wrote it", async (t) => {
    const { port, heads } = await byHand(t, () => {});
    const client = await rawClient(t, port);
    client.socket.write(HANDSHAKE);
    assert.equal(await client.until("Accept: x\r\n\r\n"), SWITCHING);
    assert.match(heads[0] ?? "", /^GET \/user\/ada\/ws HTTP\/1\.1\r\nHost: hub:1\r\n/);
    assert.match(heads[0] ?? "", /\r\nOrigin: http:\/\/hub:1\r\n/);
    assert.match(heads[0] ?? "", /\r\nX-Forwarded-For: 127\.0\.0\.1\r\n/);
    assert.match(heads[0] ?? "", /\r\nConnection: Upgrade\r\nUpgrade: websocket$/);
  });

  test("bytes that come with either head are not lost", async (t) => {
    const early = Promise.withResolvers<string>();
    const { port } = await byHand(
      t,
      (socket, rest) => {
        let got = rest.toString();
        const check = () => got === "early bytes" && early.resolve(got);
        check();
        socket.on("data", (piece) => {
          got += piece;
          check();
        });
      },
      `${SWITCHING}first bytes`,
    );
    const client = await rawClient(t, port);
    client.socket.write(`${HANDSHAKE}early bytes`);
    await client.until("first bytes");
    await early.promise;
  });

  test("each side may end its half while the other goes on", async (t) => {
    const serverSaw = Promise.withResolvers<void>();
    const { port } = await byHand(t, (socket) => {
      socket.resume();
      socket.on("end", () => {
        serverSaw.resolve();
        socket.end("last words");
      });
    });
    const client = await rawClient(t, port);
    client.socket.write(HANDSHAKE);
    await client.until("Accept: x");
    client.socket.end();
    await serverSaw.promise;
    await client.until("last words");
    await client.closed;
  });

  test("a reader that stops slows the writer, and nothing is lost", async (t) => {
    const piece = Buffer.alloc(64 * 1024, "y");
    const total = 1024;
    let written = 0;
    const { port } = await byHand(t, (socket) => {
      const more = () => {
        while (written < total) {
          written++;
          if (!socket.write(piece)) return void socket.once("drain", more);
        }
        socket.end();
      };
      more();
    });
    const client = await rawClient(t, port);
    let received = 0;
    client.socket.removeAllListeners("data");
    client.socket.on("data", (bytes) => {
      received += bytes.length;
    });
    client.socket.pause();
    client.socket.write(HANDSHAKE);
    let before = -1;
    let still = 0;
    await until(
      () => {
        still = written > 0 && written === before ? still + 1 : 0;
        before = written;
        return still > 20_000;
      },
      "the server stops writing",
      20_000,
    );
    assert.ok(written < total, `${written} of ${total} pieces written`);
    client.socket.resume();
    await client.ended;
    assert.equal(received, SWITCHING.length + total * piece.length);
  });

  test("client gone, server's side ends; server gone, client's side ends", async (t) => {
    const opened: Socket[] = [];
    const { port } = await byHand(t, (socket) => {
      socket.resume();
      opened.push(socket);
    });
    const first = await rawClient(t, port);
    first.socket.write(HANDSHAKE);
    await first.until("Accept: x");
    const ended = new Promise((done) => opened[0]?.once("close", done));
    opened[0]?.once("end", () => opened[0]?.end());
    first.socket.resetAndDestroy();
    await ended;

    const second = await rawClient(t, port);
    second.socket.write(HANDSHAKE);
    await second.until("Accept: x");
    opened[1]?.resetAndDestroy();
    await Promise.race([second.closed, second.ended]);
  });

  test("it lives on with the bus closed and the store away", async (t) => {
    const { origin, store, bus } = await echoing(t);
    const { socket, messages } = await browser(`${origin}/user/ada/ws`);
    await bus.close();
    await store.close();
    for (const text of ["one", "two", "three"]) socket.send(text);
    await until(() => messages.length === 3, "all came back");
    const another = await browser(`${origin}/user/ada/ws`);
    another.socket.send("new one too");
    await until(() => another.messages.length === 1, "a new connection works");
    for (const each of [socket, another.socket]) each.close();
  });

  test("a server that does not switch: its answer is the client's", async (t) => {
    const hub = await startProxy(t);
    const backend = await httpBackend(t, (_request, response) => {
      response.writeHead(403, { "X-Why": "not yours" });
      response.end("no");
    });
    backend.server.on("upgrade", (_request, socket) =>
      socket.end("HTTP/1.1 403 Forbidden\r\nX-Why: not yours\r\nContent-Length: 2\r\n\r\nno"),
    );
    await hub.ledger.insert(serverDoc("ada", backend.url));
    const answer = await rawExchange(
      hub.port,
      `${HANDSHAKE}GET /user/ada/smuggled HTTP/1.1\r\nHost: a\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 403 Forbidden\r\nX-Why: not yours\r\n/);
    assert.match(answer, /no$/);
    assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1);
  });

  test("nobody at the address: 503; no route: sent to the hub's page", async (t) => {
    const hub = await startProxy(t);
    const backend = await tcpBackend(t, () => {});
    await hub.ledger.insert(serverDoc("ada", backend.url));
    backend.server.close();
    assert.match(await rawExchange(hub.port, HANDSHAKE), /^HTTP\/1\.1 503 /);
    const nowhere = await rawExchange(hub.port, HANDSHAKE.replace("/user/ada/ws", "/user/bob/ws"));
    assert.match(nowhere, /^HTTP\/1\.1 302 Found\r\nLocation: \/hub\/user\/bob\/ws\r\n/);
  });

  test("HTTP/2 over clear text is declined by an answer in HTTP/1.1", async (t) => {
    const hub = await startProxy(t);
    const answer = await rawExchange(
      hub.port,
      "GET /_chp_healthz HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n",
    );
    assert.match(answer, /^HTTP\/1\.1 200 OK/);
  });

  test("many at once, each with its own bytes", async (t) => {
    const { origin } = await echoing(t);
    const sockets = await Promise.all(
      Array.from({ length: 50 }, (_, i) => browser(`${origin}/user/ada/${i}`)),
    );
    for (const [i, { socket }] of sockets.entries())
      socket.send(createHash("sha256").update(String(i)).digest());
    await until(() => sockets.every(({ messages }) => messages.length === 1), "all came back");
    for (const [i, { messages, socket }] of sockets.entries()) {
      assert.deepEqual(messages[0], createHash("sha256").update(String(i)).digest());
      socket.close();
    }
  });
});
