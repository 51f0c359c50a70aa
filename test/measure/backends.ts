import { parseArgs } from "node:util";
import { SUBMIT_SECONDS, type SubmitRounds, submitRounds } from "../crash/submit-rounds.ts";
import { type BackendName, backendNames, groundsMissing, openGrounds } from "../fixtures/backends/grounds.ts";
import { openStand, type Stand } from "../fixtures/backends/stand.ts";
import { noBrowser } from "../fixtures/browser.ts";
import { type Shape, shapeMissing, shapes } from "../fixtures/hub.ts";
import { told } from "../fixtures/trials/outcome.ts";
import { besideBare } from "./backends/bare.ts";
import { schedulerLoad } from "./backends/scheduler-load.ts";
import { runShape } from "./backends/shape-run.ts";
import { pluginSizes } from "./backends/sizes.ts";
import { openTable } from "./backends/table.ts";

/**
 * `npm run measure:backends`: starts an engine, ssh hosts and a Slurm of its own and tries six backends over two shapes of
 * the hub, unattended. `--only docker,slurm --shape alone --parts table,rounds,bare,load,sizes --rounds 5 --servers 10` for
 * a part. The last line sums up, the exit code tells.
 */
const PARTS = ["table", "rounds", "bare", "load", "sizes"] as const;
type Part = (typeof PARTS)[number];
/** Of the kills this share must fall between submit and save. */
const BETWEEN_SHARE = 10 / 30;
const KILLED: readonly string[] = ["docker", "slurm"];

const { values } = parseArgs({
  options: {
    only: { type: "string", default: backendNames.join(",") },
    shape: { type: "string", default: shapes.join(",") },
    parts: { type: "string", default: PARTS.join(",") },
    rounds: { type: "string", default: "30" },
    servers: { type: "string", default: "50" },
  },
});
const out = (text = ""): void => void process.stdout.write(`${text}\n`);
/** The known of these names, in the order of the known; throws for others. */
function chosen<T extends string>(given: string, known: readonly T[], what: string): T[] {
  const wanted = given.split(",").filter(Boolean);
  const wrong = wanted.find((name) => !known.some((one) => one === name));
  if (wrong !== undefined) throw new Error(`no ${what} ${wrong}; known: ${known.join(", ")}`);
  return known.filter((name) => wanted.includes(name));
}
const names: BackendName[] = chosen(values.only, backendNames, "backend");
const wantedShapes: Shape[] = chosen(values.shape, shapes, "shape");
const parts: Part[] = chosen(values.parts, PARTS, "part");
const rounds = Number(values.rounds);
const seed = Number(process.env.ELARA_SEED ?? Date.now() % 100_000);

const verdicts: { what: string; ok: boolean; figure: string }[] = [];
const judge = (what: string, ok: boolean, figure: string): void => {
  verdicts.push({ what, ok, figure });
  out(`${ok ? "ok  " : "FAIL"}  ${what}: ${figure}`);
};
/** A part that throws falls short and hides no other. */
const attempt = async (what: string, work: () => Promise<void>): Promise<void> => {
  try {
    await work();
  } catch (error) {
    judge(what, false, told(error));
  }
};

for (const missing of [groundsMissing(names), noBrowser(), await shapeMissing("apart")])
  if (missing) throw new Error(`cannot be measured here: ${missing}`);

const began = performance.now();
out(`# Beds for ${names.join(", ")}`);
const grounds = await openGrounds(names, { slurm: { cpus: 20 } });
out(`up after ${((performance.now() - began) / 1000).toFixed(1)} s`);

if (parts.includes("table")) {
  out("\n# Trials");
  const table = openTable(names, wantedShapes, out);
  const secrets: { ok: boolean; text: string }[] = [];
  for (const shape of wantedShapes)
    await attempt(`trials ${shape}`, async () => {
      secrets.push((await runShape({ shape, grounds, table, say: out })).secrets);
    });
  out("\n# Table");
  for (const line of table.lines()) out(line);
  out();
  const { good, all } = table.count();
  judge("cells", good === all, `${good} of ${all}`);
  judge(
    "secrets",
    secrets.length === wantedShapes.length && secrets.every(({ ok }) => ok),
    secrets.map(({ text }) => text).join(" · ") || "none looked for",
  );
}

/** A hub for one part. */
async function withStand(
  shape: Shape,
  config: Parameters<typeof openStand>[0]["config"],
  work: (stand: Stand) => Promise<void>,
): Promise<void> {
  const stand = await openStand({ shape, ...grounds, config: { ...grounds.config, ...config } });
  try {
    await work(stand);
  } finally {
    await stand.close();
  }
}

const between = Math.ceil(rounds * BETWEEN_SHARE);
const roundsVerdict = ({ backend, rounds: done, saveMs, faults }: SubmitRounds): void => {
  const count = (moment: string): number => done.filter((round) => round.moment === moment).length;
  const whole = done.filter(({ ok }) => ok).length;
  const most = Math.max(...done.map(({ mostAtOnce }) => mostAtOnce));
  judge(
    `kill -9 on ${backend.name}`,
    whole === done.length && faults.length === 0 && count("between submit and save") >= between,
    `${whole} of ${done.length} whole; ${count("between submit and save")} between submit and save, ${count("before submit")} before submit, ${count("after save")} after save, ${count("another replica drove")} where another replica drove; at most ${most} server of one start at once; ${faults.length} without an owner${faults.map((fault) => `, ${fault}`).join("")}; window ${Math.round(saveMs)} ms; seed ${seed}`,
  );
};

if (parts.includes("rounds")) {
  const killed = grounds.backends.filter(({ name }) => KILLED.includes(name));
  out(
    `\n# ${rounds} rounds of kill -9 between order and stored handle: ${killed.map(({ name }) => name).join(", ")}`,
  );
  await attempt("kill -9", () =>
    withStand("apart", { spawn: { submitSeconds: SUBMIT_SECONDS } }, async (stand) => {
      for (const done of await submitRounds(stand, killed, { rounds, between, seed, say: out }))
        roundsVerdict(done);
    }),
  );
}

if (parts.includes("bare")) {
  out("\n# Start to ready, beside the bare backend");
  await attempt("start to ready", () =>
    withStand("alone", {}, async (stand) => {
      for (const backend of grounds.backends)
        await attempt(`start on ${backend.name}`, async () =>
          judge(`start on ${backend.name}`, true, await besideBare(stand, backend)),
        );
    }),
  );
}

if (parts.includes("load")) {
  out("\n# Questions to the scheduler at rest");
  const servers = Number(values.servers);
  for (const backend of grounds.backends.filter(({ queries }) => queries))
    await attempt(`queries on ${backend.name}`, () =>
      withStand("alone", { spawn: { submitSeconds: 120 } }, async (stand) => {
        const load = await schedulerLoad(stand, backend, servers);
        // The promise: what the scheduler is asked does not grow with the number of servers.
        judge(`queries on ${backend.name}`, load.servers === servers && load.many <= load.one + 2, load.text);
      }),
    );
}
await grounds.close();

if (parts.includes("sizes")) {
  out("\n# Sizes");
  for (const line of pluginSizes()) out(line);
}

const failed = verdicts.filter(({ ok }) => !ok);
out(
  `\nbackends: ${verdicts.length - failed.length} of ${verdicts.length} reached in ${((performance.now() - began) / 60_000).toFixed(0)} min; ${verdicts.map(({ what, figure }) => `${what} ${figure.split(";")[0]}`).join(" · ")}`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
