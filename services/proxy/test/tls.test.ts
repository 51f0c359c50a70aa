import assert from "node:assert/strict";
import { chmodSync, renameSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import tls from "node:tls";
import { proofFor } from "@elara/runtime/http/hub-proof";
import { keysFrom } from "@elara/runtime/keys";
import { readCertificate } from "../src/index.ts";
import { httpBackend } from "./fixture/backend.ts";
import { certificate, type Pair, pairFiles, pairFor } from "./fixture/certificate.ts";
import { freePort, serverDoc, startProxy, until } from "./fixture/hub.ts";

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

const get = (url: string, options: https.RequestOptions = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    (url.startsWith("https:") ? https : http)
      .get(url, { ca: certificate, agent: false, ...options }, (answer) => {
        let body = "";
        answer.on("data", (piece) => {
          body += piece;
        });
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }));
      })
      .on("error", reject);
  });

suite("a public listener with a certificate", () => {
  test("speaks TLS, also on a public address; servers and services learn of it", async (t) => {
    const { origin, port, ledger } = await startProxy(t, { tls: pairFiles(t), host: "0.0.0.0" });
    assert.match(origin, /^https:/);
    const backend = await httpBackend(t, (request, response) =>
      response.end(JSON.stringify(request.headers)),
    );
    await ledger.insert(serverDoc("ada", backend.url));
    const headers = { Host: "localhost" };
    const server = JSON.parse((await get(`https://127.0.0.1:${port}/user/ada/`, { headers })).body);
    assert.equal(server["x-forwarded-proto"], "https");
    assert.equal(server["x-forwarded-port"], "443");
    const web = JSON.parse((await get(`https://127.0.0.1:${port}/hub/home`)).body).headers;
    assert.equal(web["x-forwarded-proto"], "https");
  });

  test("carries WebSockets", async (t) => {
    const { port, ledger } = await startProxy(t, { tls: pairFiles(t) });
    const client = await openSocket(t, port, ledger);
    client.write("from client");
    assert.match(await told(client, "from client"), /^HTTP\/1\.1 101 /);
  });

  test("the hub's pages say that it is reached over TLS only, users' servers are left alone", async (t) => {
    const { port, ledger } = await startProxy(t, { tls: pairFiles(t), publicUrl: "https://localhost" });
    const backend = await httpBackend(t, (_request, response) => response.end("x"));
    await ledger.insert(serverDoc("ada", backend.url));
    const of = async (path: string) =>
      (await get(`https://127.0.0.1:${port}${path}`)).headers["strict-transport-security"];
    assert.equal(await of("/hub/login"), "max-age=600");
    assert.equal(await of("/user/ada/"), undefined);
    const unnamed = await startProxy(t, { tls: pairFiles(t) });
    const answer = await get(`https://127.0.0.1:${unnamed.port}/hub/login`);
    assert.equal(
      answer.headers["strict-transport-security"],
      undefined,
      "nobody said that the name is https",
    );
  });

  test("every door proves to a question whose it is, on one path only", async (t) => {
    const redirectPort = await freePort();
    const { origin, internal } = await startProxy(t, { tls: pairFiles(t), redirectPort });
    const key = keysFrom({ cookieSecret: Buffer.alloc(32, 1), cryptKey: Buffer.alloc(32, 2) }).derive("door");
    const question = "0123456789abcdef".repeat(2);
    const proofOf = async (url: string, asked: string) =>
      (await get(url, { headers: { "x-elara-question": asked } })).headers["x-elara-proof"];
    for (const door of [origin, internal, `http://127.0.0.1:${redirectPort}`]) {
      assert.equal(await proofOf(`${door}/_chp_healthz`, question), proofFor(key, question), door);
      assert.equal(await proofOf(`${door}/hub/home`, question), undefined);
      assert.equal(await proofOf(`${door}/_chp_healthz`, "of another form"), undefined);
    }
  });

  test("a second port sends everybody to the first, with path and method", async (t) => {
    const redirectPort = await freePort();
    const { port } = await startProxy(t, { tls: pairFiles(t), redirectPort });
    const { status, headers } = await get(`http://127.0.0.1:${redirectPort}/hub/login?next=%2Fa`, {
      headers: { Host: `hub.example.org:${redirectPort}` },
    });
    assert.deepEqual(
      [status, headers.location],
      [308, `https://hub.example.org:${port}/hub/login?next=%2Fa`],
    );
    const odd = await get(`http://127.0.0.1:${redirectPort}/`, { headers: { Host: "a@evil.example/x" } });
    assert.deepEqual([odd.status, odd.headers.location], [400, undefined]);
    const named = await freePort();
    await startProxy(t, { tls: pairFiles(t), redirectPort: named, publicUrl: "https://localhost" });
    const { headers: to } = await get(`http://127.0.0.1:${named}/x`, { headers: { Host: "elsewhere" } });
    assert.equal(to.location, "https://localhost/x");
  });

  test("a renewed pair is taken up while connections go on; a wrong one is not", async (t) => {
    const files = pairFiles(t);
    const { port, ledger } = await startProxy(t, { tls: files });
    const client = await openSocket(t, port, ledger);
    const subject = (): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = tls.connect({ port, host: "127.0.0.1", rejectUnauthorized: false }, () => {
          resolve(socket.getPeerCertificate().subject?.CN?.toString() ?? "");
          socket.end();
        });
        socket.on("error", reject);
      });
    const put = (file: string, text: string): void => {
      writeFileSync(`${file}.new`, text, { mode: 0o600 });
      renameSync(`${file}.new`, file);
    };
    assert.equal(await subject(), "localhost");
    const next = pairFor(["next.example.org"]);
    // First the key alone: for a moment the two do not fit, and the old pair serves.
    put(files.key, next.key);
    assert.equal(await subject(), "localhost");
    put(files.certificate, next.certificate);
    await until(async () => (await subject()) === "next.example.org", "the new certificate serves");
    put(files.certificate, "nonsense");
    client.write("still here");
    assert.match(await told(client, "still here"), /still here/);
    assert.equal(await subject(), "next.example.org");
  });
});

suite("files of a certificate that cannot work", () => {
  // A certificate made in this very second is not valid a moment ago.
  const now = Date.now() + 60_000;
  const refused = (
    files: { certificate: string; key: string },
    words: RegExp,
    given: { now?: number; publicUrl?: string; code?: string } = {},
  ): void => {
    const code = given.code ?? "CONFIG_TLS_INVALID";
    assert.throws(() => readCertificate(files, { now: given.now ?? now, publicUrl: given.publicUrl ?? "" }), {
      code,
      operator: words,
    });
  };
  const broken = (t: { after(fn: () => void): void }, change: (pair: Pair) => Partial<Pair>) =>
    pairFiles(t, { ...pairFor(["hub.example.org"]), ...change(pairFor(["other.example.org"])) });

  test("not there, or nothing of the kind: field, file and what belongs there", async (t) => {
    const files = pairFiles(t);
    refused(
      { ...files, key: "/nonexistent/key.pem" },
      /^network\.tls\.key: \/nonexistent\/key\.pem is not there\..*elara cert/,
    );
    refused(
      { ...files, certificate: join(files.key, "x") },
      /^network\.tls\.certificate: .* cannot be read \(ENOTDIR\)/,
    );
    refused({ ...files, certificate: files.key }, /^network\.tls\.certificate: .* is no PEM certificate/);
    refused({ ...files, key: files.certificate }, /^network\.tls\.key: .* is no PEM private key/);
    refused(
      pairFiles(t, {
        certificate,
        key: "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
      }),
      /^network\.tls\.key: .* is encrypted\..*openssl pkey/,
    );
  });

  test("no pair; and the start of the hub refuses it too", async (t) => {
    const files = broken(t, ({ key }) => ({ key }));
    refused(files, /^network\.tls\.key: .* is not the key of .* \(hub\.example\.org\)/);
    await assert.rejects(startProxy(t, { tls: files }), { code: "CONFIG_TLS_INVALID" });
  });

  test("out of date, not yet valid, of another host", async (t) => {
    const files = broken(t, () => ({}));
    refused(files, /certificate: .* expired on .*Renew/, { now: now + 366 * 86_400_000 });
    refused(files, /certificate: .* is valid from .*clock/, { now: now - 86_400_000 });
    refused(files, /is for hub\.example\.org, not for lab\.example\.org of hub\.publicUrl/, {
      publicUrl: "https://lab.example.org:8443",
    });
    const own = readCertificate(files, { now, publicUrl: "https://hub.example.org:8443" });
    assert.equal(own.names, "hub.example.org");
  });

  test("a key that everybody can read", (t) => {
    const files = pairFiles(t);
    chmodSync(files.key, 0o644);
    refused(files, /^network\.tls\.key: .* chmod 600/, { code: "CONFIG_SECRET_READABLE" });
    chmodSync(files.key, 0o640);
    assert.equal(readCertificate(files, { now, publicUrl: "" }).names, "localhost, 127.0.0.1");
  });
});

/** A WebSocket that stands, to a server that echoes. */
async function openSocket(
  t: TestContext,
  port: number,
  ledger: Awaited<ReturnType<typeof startProxy>>["ledger"],
): Promise<tls.TLSSocket> {
  const backend = await httpBackend(t, () => {});
  backend.server.on("upgrade", (_request, socket) => {
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello",
    );
    socket.pipe(socket);
  });
  await ledger.insert(serverDoc("ada", backend.url));
  const client = tls.connect({ port, host: "127.0.0.1", ca: certificate });
  t.after(() => client.destroy());
  client.setEncoding("latin1");
  client.write("GET /user/ada/ HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  return client;
}

/** What came, up to these words. */
const told = (client: tls.TLSSocket, words: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let got = "";
    const take = (piece: string) => {
      got += piece;
      if (!got.includes(words)) return;
      client.off("data", take);
      resolve(got);
    };
    client.on("data", take);
    client.once("close", () => reject(new Error(`closed after: ${got}`)));
  });
