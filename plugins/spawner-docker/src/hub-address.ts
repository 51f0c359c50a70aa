import { isLoopback, type SpawnerHost } from "@elara/sdk";
import type Docker from "dockerode";
import { askFor } from "./engine.ts";
import { dockerError } from "./errors.ts";
import type { Options } from "./options.ts";

/**
 * The hub's API as containers of this network reach it: by the address of the hub's machine on that network, when the hub
 * listens there. Throws DOCKER_HUB_UNREACHABLE, which names the key to set.
 */
export async function hubAddress(
  docker: Docker,
  { apiUrl, network }: Options,
  host: Pick<SpawnerHost, "apiUrl" | "internalHost">,
): Promise<string> {
  if (apiUrl !== "") return apiUrl;
  const url = new URL(host.apiUrl);
  // The configured address means the same in a container, unless it is the one that each machine has for itself.
  if (network === "host" || !isLoopback(url.hostname)) return host.apiUrl;
  const gateway = await gatewayOf(docker, network);
  if (gateway === undefined)
    throw dockerError("DOCKER_HUB_UNREACHABLE", {
      operator: `The network "${network}" has no gateway on the hub's machine. Set \`network.internalHost\` and \`network.internalUrl\` to an address its containers reach, or the spawner's \`apiUrl\`.`,
    });
  if (host.internalHost !== "0.0.0.0" && host.internalHost !== gateway)
    throw dockerError("DOCKER_HUB_UNREACHABLE", {
      operator: `Containers on the network "${network}" cannot reach \`network.internalHost\` ${host.internalHost}. Set it to ${gateway}, the hub's address on that network, or to 0.0.0.0 and keep the port from others.`,
    });
  url.hostname = gateway;
  return url.href;
}

/** This machine's address on a network; undefined when it has none. Throws DOCKER_NETWORK_MISSING. */
async function gatewayOf(docker: Docker, network: string): Promise<string | undefined> {
  const found = await askFor(() => docker.getNetwork(network).inspect());
  if (!found) throw dockerError("DOCKER_NETWORK_MISSING", { detail: { network } });
  const addresses: { Gateway?: string | undefined }[] = found.IPAM?.Config ?? [];
  return addresses.map(({ Gateway = "" }) => Gateway.split("/")[0]).find((address) => address?.includes("."));
}
