import assert from "node:assert/strict";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { describe, type TestContext, test } from "node:test";
import { pino } from "pino";
import { openTelemetry } from "../../src/telemetry/open-telemetry.ts";

/** A receiver that keeps what it is sent, or refuses it. */
async function receiver(t: TestContext, status = 200) {
  const got: { url: string; headers: IncomingHttpHeaders; body: string }[] = [];
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      got.push({ url: request.url ?? "", headers: request.headers, body: body.toString("latin1") });
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { got, url: `http://127.0.0.1:${port}/v1/traces` };
}

function listeningLog() {
  const lines: string[] = [];
  return { lines, log: pino({ level: "warn" }, { write: (line: string) => void lines.push(line) }) };
}

describe("OpenTelemetry", () => {
  test("sends spans with the headers given, each service under its own name", async (t) => {
    const { got, url } = await receiver(t);
    const { log } = listeningLog();
    process.env.OTEL_EXPORTER_OTLP_HEADERS = "x-tenant=physics,authorization=Bearer%20of%20the%20environment";
    t.after(() => delete process.env.OTEL_EXPORTER_OTLP_HEADERS);
    const telemetry = openTelemetry({ url, headers: { authorization: "Bearer x" }, sampleRatio: 1, log });
    telemetry.name("web", "instance-of-web");
    const span = telemetry.start("web", "work", {});
    telemetry.run(span, () => telemetry.start("spawn", "part of it", {}).end());
    span.end();
    await telemetry.close();
    assert.equal(got.length, 1);
    assert.equal(got[0]?.url, "/v1/traces");
    assert.equal(got[0]?.headers.authorization, "Bearer x", "the configuration comes first");
    assert.equal(got[0]?.headers["x-tenant"], "physics");
    assert.equal(got[0]?.headers["content-type"], "application/x-protobuf");
    for (const word of ["service.name", "web", "spawn", "instance-of-web", "part of it"])
      assert.ok(got[0]?.body.includes(word), word);
  });

  test("joins the trace it is given, and keeps a trace or drops it as its beginner did", async (t) => {
    const { got, url } = await receiver(t);
    const { log } = listeningLog();
    const telemetry = openTelemetry({ url, headers: {}, sampleRatio: 0, log });
    const trace = "0af7651916cd43dd8448eb211c80319c";
    const kept = telemetry.start("web", "kept", { parent: `00-${trace}-b7ad6b7169203331-01` });
    const dropped = telemetry.start("web", "dropped", { parent: `00-${trace}-b7ad6b7169203331-00` });
    const own = telemetry.start("web", "own root", { parent: "" });
    assert.equal(kept.traceparent.slice(3, 35), trace);
    assert.match(kept.traceparent, /-01$/);
    assert.equal(dropped.traceparent.slice(3, 35), trace);
    assert.match(dropped.traceparent, /-00$/, "who is asked next is told not to keep it either");
    assert.notEqual(own.traceparent.slice(3, 35), trace);
    telemetry.within("no traceparent at all", () => assert.equal(telemetry.current(), ""));
    for (const span of [kept, dropped, own]) span.end();
    await telemetry.close();
    const told = got.map(({ body }) => body).join("");
    assert.ok(told.includes("kept"));
    assert.ok(!told.includes("dropped") && !told.includes("own root"));
  });

  test("says once that the receiver refuses, without what it was sent", async (t) => {
    const { url } = await receiver(t, 401);
    const { lines, log } = listeningLog();
    const telemetry = openTelemetry({ url, headers: { authorization: "Bearer y" }, sampleRatio: 1, log });
    telemetry.start("web", "first", {}).end();
    await telemetry.close();
    assert.equal(lines.length, 1, lines.join(""));
    assert.match(lines[0] ?? "", /telemetry not sent/);
    assert.ok(!lines.join("").includes("Bearer y"));
  });
});
