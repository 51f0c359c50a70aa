import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { collectorMissing, startCollector } from "../../fixtures/collector.ts";
import { type Shape, shapeMissing, shapes, startHub, type TestHub } from "../../fixtures/hub.ts";
import { listingModules, loadedModules } from "../../fixtures/loaded-modules.ts";
import { orderStart, startTrace, treeOf } from "../../fixtures/trace.ts";
import type { Cell, Part } from "./cell.ts";

const SERVICES = "auth proxy spawn web";
const RUNS = 5;

/** One start in this shape, as a real collector got it: the tree is printed, its promises are cells. */
async function oneStart(shape: Shape, say: (line?: string) => void): Promise<Cell[]> {
  const row = `one start (${shape})`;
  const missing = (await collectorMissing()) || (await shapeMissing(shape));
  if (missing) return [{ row, column: "traced", ok: false, evidence: missing }];
  const collector = await startCollector();
  let hub: TestHub | undefined;
  try {
    hub = await startHub({ shape, config: { telemetry: { endpoint: collector.endpoint } } });
    const answer = await orderStart(hub, await hub.token("root-admin"), "ada");
    const trace = await startTrace(collector);
    say(`\n${row}: POST /hub/api/users/ada/server answered ${answer.status}, trace ${trace.id}`);
    for (const line of treeOf(trace)) say(`  ${line}`);
    const [root] = trace.roots;
    const of = `${trace.spans.length} spans`;
    return [
      {
        row,
        column: "single root",
        ok: trace.roots.length === 1 && root?.service === "proxy",
        evidence: `${trace.roots.length} of ${of}: ${root?.service} ${root?.name}`,
      },
      {
        row,
        column: "service names",
        ok: trace.services.join(" ") === SERVICES,
        evidence: trace.services.join(", "),
      },
      {
        row,
        column: "orphans",
        ok: trace.orphans.length === 0,
        evidence: `${trace.orphans.length} of ${of}`,
      },
    ];
  } finally {
    await hub?.close();
    await collector.close();
  }
}

interface Start {
  /** From the start of the process until the door is open, as the hub itself tells. */
  readonly ms: number;
  readonly memoryMb: number;
}

async function startOnce(endpoint: string): Promise<Start> {
  const hub = await startHub({ shape: "alone", config: { telemetry: { endpoint } } });
  try {
    const pid = hub.pids().elara ?? 0;
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const headers = { authorization: `token ${await hub.token("root-admin")}` };
    const metrics = await (await fetch(`${hub.url}/hub/metrics`, { headers })).text();
    const seconds = /^jupyterhub_hub_startup_duration_seconds_sum (\S+)$/m.exec(metrics)?.[1];
    if (seconds === undefined) throw new Error("the hub does not tell how long its start took");
    return { ms: Number(seconds) * 1000, memoryMb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024 };
  } finally {
    await hub.close();
  }
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Starts with telemetry off and on in turn; the first pair, which fills caches, does not count. */
async function costAtStart(say: (line?: string) => void): Promise<Cell[]> {
  const collector = await startCollector();
  const [off, on]: [Start[], Start[]] = [[], []];
  try {
    for (let run = 0; run <= RUNS; run++) {
      const pair = [await startOnce(""), await startOnce(collector.endpoint)] as const;
      if (run === 0) continue;
      off.push(pair[0]);
      on.push(pair[1]);
    }
  } finally {
    await collector.close();
  }
  // The quickest of each: what else the machine does only ever adds.
  const figures = (starts: readonly Start[]) => ({
    ms: Math.min(...starts.map(({ ms }) => ms)),
    memoryMb: median(starts.map(({ memoryMb }) => memoryMb)),
  });
  const [without, with_] = [figures(off), figures(on)];
  const told = ({ ms, memoryMb }: Start) => `${ms.toFixed(0)} ms, ${memoryMb.toFixed(0)} MB`;
  say(
    `\nstarts, off: ${off.map(({ ms }) => ms.toFixed(0)).join(" ")} ms; on: ${on.map(({ ms }) => ms.toFixed(0)).join(" ")} ms`,
  );
  const row = "start, all in one process";
  const modules = { off: await modulesOf(""), on: await modulesOf("http://127.0.0.1:9") };
  return [
    {
      row,
      column: "telemetry off",
      ok: modules.off === 0,
      evidence: `${told(without)} (quickest of ${RUNS}); modules of OpenTelemetry loaded: ${modules.off}, when on: ${modules.on}`,
    },
    // A figure to read: how fast a shared machine is says nothing of the hub.
    {
      row,
      column: "telemetry on",
      ok: modules.on > 0,
      evidence: `${told(with_)}: ${(with_.ms - without.ms).toFixed(0)} ms and ${(with_.memoryMb - without.memoryMb).toFixed(0)} MB more`,
    },
  ];
}

/** How many modules of OpenTelemetry a hub has loaded when it ends. */
async function modulesOf(endpoint: string): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "elara-modules-"));
  try {
    const hub = await startHub({
      shape: "alone",
      config: { telemetry: { endpoint } },
      env: listingModules(folder),
    });
    await hub.close();
    return loadedModules(folder).filter((url) => url.includes("/node_modules/@opentelemetry/")).length;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One start is one trace, in both shapes; and what telemetry costs when the hub starts. */
export const trace: Part = async (say) => {
  const cells: Cell[] = [];
  for (const shape of shapes) cells.push(...(await oneStart(shape, say)));
  const missing = await collectorMissing();
  if (!missing) cells.push(...(await costAtStart(say)));
  return cells;
};
