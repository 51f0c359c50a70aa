import type { ErrorEntry } from "./entry.ts";

/** The life of servers. */
export const serversErrors = {
  SERVER_RUNNING: {
    status: 400,
    user: "The server is already running",
    operator: "A start was ordered for a ready server.",
  },
  SERVER_EXISTS: {
    status: 409,
    user: "A server of this name already exists",
    operator: "Names of a user's servers are unique.",
  },
  SERVER_ACTIVE: {
    status: 409,
    user: "The server was used a moment ago and is kept.",
    operator: "The culler's view was older than the activity known now. Nothing to do.",
  },
  SERVER_REPLACED: {
    status: 409,
    user: "The server was started anew meanwhile. Look at it again.",
    operator: "The order names a generation that another one has followed. Nothing to do.",
  },
  SERVER_NAME_INVALID: {
    status: 400,
    user: "Invalid server name",
    operator:
      "1–30 characters: lower-case letters, digits, single hyphens; starts with a letter, ends alphanumeric; no page of the default server (api, lab, files …).",
  },
  SERVER_NAMED_OFF: {
    status: 400,
    user: "Named servers are not enabled.",
    operator: "A named server was asked for while `hub.namedServers` is false.",
  },
  SERVER_NAMED_LIMIT: {
    status: 400,
    user: "You have as many named servers as you may have. Remove one first.",
    operator: "The user has `spawn.namedServerLimit` named servers.",
  },
  SERVER_REDIRECT_LOOP: {
    status: 500,
    user: "Redirect loop detected.",
    operator:
      "The ledger says this server is ready, but the proxy keeps sending its requests to the hub. Is the proxy reading the store?",
  },
  SPAWN_OPTIONS_INVALID: {
    status: 400,
    user: "The chosen options are not valid.",
    operator:
      "The message names the field. The options schema of the spawner or profile says what is accepted.",
  },
  SPAWN_PROFILE_UNKNOWN: {
    status: 400,
    user: "There is no such profile.",
    operator:
      "The profile is not configured in `spawn.profiles`, or not offered to the server's owner (`visibleTo`). The answer is the same for both.",
  },
  SPAWN_TOO_MANY: {
    status: 429,
    user: "Too many users trying to log in right now. Try again in a moment.",
    operator: "`spawn.concurrentLimit` starts are pending.",
    retryable: true,
  },
  SPAWN_ACTIVE_LIMIT: {
    status: 429,
    user: "Active user limit exceeded. Try again in a few minutes.",
    operator: "`spawn.activeLimit` servers are running or starting.",
    retryable: true,
  },
  SPAWN_SUBMIT_FAILED: {
    status: 500,
    user: "Your server could not be started.",
    operator:
      "The spawner's `start` failed without a code of its own; the log line has the error. Look at the backend.",
  },
  SPAWN_SUBMIT_TIMEOUT: {
    status: 504,
    user: "The place where your server should start did not answer in time.",
    operator: "The plugin's `start` did not return within `spawn.submitSeconds`. Look at the backend.",
  },
  SPAWN_BOOT_TIMEOUT: {
    status: 504,
    user: "Your server was started but did not open its port in time.",
    operator:
      "The backend took the start but no address was seen within `spawn.bootSeconds`. The log tail may say why.",
  },
  SPAWN_HTTP_TIMEOUT: {
    status: 504,
    user: "Your server started but never answered.",
    operator:
      "Nothing below 500 came from the server's address within `spawn.httpSeconds`. Its log tail may say why.",
  },
  SPAWN_ENDED: {
    status: 500,
    user: "Your server ended before it was ready.",
    operator: "The process exited while starting. Its exit code and last lines are with the attempt.",
  },
  SPAWN_CANCELLED: {
    status: 400,
    user: "Spawn cancelled",
    operator: "The user or an administrator stopped the start.",
  },
  SPAWN_STOP_TIMEOUT: {
    status: 504,
    user: "Your server does not stop. The administrators can see it.",
    operator:
      "The backend still shows it after `spawn.stopSeconds`; the stop is repeated. Look at the backend.",
  },
  SPAWN_BACKEND_AWAY: {
    status: 503,
    user: "The place where your server runs does not answer. Nothing is lost; the hub keeps asking.",
    operator: "The plugin could not observe. The server stays `unknown`, its route is kept.",
    retryable: true,
  },
  SPAWN_BACKEND_UNKNOWN: {
    status: 500,
    user: "This server was started by a spawner the hub no longer has.",
    operator:
      "The ledger names a spawner that is not in `spawners`. Configure it again to take the server back.",
  },
  SERVER_ENDED: {
    status: 500,
    user: "Your server ended.",
    operator: "The process ended by itself; exit code and last lines are with the attempt.",
  },
} as const satisfies Record<string, ErrorEntry>;
