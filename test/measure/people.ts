import { parseArgs } from "node:util";
import { told } from "../fixtures/trials/outcome.ts";
import type { Cell, Part } from "./people/cell.ts";

/**
 * `npm run measure:people`: people log in at stand-ins of their providers, services subscribe, a start is traced, the
 * archive is installed. `--parts providers,subscribers,trace,install` for a part. The last line sums up, the exit code tells.
 */
const parts: Record<string, () => Promise<Part>> = {
  providers: async () => (await import("./people/providers.ts")).providers,
  subscribers: async () => (await import("./people/subscribers.ts")).subscribers,
  trace: async () => (await import("./people/trace.ts")).trace,
  install: async () => (await import("./people/install.ts")).install,
};

const { values } = parseArgs({
  options: { parts: { type: "string", default: Object.keys(parts).join(",") } },
});
const out = (text = ""): void => void process.stdout.write(`${text}\n`);
const chosen = values.parts.split(",").filter(Boolean);
const unknown = chosen.find((name) => !Object.hasOwn(parts, name));
if (unknown !== undefined) throw new Error(`no part ${unknown}; known: ${Object.keys(parts).join(", ")}`);

const all: Cell[] = [];
for (const name of chosen) {
  out(`\n# ${name}`);
  const cells: Cell[] = [];
  try {
    const part = await parts[name]?.();
    cells.push(...((await part?.(out)) ?? []));
  } catch (error) {
    cells.push({ row: name, column: "ran to its end", ok: false, evidence: told(error) });
  }
  if (cells.length === 0) cells.push({ row: name, column: "ran", ok: false, evidence: "no cell was told" });
  const width = (pick: (cell: Cell) => string): number => Math.max(...cells.map((cell) => pick(cell).length));
  const [rows, columns] = [width((cell) => cell.row), width((cell) => cell.column)];
  out();
  for (const { row, column, ok, evidence } of cells)
    out(`${ok ? "ok  " : "FAIL"}  ${row.padEnd(rows)}  ${column.padEnd(columns)}  ${evidence}`);
  all.push(...cells);
}

const good = all.filter(({ ok }) => ok).length;
out(`\npeople: ${good} of ${all.length} cells hold (${chosen.join(", ")})`);
process.exitCode = good === all.length ? 0 : 1;
