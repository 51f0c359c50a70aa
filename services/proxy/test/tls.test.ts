import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import tls from "node:tls";
import { httpBackend } from "./fixture/backend.ts";
import { certificate, certificateKey } from "./fixture/certificate.ts";
import { serverDoc, startProxy } from "./fixture/hub.ts";

function files(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "elara-tls-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const paths = { certificate: join(folder, "cert.pem"), certificateKey: join(folder, "key.pem") };
  writeFileSync(paths.certificate, certificate);
  writeFileSync(paths.certificateKey, certificateKey);
  return paths;
}

const get = (url: string, headers: Record<string, string> = {}): Promise<string> =>
  new Promise((resolve, reject) => {
    https
      .get(url, { ca: certificate, headers }, (answer) => {
        let body = "";
        answer.on("data", (piece) => {
          body += piece;
        });
        answer.on("end", () => resolve(body));
      })
      .on("error", reject);
  });

suite("a public listener with a certificate", () => {
  test("speaks TLS, also on a public address; servers and services learn of it", async (t) => {
    const { origin, port, ledger } = await startProxy(t, { ...files(t), host: "0.0.0.0" });
    assert.match(origin, /^https:/);
    const backend = await httpBackend(t, (request, response) =>
      response.end(JSON.stringify(request.headers)),
    );
    await ledger.insert(serverDoc("ada", backend.url));
    const server = JSON.parse(await get(`https://127.0.0.1:${port}/user/ada/`, { Host: "localhost" }));
    assert.equal(server["x-forwarded-proto"], "https");
    assert.equal(server["x-forwarded-port"], "443");
    const web = JSON.parse(await get(`https://127.0.0.1:${port}/hub/home`)).headers;
    assert.equal(web["x-forwarded-proto"], "https");
  });

  test("carries WebSockets", async (t) => {
    const { port, ledger } = await startProxy(t, files(t));
    const backend = await httpBackend(t, () => {});
    backend.server.on("upgrade", (_request, socket) => {
      socket.write(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfrom server",
      );
      socket.pipe(socket);
    });
    await ledger.insert(serverDoc("ada", backend.url));
    const client = tls.connect({ port, host: "127.0.0.1", ca: certificate });
    t.after(() => client.destroy());
    client.setEncoding("latin1");
    client.write(
      "GET /user/ada/ HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfrom client",
    );
    let got = "";
    for await (const piece of client) {
      got += piece;
      if (got.includes("from server") && got.includes("from client")) break;
    }
    assert.match(got, /^HTTP\/1\.1 101 /);
  });

  test("a file that is not there is told with its name", async (t) => {
    const paths = { ...files(t), certificateKey: "/nonexistent/key.pem" };
    await assert.rejects(startProxy(t, paths), {
      code: "CONFIG_INVALID",
      operator: /\/nonexistent\/key\.pem/,
    });
  });
});
