import { isIPv4 } from "node:net";
import { posix } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { portRangeFault } from "@elara/sdk";
import { bytesOf, imageOf } from "./container.ts";
import { dockerError } from "./errors.ts";
import type { Options } from "./options.ts";
import { sourceFault } from "./volumes.ts";

/** Engines take no less. */
const LEAST_MEMORY = 6 * 1024 ** 2;

const wrong = (field: string, operator: string, message?: string) =>
  dockerError("DOCKER_OPTIONS_INVALID", {
    field: field.split("[")[0] ?? "",
    operator: `${field}: ${operator}`,
    ...(message !== undefined && { message, status: 400 }),
  });

/** What the schema cannot say. Throws DOCKER_OPTIONS_INVALID or DOCKER_IMAGE_REFUSED with the option's name. */
export function checkOptions(options: Options, config: Options): void {
  // The form and the hub's address for containers are answered by what is configured, for all servers.
  for (const name of ["network", "apiUrl", "images"] as const)
    if (!isDeepStrictEqual(options[name], config[name]))
      throw wrong(
        name,
        `${JSON.stringify(options[name])} is not what is configured, ${JSON.stringify(config[name])}; a second entry in \`spawners\` can have another`,
      );
  imageOf(options);
  if (options.network === "none" || options.network.startsWith("container:"))
    throw wrong("network", `the hub cannot reach containers on "${options.network}"`);
  if (options.network === "host" && options.publish !== "")
    throw wrong("publish", "has no meaning with the network `host`, where each server has a port already");
  if (options.publish !== "" && !isIPv4(options.publish))
    throw wrong("publish", `${options.publish} is no IPv4 address`);
  const odd = Object.keys(options.environment).find((name) => name === "" || /[=\0]/.test(name));
  if (odd !== undefined)
    throw wrong(`environment[${JSON.stringify(odd)}]`, "a name is not empty and has no = in it");
  if (options.network === "host" && options.port !== 0)
    throw wrong("port", "servers on the network `host` each need a port of their own: `portRange`");
  const ports = portRangeFault(options.portRange);
  if (ports !== undefined) throw wrong("portRange", ports);
  const { memory } = options;
  if ((bytesOf(memory) ?? LEAST_MEMORY) < LEAST_MEMORY) {
    const tooLittle = `${memory} is less than 6M, the least a container takes; units are K, M, G, T.`;
    throw wrong("memory", tooLittle, tooLittle);
  }
  checkVolumes(options);
}

function checkVolumes({ volumes, tmpfs }: Options): void {
  const taken = new Map(Object.keys(tmpfs).map((target) => [folderOf(target), `tmpfs["${target}"]`]));
  for (const [index, volume] of volumes.entries()) {
    const { target } = volume;
    const fault = sourceFault(volume);
    if (fault !== undefined) throw wrong(`volumes[${index}].source`, fault);
    const at = `volumes[${index}].target`;
    if (target.split("/").includes("..")) throw wrong(at, "must not lead upwards");
    const folder = folderOf(target);
    if (folder === "/") throw wrong(at, "cannot be the root of the container");
    const other = taken.get(folder);
    if (other !== undefined) throw wrong(at, `${target} is the place of ${other} already`);
    taken.set(folder, at);
  }
}

/** A folder's path as engines compare it. */
const folderOf = (path: string): string => posix.resolve("/", path);
