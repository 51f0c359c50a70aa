import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
/** Texts and declarations that are no code of the backend: what may be set, what can go wrong. */
const TABLES = ["options.ts", "errors.ts"];

interface Size {
  readonly lines: number;
  /** Neither empty nor a comment. */
  readonly code: number;
}

const sizeOf = (file: string): Size => {
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  return { lines: lines.length, code: lines.filter((line) => !/^\s*(\/\/|\/?\*|#|$)/.test(line)).length };
};

const sum = (sizes: readonly Size[]): Size => ({
  lines: sizes.reduce((all, { lines }) => all + lines, 0),
  code: sizes.reduce((all, { code }) => all + code, 0),
});

const sourcesIn = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|py)$/.test(entry.name))
    .map(({ name }) => name);

/** One line for each folder: its backends, its schedulers, what they share. */
export function pluginSizes(): string[] {
  const folder = (path: string): string => {
    const files = sourcesIn(path);
    const size = (names: readonly string[]) => sum(names.map((name) => sizeOf(join(ROOT, path, name))));
    const all = size(files);
    const work = size(files.filter((name) => !TABLES.includes(name)));
    const tables = all.lines - work.lines;
    return `${path}: ${work.lines} lines, ${work.code} of them code${tables > 0 ? `; options and errors ${tables} lines` : ""} (${files.length} files)`;
  };
  const adapters = sourcesIn("plugins/spawner-batch/src/schedulers").map((name) => {
    const { lines, code } = sizeOf(join(ROOT, "plugins/spawner-batch/src/schedulers", name));
    return `${name} ${lines} (${code} code)`;
  });
  return [
    ...["local", "docker", "ssh", "batch"].map((name) => folder(`plugins/spawner-${name}/src`)),
    folder("plugins/spawner-batch/src/transports"),
    `plugins/spawner-batch/src/schedulers: ${adapters.join(", ")}`,
    folder("shared/ssh/src"),
    folder("shared/sdk/launcher"),
  ];
}
