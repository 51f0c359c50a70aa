import { glob } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { run } from "node:test";
import { spec } from "node:test/reporters";

/**
 * `npm test`: every test of the tree, quick ones side by side, then those that start whole hubs one after another.
 * The closing lines count passed, failed and skipped and name each skip with its reason. In CI (CI=true) a skip fails.
 * `npm test -- PATTERN…` runs only files whose path contains a pattern.
 */
const ROOT = new URL("../", import.meta.url).pathname;
const QUICK = [
  "shared/*/test/**/*.test.ts",
  "plugins/*/test/**/*.test.ts",
  "services/*/test/**/*.test.ts",
  "test/habits/**/*.test.ts",
  "test/measure/**/*.test.ts",
];
const WHOLE = [
  "test/compat/**/*.test.ts",
  "test/install/**/*.test.ts",
  "test/failures/**/*.test.ts",
  "test/flows/**/*.test.ts",
  "test/crash/**/*.test.ts",
];
const FILE_TIMEOUT_MS = 15 * 60_000;

const patterns = process.argv.slice(2);
const counts = { passed: 0, failed: 0 };
const skips: string[] = [];
const failures: string[] = [];

async function files(globs: string[]): Promise<string[]> {
  const found: string[] = [];
  for await (const file of glob(globs, { cwd: ROOT, exclude: (name) => name === "node_modules" }))
    found.push(file);
  return found
    .filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)))
    .sort();
}

async function phase(globs: string[], concurrency: number): Promise<void> {
  const list = await files(globs);
  if (list.length === 0) return;
  const stream = run({ files: list.map((file) => ROOT + file), concurrency, timeout: FILE_TIMEOUT_MS });
  stream.on("test:pass", ({ name, skip, file, details }) => {
    // A skipped suite reports nothing of its tests: it is itself what was skipped.
    if (details.type === "suite" && skip === undefined) return;
    if (skip === undefined) counts.passed++;
    else
      skips.push(`${name} (${file?.replace(ROOT, "") ?? "?"}): ${skip === true ? "no reason given" : skip}`);
  });
  stream.on("test:fail", ({ name, file, details }) => {
    if (details.type === "suite") return;
    counts.failed++;
    failures.push(`${name} (${file?.replace(ROOT, "") ?? "?"})`);
  });
  for await (const text of stream.compose(spec)) process.stdout.write(text);
}

await phase(QUICK, availableParallelism());
await phase(WHOLE, 1);

const out = (text: string): void => void process.stdout.write(`${text}\n`);
for (const skip of skips) out(`SKIPPED ${skip}`);
for (const failure of failures) out(`FAILED ${failure}`);
const refused = process.env.CI === "true" && skips.length > 0;
if (refused) out("Nothing may be skipped in CI: install what is missing.");
out(`${counts.passed} passed, ${counts.failed} failed, ${skips.length} skipped`);
process.exitCode = counts.failed > 0 || counts.passed === 0 || refused ? 1 : 0;
