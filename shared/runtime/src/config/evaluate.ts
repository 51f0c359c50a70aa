// Runs in a child of the launcher: imports the configuration, refuses what is no plain data, sends it over IPC.
import { pathToFileURL } from "node:url";
import "../plugins/resolve-hook.ts";

/** Paths at which `value` holds something that JSON does not carry. */
function* notPlain(value: unknown, path: string): Generator<string> {
  if (value === null || ["string", "boolean"].includes(typeof value)) return;
  if (typeof value === "number" && Number.isFinite(value)) return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* notPlain(item, `${path}[${index}]`);
  } else if (typeof value === "object" && [Object.prototype, null].includes(Object.getPrototypeOf(value))) {
    for (const [key, item] of Object.entries(value)) {
      if (item !== undefined) yield* notPlain(item, path ? `${path}.${key}` : key);
    }
  } else {
    const what = typeof value === "number" ? String(value) : `a ${typeof value}`;
    yield `${path || "(root)"}: is ${what}; only plain data is allowed (functions as paths to modules)`;
  }
}

async function evaluate(file: string): Promise<{ value: unknown } | { faults: string[] }> {
  try {
    const module: { default?: unknown } = await import(pathToFileURL(file).href);
    if (module.default === undefined)
      return { faults: ["the file has no default export; write `export default defineConfig({ … })`"] };
    const faults = [...notPlain(module.default, "")];
    return faults.length > 0 ? { faults } : { value: module.default };
  } catch (error) {
    if (!(error instanceof Error)) return { faults: [String(error)] };
    // A syntax error's own place is the first line of its stack.
    const [place = ""] = (error.stack ?? "").split("\n");
    const line = place.startsWith("file://") ? `line ${place.split(":").at(-1)}: ` : "";
    return { faults: [`${line}${error.name}: ${error.message}`] };
  }
}

const file = process.argv[2];
if (file && process.send) process.send(await evaluate(file), () => process.disconnect());
