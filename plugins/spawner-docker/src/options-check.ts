import { isDeepStrictEqual } from "node:util";
import { dockerError } from "./errors.ts";
import type { Options } from "./options.ts";
import { sourceFault } from "./volumes.ts";

const wrong = (field: string, operator: string) =>
  dockerError("DOCKER_OPTIONS_INVALID", {
    field: field.split("[")[0] ?? "",
    operator: `${field}: ${operator}`,
  });

/** What the schema cannot say of the options. Throws DOCKER_OPTIONS_INVALID with the option's name. */
export function checkOptions(config: Options): void {
  if (config.image !== "" && !config.images.includes(config.image))
    throw wrong("image", `${config.image} is not in \`images\``);
  if (config.network === "none" || config.network.startsWith("container:"))
    throw wrong("network", `the hub cannot reach containers on "${config.network}"`);
  if (config.network === "host" && config.publish !== "")
    throw wrong("publish", "has no meaning with the network `host`, where each server has a port already");
  if (config.network === "host" && config.port !== 0)
    throw wrong("port", "servers on the network `host` each need a port of their own: `portRange`");
  const [first = 0, last = 0] = config.portRange;
  if (first > last) throw wrong("portRange", `${first} is above ${last}`);
  for (const [index, volume] of config.volumes.entries()) {
    const fault = sourceFault(volume);
    if (fault !== undefined) throw wrong(`volumes[${index}].source`, fault);
  }
}

/** The same for the options of one start, which must be on the configured network. Throws DOCKER_OPTIONS_INVALID. */
export function checkRequest(options: Options, config: Options): void {
  // The form and the hub's address for containers are answered by what is configured, for all servers.
  for (const name of ["network", "apiUrl", "images"] as const)
    if (!isDeepStrictEqual(options[name], config[name]))
      throw wrong(
        name,
        `${JSON.stringify(options[name])} is not what is configured, ${JSON.stringify(config[name])}; a second entry in \`spawners\` can have another`,
      );
  checkOptions(options);
}
