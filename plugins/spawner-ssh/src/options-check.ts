import { PluginError, portRangeFault } from "@elara/sdk";
import { errors } from "./errors.ts";
import { ANY, type Options } from "./options.ts";

/** An option that cannot work; an administrator reads it. */
export const wrong = (field: string, operator: string, cause?: unknown): PluginError =>
  new PluginError(errors, "SSH_OPTIONS_INVALID", { field, operator, cause });

/** What the schema cannot say of the options. Throws SSH_OPTIONS_INVALID or SSH_HOST_UNKNOWN with the option's name. */
export function checkOptions({
  hosts,
  host,
  portRange,
  connect,
  forwardHost,
  runDir,
  account,
}: Options): void {
  const names = hosts.map(({ name, host: address }) => name || address);
  const twice = names.find((name, at) => name === ANY || name.includes("/") || names.indexOf(name) !== at);
  if (twice !== undefined) throw wrong("hosts", `"${twice}" cannot be a name, or stands there twice`);
  if (host !== ANY && !names.includes(host))
    throw new PluginError(errors, "SSH_HOST_UNKNOWN", {
      field: "host",
      operator: `${host} is not in \`hosts\``,
    });
  const ports = portRangeFault(portRange);
  if (ports !== undefined) throw wrong("portRange", ports);
  if (connect === "forward" && /^0\.0\.0\.0$|^::$/.test(forwardHost))
    throw wrong("forwardHost", "must be one address");
  if (runDir.startsWith("/") && account.includes("{username}") && !runDir.includes("{username}"))
    throw wrong("runDir", "accounts cannot share one folder; put {username} into it");
}
