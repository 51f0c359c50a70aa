import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import http, { type IncomingMessage } from "node:http";
import { suite, type TestContext, test } from "node:test";
import { httpBackend, tcpBackend } from "./fixture/backend.ts";
import { bodyOf, serverDoc, startProxy, until } from "./fixture/hub.ts";
import { rawClient, rawExchange } from "./fixture/raw.ts";

const END = "Connection: close\r\n\r\n";

/** The proxy with one server for ada that does this. */
async function adaServer(
  t: TestContext,
  handler: (request: IncomingMessage, response: http.ServerResponse) => void,
  options: http.ServerOptions = {},
) {
  const hub = await startProxy(t);
  const backend = await httpBackend(t, handler, options);
  await hub.ledger.insert(serverDoc("ada", backend.url));
  return { ...hub, backend };
}

/** What the server saw, as JSON lines. */
const mirror = (request: IncomingMessage, response: http.ServerResponse) => {
  void bodyOf(request).then((body) =>
    response.end(
      JSON.stringify({
        method: request.method,
        url: request.url,
        headers: request.headers,
        raw: request.rawHeaders,
        body: body.toString(),
      }),
    ),
  );
};
const seenIn = (answer: string) => JSON.parse(answer.slice(answer.indexOf("{"), answer.lastIndexOf("}") + 1));

suite("requests to a server", () => {
  for (const path of [
    "/user/ada/api/contents/a%2F..%2Fb",
    "/user/ada//double//slash/",
    "/user/ada/x;v=1;w=%3B?q=a+b&r=%20%zz",
    "/user/ada/../bob/./x",
    "/user/ada/%E2%9C%93?redirect=http://x/?y",
    "/user/%61da/encoded-name",
    "/user/ada?no-slash",
  ])
    test(`path as it came: ${path}`, async (t) => {
      const { port } = await adaServer(t, mirror);
      const answer = await rawExchange(port, `GET ${path} HTTP/1.1\r\nHost: hub.example:8443\r\n${END}`);
      assert.equal(seenIn(answer).url, path);
    });

  test("Host, cookies, authorization and unknown header lines as they came; those of the hop do not pass", async (t) => {
    const { port } = await adaServer(t, mirror);
    const answer = await rawExchange(
      port,
      `GET /user/ada/ HTTP/1.1\r\nhOsT: hub.example:8443\r\nCookie: a=1; b=2\r\nAuthorization: token x\r\nX-Twice: 1\r\nX-Twice: 2\r\nX-Real-IP: 9.9.9.9\r\nKeep-Alive: timeout=3\r\nTE: trailers\r\nX-Mine: secret\r\nConnection: close, X-Mine\r\n\r\n`,
    );
    const { headers, raw } = seenIn(answer);
    assert.equal(headers.host, "hub.example:8443");
    assert.equal(headers.cookie, "a=1; b=2");
    assert.equal(headers.authorization, "token x");
    assert.equal(headers["x-real-ip"], "9.9.9.9");
    assert.deepEqual(raw.slice(0, 2), ["hOsT", "hub.example:8443"]);
    assert.equal(raw.filter((name: string) => name === "X-Twice").length, 2);
    for (const hop of ["keep-alive", "te", "x-mine"]) assert.equal(headers[hop], undefined, hop);
    assert.equal(headers.connection, "keep-alive");
  });

  test("X-Forwarded lines as configurable-http-proxy writes them", async (t) => {
    const { port } = await adaServer(t, mirror);
    const first = seenIn(
      await rawExchange(port, `GET /user/ada/ HTTP/1.1\r\nHost: hub:1234\r\n${END}`),
    ).headers;
    assert.deepEqual(
      [
        first["x-forwarded-for"],
        first["x-forwarded-proto"],
        first["x-forwarded-port"],
        first["x-forwarded-host"],
      ],
      ["127.0.0.1", "http", "1234", "hub:1234"],
    );
    const chained = seenIn(
      await rawExchange(
        port,
        `GET /user/ada/ HTTP/1.1\r\nHost: hub\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\nX-Forwarded-Host: outer\r\n${END}`,
      ),
    ).headers;
    assert.deepEqual(
      [
        chained["x-forwarded-for"],
        chained["x-forwarded-proto"],
        chained["x-forwarded-port"],
        chained["x-forwarded-host"],
      ],
      ["1.2.3.4,127.0.0.1", "https,http", "443,80", "outer"],
    );
  });

  for (const method of http.METHODS.filter((name) => name !== "CONNECT"))
    test(`method ${method}, with and without a body`, async (t) => {
      const { origin } = await adaServer(t, (request, response) => {
        void bodyOf(request).then((body) => {
          response.setHeader(
            "X-Seen",
            `${request.method} ${body.length} ${request.headers["content-length"] ?? "-"}`,
          );
          response.end();
        });
      });
      const send = (body?: string) =>
        new Promise<string | string[] | undefined>((resolve, reject) => {
          const headers = body ? { "Content-Length": body.length } : {};
          const request = http.request(`${origin}/user/ada/`, { method, headers }, (answer) => {
            answer.resume();
            answer.on("end", () => resolve(answer.headers["x-seen"]));
          });
          request.on("error", reject);
          request.end(body);
        });
      assert.match(String(await send()), new RegExp(`^${method} 0 `));
      assert.equal(await send("hello"), `${method} 5 5`);
    });

  test("a chunked body stays chunked, its extensions and trailers end at the proxy", async (t) => {
    const { port } = await adaServer(t, mirror);
    const answer = await rawExchange(
      port,
      `DELETE /user/ada/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\nConnection: close\r\n\r\n3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n`,
    );
    const seen = seenIn(answer);
    assert.equal(seen.body, "abcde");
    assert.equal(seen.headers["transfer-encoding"], "chunked");
    assert.equal(seen.headers["content-length"], undefined);
    assert.equal(seen.headers.trailer, undefined);
  });

  test("ten megabytes up and down arrive whole", async (t) => {
    const sent = randomBytes(10 * 1024 * 1024);
    const { origin } = await adaServer(t, (request, response) => request.pipe(response));
    const answer = await fetch(`${origin}/user/ada/files`, { method: "PUT", body: sent });
    const got = Buffer.from(await answer.arrayBuffer());
    const sum = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
    assert.equal(sum(got), sum(sent));
  });

  test("a client that does not read stops the server's writing, and gets all when it does", async (t) => {
    const piece = Buffer.alloc(64 * 1024, "x");
    const total = 1024;
    let written = 0;
    const { port } = await adaServer(t, (_request, response) => {
      const more = () => {
        while (written < total) {
          written++;
          if (!response.write(piece)) return response.once("drain", more);
        }
        response.end();
      };
      more();
    });
    const { socket, ended, got } = await rawClient(t, port);
    let received = 0;
    socket.removeAllListeners("data");
    socket.on("data", (bytes) => {
      received += bytes.length;
    });
    socket.pause();
    socket.write(`GET /user/ada/ HTTP/1.0\r\nHost: a\r\n\r\n`);
    // Stopped: it wrote what kernel and pipe buffers take, and no more for many turns.
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
    socket.resume();
    await ended;
    assert.ok(received > total * piece.length);
    assert.equal(got().length, 0);
  });

  test("HEAD keeps the length and has no body; the connection goes on", async (t) => {
    const { port } = await adaServer(t, (request, response) => {
      response.writeHead(200, { "Content-Length": 1234 });
      response.end(request.method === "HEAD" ? undefined : Buffer.alloc(1234));
    });
    const answer = await rawExchange(
      port,
      `HEAD /user/ada/ HTTP/1.1\r\nHost: a\r\n\r\nHEAD /user/ada/2 HTTP/1.1\r\nHost: a\r\n${END}`,
    );
    assert.equal(answer.match(/Content-Length: 1234/g)?.length, 2);
    assert.match(answer, /\r\n\r\n$/);
  });

  test("status line, repeated header lines and empty answers as the server gave them", async (t) => {
    const { port } = await adaServer(t, (_request, response) => {
      response.writeHead(304, "Nothing New", ["ETag", '"x"', "Set-Cookie", "a=1", "Set-Cookie", "b=2"]);
      response.end();
    });
    const answer = await rawExchange(port, `GET /user/ada/ HTTP/1.1\r\nHost: a\r\n${END}`);
    assert.match(answer, /^HTTP\/1\.1 304 Nothing New\r\n/);
    assert.match(answer, /Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n/);
  });

  test("server-sent events pass piece by piece, the head before the first", async (t) => {
    let send: (text: string) => void = () => {};
    const { port } = await adaServer(t, (_request, response) => {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.flushHeaders();
      send = (text) => response.write(text);
    });
    const client = await rawClient(t, port);
    client.socket.write(`GET /user/ada/events HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.until("text/event-stream");
    send("data: one\n\n");
    await client.until("data: one");
    send("data: two\n\n");
    await client.until("data: two");
  });

  test("100-continue is the server's to say: refused uploads are not sent", async (t) => {
    const bodies: string[] = [];
    const hub = await startProxy(t);
    const backend = await httpBackend(t, () => {});
    backend.server.on("checkContinue", (request, response) => {
      if (request.url?.endsWith("refused")) {
        response.writeHead(413);
        response.end();
        return;
      }
      response.writeContinue();
      void bodyOf(request).then((body) => {
        bodies.push(body.toString());
        response.end("taken");
      });
    });
    await hub.ledger.insert(serverDoc("ada", backend.url));
    const expecting = (path: string) =>
      `PUT /user/ada/${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n`;

    const taken = await rawClient(t, hub.port);
    taken.socket.write(expecting("taken"));
    await taken.until("100 Continue");
    taken.socket.write("hello");
    await taken.until("taken");
    assert.deepEqual(bodies, ["hello"]);

    const refused = await rawClient(t, hub.port);
    refused.socket.write(expecting("refused"));
    const answer = await refused.until("413");
    assert.doesNotMatch(answer, /100 Continue/);
    await refused.ended;
  });

  test("early hints pass, an unknown 1xx is dropped", async (t) => {
    const hub = await startProxy(t);
    const backend = await tcpBackend(t, (socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n");
        socket.write("HTTP/1.1 199 Odd\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      });
    });
    await hub.ledger.insert(serverDoc("ada", backend.url));
    const answer = await rawExchange(hub.port, `GET /user/ada/ HTTP/1.1\r\nHost: a\r\n${END}`);
    assert.match(
      answer,
      /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/a\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 OK/i,
    );
  });

  test("a path in the target stands in front", async (t) => {
    const hub = await startProxy(t);
    const backend = await httpBackend(t, mirror);
    await hub.ledger.insert(serverDoc("ada", `${backend.url}/deep/`));
    const answer = await rawExchange(hub.port, `GET /user/ada/x%2Fy?z HTTP/1.1\r\nHost: a\r\n${END}`);
    assert.equal(seenIn(answer).url, "/deep/user/ada/x%2Fy?z");
  });
});

suite("when one side goes", () => {
  for (const headers of [{ "Content-Length": 100 }, {}])
    test(`the server dies in its answer: the client sees it cut, not complete (${JSON.stringify(headers)})`, async (t) => {
      let die = () => {};
      const { port } = await adaServer(t, (_request, response) => {
        response.writeHead(200, headers);
        response.write("half");
        die = () => response.destroy();
      });
      const client = await rawClient(t, port);
      client.socket.write("GET /user/ada/ HTTP/1.1\r\nHost: a\r\n\r\n");
      await client.until("half");
      die();
      await client.ended;
      assert.doesNotMatch(client.got().toString(), /\r\n0\r\n/);
    });

  test("the client goes while the server works: the server's side ends", async (t) => {
    const gone = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const { port } = await adaServer(t, (_request, response) => {
      response.on("close", () => gone.resolve());
      asked.resolve();
    });
    const client = await rawClient(t, port);
    client.socket.write("GET /user/ada/ HTTP/1.1\r\nHost: a\r\n\r\n");
    await asked.promise;
    client.socket.destroy();
    await gone.promise;
  });

  test("the client goes in its upload: the server's side ends", async (t) => {
    const gone = Promise.withResolvers<void>();
    const some = Promise.withResolvers<void>();
    const { port } = await adaServer(t, (request) => {
      request.on("data", () => some.resolve());
      request.on("close", () => gone.resolve());
      request.on("error", () => {});
    });
    const client = await rawClient(t, port);
    client.socket.write("PUT /user/ada/ HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc");
    await some.promise;
    client.socket.destroy();
    await gone.promise;
  });

  test("the server answers before the upload is done: the answer arrives", async (t) => {
    const { port } = await adaServer(t, (_request, response) => {
      response.writeHead(413, { Connection: "close" });
      response.end("too large");
    });
    const client = await rawClient(t, port);
    client.socket.write(
      `PUT /user/ada/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n${"x".repeat(70_000)}`,
    );
    assert.match(await client.until("too large"), /^HTTP\/1\.1 413/);
  });

  test("a kept connection that the server had closed: reads are sent once more, writes are told", async (t) => {
    // Given a server that answers once per connection, says keep-alive, and closes at the next request.
    let requests = 0;
    const hub = await startProxy(t);
    const backend = await tcpBackend(t, (socket) => {
      let isFirst = true;
      socket.on("data", (bytes) => {
        requests++;
        if (!isFirst) return socket.destroy();
        isFirst = false;
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n${bytes.toString().slice(0, 3)}`);
      });
    });
    await hub.ledger.insert(serverDoc("ada", backend.url));
    const ask = (init: RequestInit = {}) => fetch(`${hub.origin}/user/ada/`, init);
    assert.equal(await (await ask()).text(), "GET");
    assert.equal(await (await ask()).text(), "GET");
    assert.equal(requests, 3);
    for (const [init, status] of [
      [{ method: "POST", body: "x" }, 503],
      [{ method: "PUT", body: "x" }, 503],
      [{ method: "POST" }, 503],
      [{ method: "DELETE" }, 200],
    ] as const) {
      assert.equal((await ask()).status, 200, "a kept connection");
      assert.equal((await ask(init)).status, status, JSON.stringify(init));
    }
  });

  test("connections to a server are used again", async (t) => {
    const { origin, backend } = await adaServer(t, (_request, response) => response.end("ok"));
    let connections = 0;
    backend.server.on("connection", () => connections++);
    for (let i = 0; i < 5; i++) await (await fetch(`${origin}/user/ada/`)).text();
    assert.equal(connections, 1);
  });

  for (const [accept, type] of [
    ["text/html,*/*", /^text\/html/],
    ["application/json", /^application\/json/],
  ] as const)
    test(`nobody listens at the address: 503 as ${accept}`, async (t) => {
      const hub = await startProxy(t);
      const backend = await tcpBackend(t, () => {});
      await hub.ledger.insert(serverDoc("ada", backend.url));
      backend.server.close();
      const answer = await fetch(`${hub.origin}/user/ada/lab`, { headers: { accept } });
      assert.equal(answer.status, 503);
      assert.match(answer.headers.get("content-type") ?? "", type);
      assert.ok(answer.headers.get("retry-after"));
      const text = await answer.text();
      assert.match(text, /PROXY_UPSTREAM_FAILED/);
      assert.match(text, /does not answer/);
    });

  test("the server talks no HTTP: 503, and the door stands", async (t) => {
    const hub = await startProxy(t);
    const backend = await tcpBackend(t, (socket) =>
      socket.once("data", () => socket.end("SSH-2.0-nope\r\n")),
    );
    await hub.ledger.insert(serverDoc("ada", backend.url));
    assert.equal((await fetch(`${hub.origin}/user/ada/api/x`)).status, 503);
    assert.equal((await fetch(`${hub.origin}/_chp_healthz`)).status, 200);
  });
});
