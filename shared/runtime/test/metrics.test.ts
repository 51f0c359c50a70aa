import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { memoryBus, memoryNetwork } from "../src/bus/memory.ts";
import { answerScrapes, askOthers } from "../src/metrics/exchange.ts";
import { exposition } from "../src/metrics/exposition.ts";
import { counted, observe } from "../src/metrics/meter.ts";
import { eventually } from "./fixtures/eventually.ts";
import { keptLog, silentLog as log } from "./fixtures/log.ts";

const gauges = { users: 3, running: 1, active: { "24h": Number.NaN } };

describe("what is counted", () => {
  test("counts also what was seen before the first scrape, of each metric at most a thousand", async () => {
    for (let each = 0; each < 1500; each++) observe("csp_reports", 1);
    observe("logout_duration_seconds", 0.2);
    const before = (await exposition(new Map([["p", await counted()]]), gauges, true)).text;
    assert.match(before, /^jupyterhub_csp_reports_total 1000$/m);
    assert.match(before, /^jupyterhub_logout_duration_seconds_count 1$/m);
    observe("csp_reports", 1);
    const after = (await exposition(new Map([["p", await counted()]]), gauges, true)).text;
    assert.match(after, /^jupyterhub_csp_reports_total 1001$/m);
    assert.match(after, /^jupyterhub_total_users 3$/m);
    assert.match(after, /^jupyterhub_active_users\{period="24h"\} Nan$/im);
  });

  test("several processes stand side by side under their names; the hub's own figures once", async () => {
    const own = await counted();
    const by = new Map([
      ["web-1", own],
      ["web-2", own],
    ]);
    const { text } = await exposition(by, gauges, false);
    assert.equal(text.match(/^jupyterhub_csp_reports_total\{process="web-[12]"\} 1001$/gm)?.length, 2);
    assert.equal(text.match(/^jupyterhub_total_users/gm)?.length, 1);
  });
});

describe("asking the other processes", () => {
  test("one that hangs is told as it was the last time, one that is dead no more", async (t) => {
    const network = memoryNetwork();
    const [web, spawn, auth] = [0, 1, 2].map(() => memoryBus({ log, network }));
    assert.ok(web && spawn && auth);
    t.after(() => Promise.all([web, spawn, auth].map((bus) => bus.close())));
    const others = askOthers(web);
    answerScrapes(spawn, ["s1"], log);
    const answering = answerScrapes(auth, ["a1", "c1"], log);
    const names = async (living: string[]) =>
      (await others.ask(living)).map(({ instances }) => instances.join("+")).sort();

    assert.deepEqual(await names(["s1", "a1", "c1"]), ["a1+c1", "s1"]);
    await answering.close();
    assert.deepEqual(await names(["s1", "a1", "c1"]), ["a1+c1", "s1"], "as of its last answer");
    assert.deepEqual(await names(["s1"]), ["s1"]);
  });

  test("one that has counted more than a message holds says so in its log", async (t) => {
    const bus = memoryBus({ log });
    t.after(() => bus.close());
    const kept = keptLog();
    // Noise: nothing of it can be packed.
    for (let each = 0; each < 12_000; each++)
      observe("request_duration_seconds", each, {
        method: randomUUID(),
        handler: randomUUID(),
        code: randomUUID(),
      });
    const answering = answerScrapes(bus, ["s1"], kept.log);
    t.after(() => answering.close());
    const others = askOthers(bus);
    assert.deepEqual(await others.ask(["s1"]), []);
    await eventually(
      () => kept.lines.some(({ msg }) => msg === "metrics not told, they do not fit into a message"),
      "the line",
    );
  });
});
