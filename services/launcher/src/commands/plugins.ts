import { findConfig } from "@elara/runtime/config/load";
import { writtenSchema } from "@elara/runtime/config/schema";
import { isSecretSchema } from "@elara/runtime/config/secret";
import { type BuiltIns, loadPlugin } from "@elara/runtime/plugins/load";
import type { TObject, TSchema } from "typebox";
import * as builtIns from "../built-ins.ts";
import { literal } from "../config-template.ts";
import { type CommandOptions, openSettings } from "../open-settings.ts";
import { say } from "../say.ts";
import { loadServices } from "../services.ts";

/** `elara plugins`: what is built in and what the configuration names, with options. Throws when one cannot load. */
export async function plugins(options: CommandOptions): Promise<void> {
  const list = async (kind: "authenticator" | "spawner", known: BuiltIns): Promise<void> => {
    say(`Built-in ${kind}s`);
    for (const use of Object.keys(known)) {
      const plugin = await loadPlugin(kind, use, { builtIns: known, configFile: "" });
      describe(use, plugin.options);
    }
    say();
  };
  await list("authenticator", builtIns.authenticators);
  await list("spawner", builtIns.spawners);
  if (findConfig(options.config) === undefined) return;
  const { settings } = await openSettings(options, await loadServices());
  say(`Named in ${settings.file}`);
  const known = new Set([...Object.keys(builtIns.authenticators), ...Object.keys(builtIns.spawners)]);
  for (const { name, plugin } of [...settings.authenticators, ...settings.spawners]) {
    const wraps = plugin.kind === "spawner" && plugin.wraps ? `, around ${plugin.wraps}` : "";
    const title = `${plugin.kind} ${name} (${plugin.name}${wraps})`;
    if (known.has(plugin.name) && !wraps) say(`  ${title}`);
    else describe(title, plugin.options);
  }
}

function describe(use: string, options: TObject): void {
  say(`  ${use}`);
  const required = writtenSchema(options);
  const must: readonly string[] =
    "required" in required && Array.isArray(required.required) ? required.required : [];
  for (const [key, schema] of Object.entries<TSchema>(options.properties)) {
    const fallback = isSecretSchema(schema)
      ? " (secret)"
      : "default" in schema
        ? ` = ${literal(schema.default)}`
        : "";
    const text = "description" in schema ? String(schema.description) : "";
    const { userChoice, perStart }: { userChoice?: unknown; perStart?: unknown } = schema;
    const choice =
      userChoice === true
        ? " (choice of users)"
        : userChoice === "named"
          ? " (choice of users where a profile names it)"
          : perStart === true
            ? " (profiles may set it)"
            : "";
    say(`    ${key}${must.includes(key) ? " (required)" : fallback}${choice}  ${text}`);
  }
}
