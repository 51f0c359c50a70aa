import { isIPv4 } from "node:net";
import { posix } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { portRangeFault } from "@elara/sdk";
import { capabilityFault } from "./capabilities.ts";
import { imageOf } from "./container.ts";
import { optionError } from "./errors.ts";
import { bytesOf, nanoCpusOf } from "./limits.ts";
import type { Options } from "./options.ts";
import { sourceFault } from "./volumes.ts";

/** What the schema cannot say. Throws DOCKER_OPTIONS_INVALID or DOCKER_IMAGE_REFUSED with the option's name. */
export function checkOptions(options: Options, config: Options): void {
  // The form and the hub's address for containers are answered by what is configured, for all servers.
  for (const name of ["network", "apiUrl", "images"] as const)
    if (!isDeepStrictEqual(options[name], config[name]))
      throw optionError(
        name,
        `${JSON.stringify(options[name])} is not what is configured, ${JSON.stringify(config[name])}; a second entry in \`spawners\` can have another`,
      );
  imageOf(options);
  if (options.network === "none" || options.network.startsWith("container:"))
    throw optionError("network", `the hub cannot reach containers on "${options.network}"`);
  if (options.network === "host" && options.publish !== "")
    throw optionError(
      "publish",
      "has no meaning with the network `host`, where each server has a port already",
    );
  if (options.publish !== "" && !isIPv4(options.publish))
    throw optionError("publish", `${options.publish} is no IPv4 address`);
  const odd = Object.keys(options.environment).find((name) => name === "" || /[=\0]/.test(name));
  if (odd !== undefined)
    throw optionError(`environment[${JSON.stringify(odd)}]`, "a name is not empty and has no = in it");
  if (options.network === "host" && options.port !== 0)
    throw optionError("port", "servers on the network `host` each need a port of their own: `portRange`");
  const ports = portRangeFault(options.portRange);
  if (ports !== undefined) throw optionError("portRange", ports);
  bytesOf(options.memory);
  nanoCpusOf(options.cpus);
  for (const name of ["capAdd", "capDrop"] as const) {
    for (const [index, capability] of options[name].entries()) {
      const fault = capabilityFault(capability);
      if (fault !== undefined) throw optionError(`${name}[${index}]`, fault);
    }
  }
  checkVolumes(options);
}

function checkVolumes({ volumes, tmpfs }: Options): void {
  for (const target of Object.keys(tmpfs)) {
    const fault = targetFault(target);
    if (fault !== undefined) throw optionError(`tmpfs[${JSON.stringify(target)}]`, fault);
  }
  const taken = new Map(Object.keys(tmpfs).map((target) => [folderOf(target), `tmpfs["${target}"]`]));
  for (const [index, volume] of volumes.entries()) {
    const { target } = volume;
    const fault = sourceFault(volume);
    if (fault !== undefined) throw optionError(`volumes[${index}].source`, fault);
    const at = `volumes[${index}].target`;
    const misplaced = targetFault(target);
    if (misplaced !== undefined) throw optionError(at, misplaced);
    const folder = folderOf(target);
    const other = taken.get(folder);
    if (other !== undefined) throw optionError(at, `${target} is the place of ${other} already`);
    taken.set(folder, at);
  }
}

/** A folder's path as engines compare it. */
const folderOf = (path: string): string => posix.resolve("/", path);

/** What is wrong with a place in the container. */
function targetFault(target: string): string | undefined {
  if (!target.startsWith("/")) return "is a folder of the container and begins with /";
  if (target.split("/").includes("..")) return "must not lead upwards";
  return folderOf(target) === "/" ? "cannot be the root of the container" : undefined;
}
