import { createHash } from "node:crypto";
import { createServer } from "node:net";
import type { PortRange } from "@elara/sdk";
import { dockerError } from "./errors.ts";
import type { Options } from "./options.ts";

type Ports = Pick<Options, "port" | "portRange">;

/** Ports of the range, each once, from the one of this tag on. */
function* portsOf(tag: string, [first, last]: PortRange): Generator<number> {
  const count = last - first + 1;
  const begin = createHash("sha256").update(tag).digest().readUInt32BE(0) % count;
  for (let step = 0; step < count; step += 1) yield first + ((begin + step) % count);
}

/**
 * The port a server listens on in a container with an address of its own. An engine gives an address of a container that
 * has ended to the next one at once; by another port, a route to the old one meets nobody.
 */
export function portInside(tag: string, { port, portRange }: Ports): number {
  return port || (portsOf(tag, portRange).next().value ?? 0);
}

/** A port of this machine that was free a moment ago, for a container on its own network. Throws DOCKER_NO_PORT. */
export async function portOfMachine(tag: string, { portRange }: Ports): Promise<number> {
  for (const port of portsOf(tag, portRange)) if (await isFree(port)) return port;
  throw dockerError("DOCKER_NO_PORT", { detail: { portRange } });
}

/** On all addresses, so that nobody on one of them is overlooked. */
const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "0.0.0.0", exclusive: true }, () => server.close(() => resolve(true)));
  });
