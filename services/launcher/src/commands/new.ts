import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { HubError } from "@elara/contracts";
import { say } from "../say.ts";

const template = (file: string): string => readFileSync(new URL(`../new/${file}`, import.meta.url), "utf8");

/** `elara new spawner NAME`, `elara new authenticator NAME`: a plugin in one file and its test. Never overwrites. */
export function create(kind: "spawner" | "authenticator", name: string, options: { dir: string }): void {
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(name)) {
    throw new HubError("FIELD_INVALID", {
      operator: `"${name}" is no plugin name: lower-case letters, digits and hyphens, beginning with a letter, at most 31.`,
    });
  }
  const folder = resolve(options.dir);
  const files = [
    { path: join(folder, `${name}.ts`), text: template(`${kind}.ts.txt`) },
    { path: join(folder, `${name}.test.ts`), text: template(`${kind}.test.ts.txt`) },
  ];
  const taken = files.find(({ path }) => existsSync(path));
  if (taken)
    throw new HubError("CONFIG_EXISTS", {
      operator: `${taken.path} exists and is left as it is. Choose another name or --dir.`,
    });
  mkdirSync(folder, { recursive: true });
  const constant = name.toUpperCase().replaceAll("-", "_");
  for (const { path, text } of files) {
    writeFileSync(path, text.replaceAll("__NAME__", name).replaceAll("__CODE__", constant), { flag: "wx" });
    say(`Wrote ${path}`);
  }
  say(`\nRun its test:     elara test ${files[1]?.path}`);
  say(`Use it:           ${kind}s: [{ use: ${JSON.stringify(`./${name}.ts`)} }] in elara.config.ts`);
}
