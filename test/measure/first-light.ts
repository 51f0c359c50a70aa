import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { crashRounds, type Round } from "../crash/rounds.ts";
import { startHub } from "../fixtures/hub.ts";
import { coldStarts } from "./cold-start.ts";
import { authoredPlugin } from "./plugin-authors.ts";

/** `npm run measure:first-light`: the figures of the first milestone; the last line sums up, the exit code tells. */
const COLD_RUNS = 5;
const ROUNDS = 20;
const MAX_LINES = 100;
const out = (text = ""): void => void process.stdout.write(`${text}\n`);
const verdicts: { what: string; ok: boolean; figure: string }[] = [];
const judge = (what: string, ok: boolean, figure: string): void => {
  verdicts.push({ what, ok, figure });
  out(`${ok ? "ok  " : "FAIL"}  ${what}: ${figure}`);
};

out("# Cold start: command to first 200 of /hub/health");
const { ours, theirs } = await coldStarts(COLD_RUNS);
for (const { name, medianMs, runsMs } of [ours, theirs])
  out(`  ${name}: median ${medianMs} ms of ${runsMs.join(", ")}`);
judge(
  "cold start",
  ours.medianMs < theirs.medianMs / 2,
  `${ours.medianMs} ms beside ${theirs.medianMs} ms (${(ours.medianMs / theirs.medianMs).toFixed(2)} of it; goal below 0.50)`,
);

out("\n# Plugins in one file");
for (const kind of ["spawner", "authenticator"] as const) {
  const { lines, testPasses, loads, brokenCopyFails } = await authoredPlugin(kind);
  judge(
    `elara new ${kind}`,
    lines < MAX_LINES && testPasses && loads && brokenCopyFails,
    `${lines} lines; its test passes: ${testPasses}; loaded by path: ${loads}; broken copy fails: ${brokenCopyFails}`,
  );
}

out("\n# A person in a browser, both shapes");
const flow = spawn(
  process.execPath,
  ["--test", fileURLToPath(new URL("../flows/notebook.test.ts", import.meta.url))],
  { stdio: ["ignore", "pipe", "inherit"] },
);
let text = "";
flow.stdout.setEncoding("utf8").on("data", (part: string) => {
  text += part;
});
const code = await new Promise<number>((done) => flow.once("close", (status) => done(status ?? 1)));
const count = (word: string): number => Number(new RegExp(`^\\S+ ${word} (\\d+)`, "m").exec(text)?.[1] ?? 0);
if (code !== 0) out(text);
judge(
  "browser flow",
  code === 0 && count("skipped") === 0 && count("pass") >= 2,
  `${count("pass")} passed, ${count("fail")} failed, ${count("skipped")} skipped`,
);

out(`\n# ${ROUNDS} rounds of kill -9`);
const seed = Number(process.env.ELARA_SEED ?? Date.now() % 100_000);
const hub = await startHub({ shape: "apart" });
try {
  const rounds = await crashRounds(hub, { rounds: ROUNDS, seed, say: out });
  const good = rounds.filter(({ ok }) => ok).length;
  const count = (key: (round: Round) => string): Map<string, number> => {
    const counts = new Map<string, number>();
    for (const round of rounds) counts.set(key(round), (counts.get(key(round)) ?? 0) + 1);
    return counts;
  };
  const phases = count(({ phase }) => phase || "no server");
  const services = count(({ victim }) => victim.replace(/-\d$/, ""));
  const starting = (phases.get("requested") ?? 0) + (phases.get("starting") ?? 0);
  const told = (counts: Map<string, number>): string =>
    [...counts].map(([name, times]) => `${name} ${times}`).join(", ");
  const spread = starting >= 8 && (phases.get("stopping") ?? 0) >= 3 && Math.min(...services.values()) >= 2;
  judge(
    "crash rounds",
    good === ROUNDS && spread && services.size === 5,
    `${good} of ${ROUNDS} whole; seed ${seed}; phase at the kill: ${told(phases)}; killed: ${told(services)}`,
  );
} finally {
  await hub.close();
}

const failed = verdicts.filter(({ ok }) => !ok);
out(
  `\nfirst-light: ${verdicts.length - failed.length} of ${verdicts.length} reached; ${verdicts.map(({ what, figure }) => `${what} ${figure.split(";")[0]}`).join(" · ")}`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
