import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { shapeMissing, shapes, startHub } from "../fixtures/hub.ts";
import { jupyterBin } from "../fixtures/jupyter.ts";
import { startServer } from "../fixtures/server.ts";

const SCRIPT = fileURLToPath(new URL("metrics.py", import.meta.url));

interface Family {
  readonly type: string;
  readonly labels: readonly string[];
  readonly bounds: readonly (number | string)[];
  readonly samples: readonly [string, Record<string, string>, number][];
}

/** Both expositions as Python's own parser reads them. */
async function read(exposition: string): Promise<Record<"theirs" | "ours", Record<string, Family>>> {
  const child = spawn(join(await jupyterBin(), "python"), [SCRIPT], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(exposition);
  const told = await text(child.stdout);
  // Python's words for what JSON has none for.
  return JSON.parse(told.replaceAll(/\bInfinity\b/g, '"Infinity"').replaceAll(/\bNaN\b/g, "null"));
}

const sum = (family: Family | undefined, suffix: string, labels: Record<string, string> = {}): number =>
  (family?.samples ?? [])
    .filter(([name]) => name.endsWith(suffix))
    .filter(([, have]) => Object.entries(labels).every(([key, value]) => have[key] === value))
    .reduce((all, [, , value]) => all + Number(value), 0);

for (const shape of shapes) {
  describe(`metrics (${shape})`, { skip: await shapeMissing(shape) }, () => {
    test("have JupyterHub's names, labels and buckets, and count each thing once", {
      timeout: 180_000,
    }, async (t) => {
      const hub = await startHub({ shape });
      t.after(() => hub.close());
      const token = await hub.token("root-admin");
      const scrape = (as: string, path = "/hub/metrics") =>
        fetch(`${hub.url}${path}`, { headers: { authorization: `token ${as}` } });

      const user = await hub.token("ada");
      assert.equal((await scrape(user)).status, 403, "needs the scope read:metrics");
      assert.equal((await fetch(`${hub.url}/hub/metrics`)).status, 403, "needs a token");

      await startServer(hub, token, "ada");
      const first = await scrape(token);
      assert.match(first.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
      const before = await read(await first.text());
      assert.deepEqual(Object.keys(before.ours).sort(), Object.keys(before.theirs).sort());
      for (const [name, { type, labels, bounds }] of Object.entries(before.theirs)) {
        const ours = before.ours[name];
        assert.equal(ours?.type, type, name);
        if (ours.samples.length === 0) continue;
        const more = shape === "apart" && type !== "gauge" ? ["process"] : [];
        assert.deepEqual(ours.labels, [...labels, ...more].sort(), `labels of ${name}`);
        assert.deepEqual(ours.bounds, bounds, `buckets of ${name}`);
      }
      const spawned = before.ours.jupyterhub_server_spawn_duration_seconds;
      assert.equal(sum(spawned, "_count", { status: "success" }), 1, "one start, counted by one replica");
      assert.equal(sum(before.ours.jupyterhub_running_servers, ""), 1);
      assert.equal(sum(before.ours.jupyterhub_total_users, ""), 2);

      // Whichever replica is asked: the same counts, and none is lost.
      const counts: number[] = [];
      for (let again = 0; again < 4; again++) {
        const { ours } = await read(await (await scrape(token, "/hub/api/metrics")).text());
        counts.push(sum(ours.jupyterhub_server_spawn_duration_seconds, "_count", { status: "success" }));
      }
      assert.deepEqual(counts, [1, 1, 1, 1]);
    });
  });
}
