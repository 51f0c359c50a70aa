import { relative, resolve } from "node:path";
import { PluginError, portRangeFault } from "@elara/sdk";
import type { Static } from "typebox";
import { errors } from "./errors.ts";
import type { options } from "./options.ts";

/** The names of setrlimit that Linux knows. */
const LIMITS = [
  "as",
  "core",
  "cpu",
  "data",
  "fsize",
  "memlock",
  "msgqueue",
  "nice",
  "nofile",
  "nproc",
  "rss",
  "rtprio",
  "rttime",
  "sigpending",
  "stack",
];

/** An administrator reads it at the start of the hub. */
const wrong = (field: string, operator: string): PluginError =>
  new PluginError(errors, "LOCAL_OPTIONS_INVALID", { field, operator });

/** What the schema cannot say of the options. Throws LOCAL_OPTIONS_INVALID with the option's name. */
export function checkOptions(config: Static<typeof options>, dataDir: string): void {
  const ports = portRangeFault(config.portRange);
  if (ports !== undefined) throw wrong("portRange", ports);
  const unknown = Object.keys(config.limits).find((name) => !LIMITS.includes(name));
  if (unknown !== undefined)
    throw wrong("limits", `limits.${unknown}: is no limit; known: ${LIMITS.join(", ")}`);
  if (config.homes === "own" || config.homes.startsWith("/")) return;
  if (relative(dataDir, resolve(dataDir, config.homes)).startsWith(".."))
    throw wrong("homes", "leaves the spawner's folder; give an absolute path if that is meant");
}
