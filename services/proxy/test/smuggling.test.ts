import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { MAX_HEAD_BYTES } from "@elara/runtime/http/upstreams-leg";
import { tcpBackend } from "./fixture/backend.ts";
import { serverDoc, startProxy } from "./fixture/hub.ts";
import { rawExchange } from "./fixture/raw.ts";

const POST = "POST /user/ada/ HTTP/1.1\r\nHost: a\r\n";
/** Requests that two readers could cut differently. Behind each stands one that must not come through. */
const attempts: [name: string, bytes: string][] = [
  ["length and chunks", `${POST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ["chunks and length", `${POST}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n`],
  ["two different lengths", `${POST}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`],
  ["the same length twice", `${POST}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`],
  ["a list of lengths", `${POST}Content-Length: 3, 4\r\n\r\nabc`],
  ["a signed length", `${POST}Content-Length: +3\r\n\r\nabc`],
  ["a folded line", `${POST}X-A: b\r\n Content-Length: 3\r\n\r\nabc`],
  ["a folded encoding", `${POST}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n`],
  ["space before the colon", `${POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`],
  ["an unknown encoding", `${POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
  ["identity encoding", `${POST}Transfer-Encoding: identity\r\n\r\n`],
  ["another encoding before chunked", `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
  ["chunked twice", `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  [
    "chunks in HTTP/1.0",
    `POST /user/ada/ HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  ["bare line feeds", "GET /user/ada/ HTTP/1.1\nHost: a\n\n"],
  ["two hosts", "GET /user/ada/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"],
  ["no host", "GET /user/ada/ HTTP/1.1\r\nX: y\r\n\r\n"],
  ["another host in the target", "GET http://b/user/ada/ HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["a target that is no path", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"],
  [
    "an upgrade with a body",
    "GET /user/ada/ HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n\r\nabc",
  ],
];

suite("ambiguous requests are refused at the door", () => {
  for (const [name, bytes] of attempts)
    test(name, async (t) => {
      const hub = await startProxy(t);
      let arrived = "";
      const backend = await tcpBackend(t, (socket) =>
        socket.on("data", (piece) => {
          arrived += piece;
          socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }),
      );
      await hub.ledger.insert(serverDoc("ada", backend.url));
      const answer = await rawExchange(
        hub.port,
        `${bytes}GET /user/ada/smuggled HTTP/1.1\r\nHost: a\r\n\r\n`,
      );
      assert.match(answer, /^HTTP\/1\.1 400 /);
      assert.equal(answer.match(/HTTP\/1\.1 /g)?.length, 1);
      assert.equal(arrived, "");
    });

  for (const [name, rest] of [
    ["a size that is no number", "zz\r\nabc\r\n0\r\n\r\n"],
    ["a bare line feed behind a size", "3\nabc\r\n0\r\n\r\n"],
    ["a chunk longer than it says", "3\r\nabcdef\r\n0\r\n\r\n"],
  ] as const)
    test(`in a chunked body: ${name} ends the connection, and nothing behind it comes through`, async (t) => {
      const hub = await startProxy(t);
      let arrived = "";
      const backend = await tcpBackend(t, (socket) =>
        socket.on("data", (piece) => {
          arrived += piece;
        }),
      );
      await hub.ledger.insert(serverDoc("ada", backend.url));
      await rawExchange(
        hub.port,
        `${POST}Transfer-Encoding: chunked\r\n\r\n${rest}GET /user/ada/smuggled HTTP/1.1\r\nHost: a\r\n\r\n`,
      );
      assert.doesNotMatch(arrived, /smuggled/);
    });

  test("a head that is too large is explained on a page: cookies are a browser's", async (t) => {
    const hub = await startProxy(t);
    const answer = await rawExchange(
      hub.port,
      `GET /hub/home HTTP/1.1\r\nHost: a\r\nCookie: a=${"b".repeat(MAX_HEAD_BYTES)}\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 431 Request Header Fields Too Large\r\n/);
    assert.match(answer, /\r\nContent-Type: text\/html; charset=utf-8\r\n/);
    assert.match(answer, /Content-Security-Policy: default-src 'none'/);
    assert.match(answer, /Delete this site.*cookies.*PROXY_HEAD_TOO_LARGE/s);
  });

  test("an absolute target with the same host is taken, as servers must", async (t) => {
    const hub = await startProxy(t);
    const answer = await rawExchange(
      hub.port,
      "GET http://a/_chp_healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    );
    assert.match(answer, /"status":"OK"/);
  });

  test("an answer with conflicting lengths is not passed on", async (t) => {
    const hub = await startProxy(t);
    const backend = await tcpBackend(t, (socket) =>
      socket.once("data", () =>
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde"),
      ),
    );
    await hub.ledger.insert(serverDoc("ada", backend.url));
    const answer = await rawExchange(
      hub.port,
      "GET /user/ada/ HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\nConnection: close\r\n\r\n",
    );
    assert.match(answer, /^HTTP\/1\.1 503 /);
    assert.match(answer, /PROXY_UPSTREAM_FAILED/);
  });
});
