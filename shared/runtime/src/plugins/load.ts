import { existsSync } from "node:fs";
import { dirname, isAbsolute, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { HubError } from "@elara/contracts";
import type { AuthPlugin, SpawnerPlugin } from "@elara/sdk";
import type { TObject } from "typebox";
import "./resolve-hook.ts";

interface Plugins {
  spawner: SpawnerPlugin;
  authenticator: AuthPlugin;
}

/** Built-in plugins by name, loaded only when the configuration names them. */
export type BuiltIns = Readonly<Record<string, () => Promise<{ default: unknown }>>>;

const isObjectSchema = (value: unknown): value is TObject =>
  typeof value === "object" &&
  value !== null &&
  "type" in value &&
  value.type === "object" &&
  "properties" in value;

/** Keys of a start's body that are no options: an option of such a name would never reach its spawner. */
const START_WORDS = ["profile", "user_options", "display_name"];

/** What is wrong with a thing that should be a plugin of this kind; empty when nothing is. */
export function pluginFaults(kind: keyof Plugins, value: unknown): string[] {
  if (typeof value !== "object" || value === null) return ["its default export is no plugin object"];
  const plugin: Partial<Record<string, unknown>> = { ...value };
  const maker = kind === "spawner" ? "spawnerPlugin" : "authPlugin";
  const faults: string[] = [];
  if (plugin.kind !== kind) faults.push(`it is no ${kind}: make it with ${maker}({ … }) from @elara/sdk`);
  if (typeof plugin.name !== "string" || !/^[a-z][a-z0-9-]{0,30}$/.test(plugin.name))
    faults.push("`name` must be lower-case letters, digits and hyphens, beginning with a letter");
  if (!isObjectSchema(plugin.options)) faults.push("`options` must be a Type.Object schema");
  if (kind === "spawner" && !isObjectSchema(plugin.handle))
    faults.push("`handle` must be a Type.Object schema");
  if (kind === "spawner" && isObjectSchema(plugin.options))
    for (const name of START_WORDS)
      if (Object.hasOwn(plugin.options.properties, name))
        faults.push(
          `the option \`${name}\` needs another name: in a start over the API it means something else`,
        );
  if (typeof plugin.setup !== "function") faults.push("`setup` must be a function");
  if (typeof plugin.errors !== "object" || plugin.errors === null)
    faults.push("`errors` must be a table of codes, {} when it has none");
  return faults;
}

/** How long a plugin may take to load: what it awaits at its top level counts. */
const LOAD_MS = 20_000;

/** Throws PLUGIN_INVALID when the module does not finish loading. The timer keeps the process from ending meanwhile. */
async function inTime<T>(ms: number, what: string, module: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const operator = `The ${what} does not finish loading within ${ms / 1000} s: what it awaits at its top level does not come.`;
  const timer = setTimeout(() => reject(new HubError("PLUGIN_INVALID", { operator })), ms);
  try {
    return await Promise.race([module, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A plugin of a centre's own under the name of a built-in would be taken for that; one around it, or it itself, is fine. */
async function nameFaults(value: unknown, builtIns: BuiltIns): Promise<string[]> {
  const { name, wraps }: { name?: unknown; wraps?: unknown } = Object(value);
  if (wraps !== undefined || typeof name !== "string" || !Object.hasOwn(builtIns, name)) return [];
  const { default: builtIn } = (await builtIns[name]?.()) ?? {};
  return builtIn === value ? [] : [`its \`name\` is "${name}", which comes with the hub; give it another`];
}

/**
 * Loads a plugin: a built-in name, a path (relative to the configuration file) or a package name.
 * Throws PLUGIN_NOT_FOUND or PLUGIN_INVALID; a broken plugin is never skipped.
 */
export async function loadPlugin<K extends keyof Plugins>(
  kind: K,
  use: string,
  given: { builtIns: BuiltIns; configFile: string; loadMs?: number },
): Promise<Plugins[K]> {
  const { loadMs = LOAD_MS } = given;
  let module: { default?: unknown };
  try {
    const builtIn = Object.hasOwn(given.builtIns, use) ? given.builtIns[use] : undefined;
    if (builtIn) module = await builtIn();
    else if (use.startsWith(".") || isAbsolute(use)) {
      const file = resolve(dirname(given.configFile), use);
      if (!existsSync(file)) {
        throw new HubError("PLUGIN_NOT_FOUND", {
          operator: `There is no file ${file} for the ${kind} "${use}".`,
        });
      }
      module = await inTime(loadMs, `${kind} ${file}`, import(pathToFileURL(file).href));
    } else module = await inTime(loadMs, `${kind} "${use}"`, import(use));
  } catch (cause) {
    if (cause instanceof HubError) throw cause;
    const missing =
      cause instanceof Error &&
      "code" in cause &&
      cause.code === "ERR_MODULE_NOT_FOUND" &&
      cause.message.includes(`'${use}'`);
    const text = cause instanceof Error ? cause.message : String(cause);
    throw missing
      ? new HubError("PLUGIN_NOT_FOUND", {
          operator: `There is no ${kind} "${use}": built in are ${Object.keys(given.builtIns).join(", ")}; a file is given as ./path.ts, a package by its name.`,
          cause,
        })
      : new HubError("PLUGIN_INVALID", { operator: `The ${kind} "${use}" failed to load: ${text}`, cause });
  }
  const plugin = module.default;
  const faults = [...pluginFaults(kind, plugin), ...(await nameFaults(plugin, given.builtIns))];
  if (faults.length > 0)
    throw new HubError("PLUGIN_INVALID", { operator: `The ${kind} "${use}": ${faults.join("; ")}.` });
  return plugin as Plugins[K];
}
