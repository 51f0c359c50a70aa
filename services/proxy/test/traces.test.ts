import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { installTracing, type SpanOptions, trustIncoming } from "@elara/runtime/telemetry/tracer";
import { startProxy } from "./fixture/hub.ts";

const theirs = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const ours = "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01";
const headers = { traceparent: theirs, tracestate: "a=b", baggage: "user=ada" };

/** What the service behind was sent about traces. */
async function seenBehind(origin: string, path = "/hub/api/user"): Promise<Record<string, unknown>> {
  const answer = (await (await fetch(origin + path, { headers })).json()) as {
    headers: Record<string, unknown>;
  };
  const { traceparent, tracestate, baggage } = answer.headers;
  return { traceparent, tracestate, baggage };
}

/** Keeps the options of the spans that begin. */
function record(): SpanOptions[] {
  const begun: SpanOptions[] = [];
  installTracing({
    start(_service, _name, options) {
      begun.push(options);
      return { traceparent: ours, set() {}, fail() {}, end() {} };
    },
    run: (_span, work) => work(),
    within: (_traceparent, work) => work(),
    current: () => "",
  });
  return begun;
}

suite("what a client says of traces", () => {
  test("never reaches a service", async (t) => {
    const { origin } = await startProxy(t);
    const nothing = { traceparent: undefined, tracestate: undefined, baggage: undefined };
    assert.deepEqual(await seenBehind(origin), nothing);
  });

  test("is linked to, and joined only where that is configured", async (t) => {
    const { origin } = await startProxy(t);
    t.after(() => {
      installTracing(undefined);
      trustIncoming(false);
    });
    const begun = record();
    await seenBehind(origin);
    trustIncoming(true);
    await seenBehind(origin);
    assert.deepEqual(
      begun.map(({ parent, link }) => ({ parent, link })),
      [
        { parent: "", link: theirs },
        { parent: theirs, link: undefined },
      ],
    );
  });

  test("health, metrics and static files begin no trace", async (t) => {
    const { origin } = await startProxy(t);
    t.after(() => installTracing(undefined));
    const begun = record();
    for (const path of ["/hub/health", "/hub/metrics", "/hub/static/hub.css?v=1"])
      await seenBehind(origin, path);
    assert.deepEqual(begun, []);
  });
});
