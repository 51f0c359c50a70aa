import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { PluginError, type ServerKey, type Spawner, type SpawnerHost, type SpawnRequest } from "@elara/sdk";
import { type LaunchState, startOrTakeBack } from "@elara/sdk/launcher";
import { openSsh, type Ssh } from "@elara/ssh";
import { type Command, checkPlaces } from "./check.ts";
import { codeOf, isRefusal, sshError } from "./errors.ts";
import { HANDLE_VERSION, type Handle } from "./handle.ts";
import { observer, seenRow } from "./observe.ts";
import { ANY, type Options } from "./options.ts";
import { checkOptions, wrong } from "./options-check.ts";
import { type Login, places } from "./places.ts";
import { remote } from "./remote.ts";
import { silences } from "./silences.ts";
import { tunnels } from "./tunnels.ts";

/** How long a port there is not given out again. */
const PORT_REST_SECONDS = 120;

const NOT_HERE = Symbol("not here");

/** What one place knows of a tag. `stray`: it runs without records. */
interface Found {
  readonly handle?: Handle;
  readonly stray?: Handle;
  readonly isOver?: boolean;
}

/** What a machine is told of a server. */
type Begun = Pick<SpawnRequest, "tag" | "argv" | "env" | "servicePrefix">;

function open(config: Options, host: SpawnerHost): Ssh {
  try {
    return openSsh(config.ssh, host);
  } catch (error) {
    throw wrong("ssh", error instanceof Error ? error.message : String(error), error);
  }
}

/** The spawner for these options; nothing of a server is kept here. */
export function sshSpawner(config: Options, host: SpawnerHost): Spawner<Options, Handle> {
  const where = places(config);
  const ssh = open(config, host);
  host.onClose(() => ssh.close());
  const { heed, isSilent } = silences();
  const there = remote(ssh, config, { heed });
  const ends = tunnels(ssh, config.forwardHost, host);
  const rowsOf = observer({ places: where, remote: there, tunnels: ends, portRange: config.portRange }, host);
  const apiUrl = config.apiUrl || host.apiUrl;

  const handleOf = (
    { place, account, dir }: Login,
    state: Pick<LaunchState, "bootId" | "child" | "port">,
  ): Handle => ({
    v: HANDLE_VERSION,
    host: place.name,
    address: place.host,
    port: place.port,
    account,
    dir,
    connect: config.connect,
    bootId: state.bootId,
    pid: state.child?.pid ?? 0,
    serverPort: state.port ?? 0,
  });

  const stop = (login: Login, tag: string, graceSeconds: number) =>
    there.at(login)({ action: "stop", tag, graceSeconds });
  const cleanup = (login: Login, tag: string) => there.at(login)({ action: "cleanup", tag });

  /** Starts a process, or finds the one of this tag. Of one that failed or was cancelled nothing is left. */
  function begin(request: Begun, login: Login, signal?: AbortSignal): Promise<LaunchState> {
    const order = {
      action: "start" as const,
      tag: request.tag,
      ownAccount: true,
      argv: request.argv,
      env: { PATH: config.path, LANG: "C.UTF-8", ...request.env },
      servicePrefix: request.servicePrefix,
      host: login.place.bind,
      portRange: config.portRange,
      portRestSeconds: PORT_REST_SECONDS,
      logBytes: config.logBytes,
    };
    const failure = (code: string, detail: string) =>
      sshError(codeOf(code), { host: login.place.name, detail });
    return startOrTakeBack(there.at(login), order, { signal, log: host.log, failure });
  }

  /** A whole start of nobody's server, taken back at once. */
  async function attempt(login: Login, { argv, env }: Command, signal: AbortSignal): Promise<void> {
    const tag = `check${randomBytes(10).toString("hex")}`;
    await begin({ tag, argv: [...argv, "--version"], env, servicePrefix: "/" }, login, signal);
    await stop(login, tag, 0);
    await cleanup(login, tag);
  }

  /** What is known of this tag at one place. A claim of this moment has no record yet: then it waits a little. */
  async function found(login: Login, tag: string, signal: AbortSignal): Promise<Found> {
    for (let attempt = 0; ; attempt += 1) {
      const answer = await there.look(login, [tag], signal);
      const seen = answer.servers[tag];
      if (seen?.state) {
        const handle = handleOf(login, seen.state);
        const { row } = seenRow(tag, handle, answer);
        return row.state === "ended" || row.state === "lost" ? { isOver: true } : { handle };
      }
      // Its records are gone, it is not.
      if (seen?.stray) return { stray: handleOf(login, { bootId: answer.bootId, child: null }) };
      if (!seen?.claimed || attempt === 10) return { isOver: seen?.exit != null };
      await pause(100, undefined, { signal });
    }
  }

  /** Where nobody answers it is left: a start that failed does not wait for every machine. */
  async function cleanUpAnywhere(key: ServerKey): Promise<void> {
    const asked = where.loginsFor(key).map(async (login) => {
      await cleanup(login, key.tag).catch((error: unknown) => {
        if (error instanceof PluginError && error.code === "SSH_STILL_RUNNING") throw error;
        host.log.warn(
          { tag: key.tag, host: login.place.name, err: error },
          "a start may have left something",
        );
      });
    });
    await Promise.all(asked);
  }

  return {
    async start(request, { signal, progress }) {
      signal.throwIfAborted();
      const account = where.accountOf(request.user.name);
      if (account === undefined)
        throw sshError("SSH_ACCOUNT_REFUSED", { detail: { user: request.user.name }, nothingMade: true });
      const login = where.login(where.chosen(request, isSilent), account);
      progress("connecting", `Connecting to ${login.place.name}`, 5);
      await there.connect(login, signal);
      progress("launching", `Starting a process on ${login.place.name}`, 10);
      return handleOf(login, await begin(request, login, signal));
    },

    async observe(servers) {
      return { complete: true, rows: await rowsOf(servers) };
    },

    async stop({ tag, handle }, { graceSeconds }) {
      await stop(where.loginOf(handle), tag, graceSeconds);
    },

    async locate(key, { signal }) {
      // The first that has it; an answer of all is awaited only when nobody does.
      const others: Found[] = [];
      const hits = where.loginsFor(key).map(async (login) => {
        const hit = await found(login, key.tag, signal);
        if (hit.handle) return hit.handle;
        others.push(hit);
        throw NOT_HERE;
      });
      return Promise.any(hits).catch((error: AggregateError) => {
        // Where nobody answered it may be.
        const blind = error.errors.filter((reason) => reason !== NOT_HERE);
        // One that is silent may have it; of those that refuse, nothing else will ever be heard.
        if (blind.length > 0) throw blind.find((reason) => !isRefusal(reason)) ?? blind[0];
        // Two names may mean one machine, and processes are seen by both: records come first.
        return others.some(({ isOver }) => isOver) ? undefined : others.find(({ stray }) => stray)?.stray;
      });
    },

    async logs({ tag, handle }, { lines, signal }) {
      return (await there.log(where.loginOf(handle), tag, lines, signal)).lines;
    },

    async form() {
      return { host: { enum: [ANY, ...where.names] } };
    },

    async apiUrl() {
      return apiUrl;
    },

    checkOptions: (options) => checkOptions(options),

    check: (command, { signal }) => {
      const tried = (login: Login) => attempt(login, command, signal);
      return checkPlaces(config, { places: where, remote: there, apiUrl, attempt: tried }, command);
    },

    async cleanup({ handle, ...key }) {
      await ends.close(key.tag);
      if (handle) await cleanup(where.loginOf(handle), key.tag);
      else await cleanUpAnywhere(key);
    },
  };
}
