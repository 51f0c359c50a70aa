import { PluginError, type PluginErrors } from "@elara/sdk";

/** What can go wrong with containers. */
export const errors = {
  DOCKER_ENGINE_AWAY: {
    status: 503,
    user: "The machine that runs sessions does not answer at the moment. Try again in a minute.",
    operator:
      "The container engine does not answer at `engine`. Does it run, and may the hub's account open its socket (group docker)?",
    retryable: true,
  },
  DOCKER_IMAGE_REFUSED: {
    status: 400,
    user: "This image is not offered here.",
    operator: "The image asked for is not in `images` of the spawner.",
  },
  DOCKER_IMAGE_MISSING: {
    status: 500,
    user: "The image of this session is not there. The administrators can see why.",
    operator: "The engine has no such image, and `pull` is never or no registry has it under this name.",
  },
  DOCKER_PULL_FAILED: {
    status: 503,
    user: "The image of this session could not be fetched. Try again in a few minutes.",
    operator: "The engine could not pull the image; the detail has its word.",
    retryable: true,
  },
  DOCKER_COMMAND_MISSING: {
    status: 500,
    user: "This image has no program to run a session with. Choose another one, or tell the administrators.",
    operator:
      "The command (`spawn.command`, or the spawner's own) is not in the image or cannot be executed.",
  },
  DOCKER_VOLUME_UNUSABLE: {
    status: 500,
    user: "The storage of your session cannot be used. Ask the administrators.",
    operator: "A folder of `volumes` is not on the engine's machine, or a mount is refused; see the detail.",
  },
  DOCKER_NETWORK_MISSING: {
    status: 500,
    user: "Sessions cannot be started here at the moment. The administrators can see why.",
    operator: "The engine has no network of the name in `network`: `docker network create NAME`.",
  },
  DOCKER_NAME_TAKEN: {
    status: 409,
    user: "Your session could not be started. The administrators can see why.",
    operator:
      "A container with the name of this session is there that this hub did not make; it is left alone.",
  },
  DOCKER_REFUSED: {
    status: 500,
    user: "Your session could not be started. The administrators can see why.",
    operator: "The engine refused the container; the detail has its word.",
  },
  DOCKER_NO_PORT: {
    status: 503,
    user: "There is no room for another session at the moment. Try again in a few minutes.",
    operator: "Every port of `portRange` is in use on the engine's machine. Widen it.",
    retryable: true,
  },
  DOCKER_OUT_OF_MEMORY: {
    status: 500,
    user: "Your session used more memory than it has. Start it with more, or use less.",
    operator: "The kernel ended it at its limit: `memory` of the spawner.",
  },
  DOCKER_HUB_UNREACHABLE: {
    status: 500,
    user: "Sessions cannot be started here at the moment. The administrators can see why.",
    operator: "Containers cannot reach the hub's internal listener: `network.internalHost`.",
  },
  DOCKER_OPTIONS_INVALID: {
    status: 400,
    user: "What was chosen cannot work.",
    operator: "An option of the docker spawner has a value that cannot work; the message names it.",
  },
  DOCKER_STILL_RUNNING: {
    status: 409,
    user: "The session has not ended yet.",
    operator: "The container of a running session is kept. Stop it first.",
  },
} as const satisfies PluginErrors;

export type DockerErrorCode = keyof typeof errors;

/** An error of this plugin; `detail` and `cause` are for the operator's log only. */
export const dockerError = (
  code: DockerErrorCode,
  more: ConstructorParameters<typeof PluginError>[2] = {},
): PluginError => new PluginError(errors, code, more);

/** An option that cannot work, by its path (`volumes[0].source`). Its user reads `message` where it is a choice of theirs. */
export const optionError = (path: string, operator: string, message?: string): PluginError =>
  dockerError("DOCKER_OPTIONS_INVALID", {
    field: path.split("[")[0] ?? "",
    operator: `${path}: ${operator}`,
    ...(message !== undefined && { message, status: 400 }),
  });
