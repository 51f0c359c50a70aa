import { randomBytes } from "node:crypto";
import { hubProbe, type SpawnerHost } from "@elara/sdk";
import type Docker from "dockerode";
import { confinement, imageOf, LABEL } from "./container.ts";
import { ask, askFor, statusOf, wordOf } from "./engine.ts";
import { dockerError } from "./errors.ts";
import { hubAddress } from "./hub-address.ts";
import { logLines } from "./log-lines.ts";
import type { Options } from "./options.ts";
import { refusedOption } from "./refusal.ts";

/**
 * Throws with the fix when containers cannot work as configured; a container proves it if an allowed image is here. Fetches
 * none, which could take long. Gives what was proved and what is not here yet.
 */
export async function checkDocker(docker: Docker, options: Options, host: SpawnerHost): Promise<string> {
  await ask(() => docker.ping());
  const names = options.images.map((image) => imageOf({ ...options, image }));
  const local: string[] = [];
  for (const image of names) if (await isUsable(docker, image, options)) local.push(image);
  if (options.network !== "host") {
    const network = await askFor(() => docker.getNetwork(options.network).inspect());
    if (!network) throw dockerError("DOCKER_NETWORK_MISSING");
  }
  const url = await hubAddress(docker, options, host);
  const [image] = local;
  if (image !== undefined) await proveReach(docker, { image, url, options, hubId: host.hubId });
  const absent = names.filter((name) => !local.includes(name));
  return [
    image === undefined
      ? "not tried from inside a container"
      : `a container of ${image} reaches the hub at ${url}`,
    ...(absent.length > 0 ? [`not here yet, fetched at the first start: ${absent.join(", ")}`] : []),
  ].join("; ");
}

/** Whether the image is here. Throws DOCKER_IMAGE_MISSING when it is not and cannot be fetched either. */
async function isUsable(docker: Docker, image: string, { pull }: Options): Promise<boolean> {
  if (await askFor(() => docker.getImage(image).inspect())) return true;
  const missing = (word: string) =>
    dockerError("DOCKER_IMAGE_MISSING", { operator: `images: ${image} is not at the engine, and ${word}` });
  if (pull === "never") throw missing("`pull` is never.");
  await ask(() => docker.getImage(image).distribution()).catch((error: unknown) => {
    throw statusOf(error) > 0 ? missing(`cannot be fetched: ${wordOf(error)}`) : error;
  });
  return false;
}

async function proveReach(
  docker: Docker,
  given: { image: string; url: string; options: Options; hubId: string },
): Promise<void> {
  const probe = await hubProbe(given.url);
  try {
    const { exitCode, lines } = await visit(docker, { ...given, args: probe.args });
    const fault = probe.fault(exitCode, lines);
    if (fault === "") return;
    throw dockerError("DOCKER_HUB_UNREACHABLE", {
      operator: `A container of ${given.image} on the network "${given.options.network}" does not reach the hub at ${fault}`,
    });
  } finally {
    probe.close();
  }
}

/** How a container that runs Python with these arguments ends, and what it prints. The container is gone afterwards. */
async function visit(
  docker: Docker,
  given: { image: string; args: readonly string[]; options: Options; hubId: string },
): Promise<{ exitCode: number; lines: string[] }> {
  const refuse = (error: unknown): never => {
    if (statusOf(error) === 0) throw error;
    // Without a cause, which has the same words once more.
    throw (
      refusedOption(error) ?? dockerError("DOCKER_REFUSED", { operator: `${given.image}: ${wordOf(error)}` })
    );
  };
  const HostConfig = confinement(given.options);
  const container = await ask((abortSignal) =>
    docker.createContainer({
      abortSignal,
      name: `elara-check-${randomBytes(8).toString("hex")}`,
      Image: given.image,
      Entrypoint: ["python3", ...given.args],
      Cmd: [],
      Labels: { [LABEL.hub]: `${given.hubId}-check` },
      HostConfig,
    }),
  ).catch(refuse);
  try {
    await ask((abortSignal) => container.start({ abortSignal })).catch(refuse);
    const { StatusCode: exitCode } = await ask((abortSignal) => container.wait({ abortSignal }));
    return { exitCode, lines: await logLines(container, 20, AbortSignal.timeout(10_000)) };
  } finally {
    await ask((abortSignal) => container.remove({ force: true, v: true, abortSignal })).catch(() => {});
  }
}
