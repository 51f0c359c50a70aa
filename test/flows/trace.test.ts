import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { collectorMissing, startCollector } from "../fixtures/collector.ts";
import { PASSWORD, shapeMissing, shapes, startHub } from "../fixtures/hub.ts";
import { logInByForm } from "../fixtures/login.ts";
import { serversOf } from "../fixtures/processes.ts";
import { orderStart, startTrace, treeOf } from "../fixtures/trace.ts";
import { until } from "../fixtures/until.ts";

const OUTSIDE = { trace: "0af7651916cd43dd8448eb211c80319c", span: "b7ad6b7169203331" };
const traceparent = `00-${OUTSIDE.trace}-${OUTSIDE.span}-01`;

for (const shape of shapes) {
  describe(`telemetry (${shape})`, {
    skip: (await collectorMissing()) || (await shapeMissing(shape)),
  }, () => {
    test("one start is one trace, and nothing secret is in it", { timeout: 300_000 }, async (t) => {
      const collector = await startCollector();
      t.after(() => collector.close());
      const hub = await startHub({ shape, config: { telemetry: { endpoint: collector.endpoint } } });
      t.after(() => hub.close());
      const token = await hub.token("root-admin");
      const check = await hub.elara("check", "--config", `${hub.dataDir}/elara.config.ts`);
      assert.match(check.stdout, /ok +telemetry: .*\/v1\/traces, 100 %/);
      await hub.api(token, `/users?name_filter=known-secret-of-a-query&token=${token}`);

      const answer = await orderStart(hub, token, "ada", { traceparent });
      assert.ok(answer.ok, `the start answered ${answer.status}`);
      const trace = await startTrace(collector);
      t.diagnostic(`\n${treeOf(trace).join("\n")}`);

      assert.deepEqual(trace.services, ["auth", "proxy", "spawn", "web"]);
      assert.deepEqual(trace.orphans, []);
      const [root, ...more] = trace.roots;
      assert.deepEqual(more, [], "one root");
      assert.equal(root?.service, "proxy");
      assert.equal(root.attributes["http.response.status_code"], answer.status);
      const names = trace.spans.map(({ service, name }) => `${service}: ${name}`);
      for (const name of [
        ...["web: spawn.start", "spawn: spawn.start", "spawn: auth.grant_server", "auth: auth.grant_server"],
        ...["spawn: server.submit", "spawn: server.boot", "spawn: server.probe"],
        "spawn: server.ready",
      ])
        assert.ok(names.includes(name), `${name} is in the trace`);
      assert.ok(
        trace.spans.every(({ endNs, startNs }) => endNs >= startNs),
        "spans end after they begin",
      );
      const order = trace.spans.find(({ service, name }) => service === "web" && name === "spawn.start");
      const submit = trace.spans.find(({ name }) => name === "server.submit");
      assert.equal(
        submit?.parentId,
        order?.spanId,
        "a step hangs on no span of the process that may be killed",
      );
      const grant = trace.spans.find(
        ({ service, name }) => service === "auth" && name === "auth.grant_server",
      );
      assert.equal(grant?.parentId, order?.spanId, "nor does what it orders");
      assert.ok(hub.log().includes(trace.id), "the log tells the trace its lines belong to");
      assert.notEqual(trace.id, OUTSIDE.trace, "a client does not choose the trace");
      assert.deepEqual(
        root.links.map(({ traceId, spanId }) => [traceId, spanId]),
        [[OUTSIDE.trace, OUTSIDE.span]],
      );

      const serverToken = serversOf(hub.internalUrl)[0]?.environment.JUPYTERHUB_API_TOKEN;
      assert.ok(serverToken, "the server has a token");
      const stopped = await hub.api(token, "/users/ada/server", { method: "DELETE" });
      assert.ok(stopped.ok);
      await until("the stop to be traced", () =>
        collector.spans().some(({ service, name }) => service === "auth" && name === "auth.revoke_server"),
      );

      const cookie = await logInByForm(hub.url, "bob");
      const xsrf = /(?:^|; )_xsrf=([^;]*)/.exec(cookie)?.[1] ?? "";
      const sent = await fetch(`${hub.url}/hub/spawn`, {
        method: "POST",
        redirect: "manual",
        headers: { cookie, origin: hub.url, "sec-fetch-site": "same-origin" },
        body: new URLSearchParams({ _xsrf: xsrf }),
      });
      assert.equal(sent.status, 303, "the form is taken");
      const byForm = await startTrace(collector, "/spawn");
      t.diagnostic(`\n${treeOf(byForm).join("\n")}`);
      assert.deepEqual(byForm.services, ["auth", "proxy", "spawn", "web"]);
      assert.deepEqual(
        [byForm.roots.length, byForm.orphans.length],
        [1, 0],
        "a start by the form is one trace too",
      );

      const told = collector.text();
      for (const secret of [
        token,
        serverToken,
        PASSWORD,
        cookie,
        xsrf,
        "known-secret-of-a-query",
        "/users/ada",
      ])
        assert.ok(!told.includes(secret), `${secret.slice(0, 8)}… does not leave the hub`);
    });
  });
}

describe("telemetry when spawn is killed", {
  skip: (await collectorMissing()) || (await shapeMissing("apart")),
}, () => {
  test("who drives a start on joins its trace", { timeout: 240_000 }, async (t) => {
    const collector = await startCollector();
    t.after(() => collector.close());
    const hub = await startHub({ shape: "apart", config: { telemetry: { endpoint: collector.endpoint } } });
    t.after(() => hub.close());
    const token = await hub.token("root-admin");

    const answer = orderStart(hub, token, "ada");
    await until("the start to be pending", async () => {
      const user = (await (await hub.api(token, "/users/ada")).json()) as { servers?: object };
      return JSON.stringify(user.servers ?? {}).includes('"pending":"spawn"');
    });
    const back = await hub.crashSpawn();
    await back();
    await answer;
    const trace = await startTrace(collector);
    t.diagnostic(`\n${treeOf(trace).join("\n")}`);
    assert.equal(trace.roots.length, 1);
    assert.deepEqual(trace.orphans, []);
    const ready = trace.spans.find(({ name }) => name === "server.ready");
    assert.ok(ready, "it became ready");
  });
});
