import type { SpawnRequest } from "@elara/sdk";
import type Docker from "dockerode";
import { dockerError } from "./errors.ts";
import { bytesOf, nanoCpusOf } from "./limits.ts";
import type { Options } from "./options.ts";
import { mountsOf } from "./volumes.ts";

export const LABEL = { hub: "org.elara.hub", tag: "org.elara.tag", port: "org.elara.port" } as const;

/** Name of a server's container: the fence, for an engine gives a name once. */
export const nameOf = (tag: string): string => `elara-${tag}`;

/** The image of a server. Throws DOCKER_IMAGE_REFUSED, which names the field. */
export function imageOf({ image, images }: Options): string {
  const chosen = image === "" ? images[0] : images.find((each) => each === image);
  if (chosen === undefined)
    throw dockerError("DOCKER_IMAGE_REFUSED", { field: "image", operator: `${image} is not in \`images\`` });
  // Without a tag a pull means all tags.
  return /[:@][^/]*$/.test(chosen) ? chosen : `${chosen}:latest`;
}

/** How a container of this spawner is held in, whatever runs in it. */
export function confinement(options: Options): Docker.HostConfig {
  const memory = bytesOf(options.memory);
  const cpus = nanoCpusOf(options.cpus);
  return {
    NetworkMode: options.network,
    Init: options.init,
    CapDrop: options.capDrop,
    CapAdd: options.capAdd,
    SecurityOpt: options.noNewPrivileges ? ["no-new-privileges"] : [],
    ReadonlyRootfs: options.readOnly,
    Tmpfs: { ...(options.readOnly && { "/tmp": "" }), ...options.tmpfs },
    ...(options.pidsLimit > 0 && { PidsLimit: options.pidsLimit }),
    ...(memory !== undefined && { Memory: memory, MemorySwap: memory }),
    ...(cpus !== undefined && { NanoCpus: cpus }),
    ...(options.logSize !== "" && {
      LogConfig: { Type: "json-file", Config: { "max-size": options.logSize, "max-file": "2" } },
    }),
  };
}

/** What is sent to the engine to make a server's container. The environment, and secrets with it, stands here only. */
export function containerOf(
  request: SpawnRequest<Options>,
  { hubId, port, bind }: { hubId: string; port: number; bind: string },
): Docker.ContainerCreateOptions {
  const { options, tag, user, server } = request;
  const memory = bytesOf(options.memory);
  const env: Record<string, string> = {
    ...options.environment,
    ...(memory !== undefined && { MEM_LIMIT: String(memory) }),
    ...(options.cpus > 0 && { CPU_LIMIT: String(options.cpus) }),
    ...request.env,
    JUPYTERHUB_SERVICE_URL: `http://${bind}:${port}${request.servicePrefix}`,
  };
  const inside = `${port}/tcp`;
  return {
    Image: imageOf(options),
    Cmd: [...request.argv],
    Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    Labels: {
      ...options.labels,
      "org.elara.user": user.name,
      "org.elara.server": server,
      [LABEL.hub]: hubId,
      [LABEL.tag]: tag,
      [LABEL.port]: String(port),
    },
    ExposedPorts: { [inside]: {} },
    HostConfig: {
      ...confinement(options),
      Mounts: mountsOf(options.volumes, request),
      ...(options.publish !== "" && { PortBindings: { [inside]: [{ HostIp: options.publish }] } }),
    },
  };
}
