import { setTimeout as pause } from "node:timers/promises";
import {
  foreignHandle,
  type Row,
  type Spawner,
  type SpawnerHost,
  type SpawnRequest,
  type StartCall,
} from "@elara/sdk";
import type Docker from "dockerode";
import { checkDocker } from "./check.ts";
import { containerOf, imageOf, LABEL, nameOf } from "./container.ts";
import { ask, askFor, openEngine, statusOf, wordOf } from "./engine.ts";
import { dockerError } from "./errors.ts";
import { HANDLE_VERSION, type Handle, handleOf } from "./handle.ts";
import { hubAddress } from "./hub-address.ts";
import { machine } from "./limits.ts";
import { logLines } from "./log-lines.ts";
import type { Options } from "./options.ts";
import { checkOptions } from "./options-check.ts";
import { portInside, portOfMachine } from "./port.ts";
import { pullImage } from "./pull.ts";
import { tell } from "./refusal.ts";
import { endedRow, isSettling, listedRow } from "./rows.ts";

/** A container that was made but not begun for so long was left by a hub that died in between. */
const LEFT_AFTER_MS = 10_000;

/** The spawner for these options. It keeps nothing: what it knows is asked of the engine. */
export function dockerSpawner(config: Options, host: SpawnerHost): Spawner<Options, Handle> {
  const docker = openEngine(config);
  const engineHost = String(Reflect.get(docker.modem, "host") || "127.0.0.1");
  const limits = machine(docker, host.now);
  const beginning = new Set<string>();

  const inspect = (name: string, signal?: AbortSignal) =>
    askFor((abortSignal) => docker.getContainer(name).inspect({ abortSignal }), signal ? { signal } : {});

  const isOwn = ({ Config }: Docker.ContainerInspectInfo, tag: string): boolean =>
    Config.Labels?.[LABEL.hub] === host.hubId && Config.Labels[LABEL.tag] === tag;

  /** The container of this server if this hub made it: by its id, for it may have been renamed, else by its name. */
  async function own(
    { tag, handle }: { tag: string; handle?: Handle },
    signal?: AbortSignal,
  ): Promise<Docker.ContainerInspectInfo | undefined> {
    for (const name of namesOf(tag, handle)) {
      const info = await inspect(name, signal);
      if (info && isOwn(info, tag)) return info;
    }
    return undefined;
  }

  const remove = (id: string, force: boolean) =>
    askFor((abortSignal) => docker.getContainer(id).remove({ force, v: true, abortSignal }));

  /** Begins what was made. Begun already is as good. */
  const begin = (id: string) =>
    ask((abortSignal) => docker.getContainer(id).start({ abortSignal })).catch((error: unknown) => {
      if (statusOf(error) !== 304) throw error;
    });

  /** Makes the container. Undefined: one of its name is there. */
  async function make(request: SpawnRequest<Options>, call: StartCall): Promise<string | undefined> {
    const { options, tag } = request;
    const isHost = options.network === "host";
    const port = isHost ? await portOfMachine(tag, options) : portInside(tag, options);
    const bind = isHost && engineHost === "127.0.0.1" ? "127.0.0.1" : "0.0.0.0";
    const body = containerOf(request, { hubId: host.hubId, port, bind });
    // Kept apart, because dockerode would write all of it into the URL, and engines log URLs.
    const order = { _query: { name: nameOf(tag) }, _body: body };
    const create = () => ask((abortSignal) => docker.createContainer({ ...order, abortSignal }));
    const image = imageOf(options);
    if (options.pull === "always") await pullImage(docker, image, call);
    call.progress("creating", "Making a container", 65);
    call.signal.throwIfAborted();
    for (let isPulled = options.pull === "always"; ; isPulled = true) {
      try {
        return (await create()).id;
      } catch (error) {
        if (statusOf(error) === 409) return undefined;
        if (statusOf(error) !== 404 || !/no such image/i.test(wordOf(error)) || isPulled) throw error;
        if (options.pull === "never") throw dockerError("DOCKER_IMAGE_MISSING", { detail: { image } });
        await pullImage(docker, image, call);
      }
    }
  }

  /** The handle of a container that another call made, which is begun if that call did not come to it. */
  async function adopt(tag: string): Promise<Handle | undefined> {
    const info = await inspect(nameOf(tag));
    if (info && !isOwn(info, tag)) throw dockerError("DOCKER_NAME_TAKEN", { detail: { container: info.Id } });
    if (info?.State.Status === "created") await begin(info.Id);
    return info && handleOf(info.Id);
  }

  async function start(request: SpawnRequest<Options>, call: StartCall): Promise<Handle> {
    const { signal } = call;
    signal.throwIfAborted();
    // Until it has answered once, nothing was asked of it that could make something.
    await ask(() => docker.ping(), { signal }).catch((error: unknown) => {
      if (statusOf(error) > 0) return;
      throw dockerError("DOCKER_ENGINE_AWAY", { detail: wordOf(error), cause: error, nothingMade: true });
    });
    // A name is taken a moment before its container can be seen, and freed by the end of a start that was cancelled.
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const found = await adopt(request.tag);
      if (found) return found;
      const id = await make(request, call);
      if (id === undefined) {
        await pause(100, undefined, { signal });
        continue;
      }
      try {
        call.progress("starting", "Starting the container", 80);
        signal.throwIfAborted();
        await begin(id);
        signal.throwIfAborted();
        return handleOf(id);
      } catch (error) {
        await remove(id, true).catch((left: unknown) =>
          host.log.warn({ tag: request.tag, err: left }, "a start that failed left its container"),
        );
        throw error;
      }
    }
    throw dockerError("DOCKER_REFUSED", { detail: "its name is taken, but no container has it" });
  }

  async function rowOf(tag: string, info: Docker.ContainerInfo): Promise<Row | undefined> {
    const row = listedRow(tag, info, engineHost);
    if (row) return row;
    const known = await askFor((abortSignal) => docker.getContainer(info.Id).inspect({ abortSignal }));
    if (!known) return undefined;
    const { Status, Error: word } = known.State;
    if (Status === "exited" && isSettling(known.State, host.now())) return { tag, state: "stopping" };
    if (Status === "exited" || Status === "dead" || (Status === "created" && word !== ""))
      return endedRow(tag, known.State);
    // It went on between the two questions.
    if (Status !== "created") return { tag, state: "starting" };
    if (host.now() - info.Created * 1000 > LEFT_AFTER_MS && !beginning.has(tag)) {
      beginning.add(tag);
      void begin(info.Id)
        .catch((error: unknown) =>
          host.log.warn({ tag, err: error }, "a container that was left cannot be begun"),
        )
        .finally(() => beginning.delete(tag));
    }
    return { tag, state: "submitting" };
  }

  return {
    start: (request, call) => start(request, call).catch(tell),

    async observe(servers, { signal }) {
      const filters = { label: [`${LABEL.hub}=${host.hubId}`] };
      const list = await ask((abortSignal) => docker.listContainers({ all: true, filters, abortSignal }), {
        signal,
      });
      // By id or name, which only one can have: labels are copied with a container's image.
      const known = new Map(list.flatMap((info) => [info.Id, ...info.Names].map((name) => [name, info])));
      const rows: Row[] = [];
      for (const { tag, handle } of servers) {
        const [info] = namesOf(tag, handle)
          .flatMap((name) => known.get(name) ?? known.get(`/${name}`) ?? [])
          .filter(({ Labels }) => Labels[LABEL.tag] === tag);
        if (handle.v !== HANDLE_VERSION) rows.push(foreignHandle(tag, handle.v));
        else if (info) {
          const row = await rowOf(tag, info).catch((error: unknown): Row => {
            if (statusOf(error) === 0) throw error;
            return { tag, state: "unknown", reason: `the engine cannot tell of it: ${wordOf(error)}` };
          });
          if (row) rows.push(row);
        }
      }
      return { complete: true, rows };
    },

    async stop(server, { graceSeconds, signal }) {
      const info = await own(server, signal);
      if (!info) return;
      const container = docker.getContainer(info.Id);
      const t = Math.ceil(graceSeconds);
      await ask((abortSignal) => container.stop({ t, abortSignal }), { signal, seconds: t + 30 }).catch(
        (error: unknown) => {
          if (statusOf(error) !== 304 && statusOf(error) !== 404) throw error;
        },
      );
      // Never begun: nothing has ended, and nobody is to begin it later.
      if (info.State.Status === "created") await remove(info.Id, true);
    },

    async locate({ tag }, { signal }) {
      const info = await own({ tag }, signal);
      return info && !["exited", "dead", "removing"].includes(info.State.Status)
        ? handleOf(info.Id)
        : undefined;
    },

    async logs(server, { lines, signal }) {
      const info = await own(server, signal);
      return info ? logLines(docker.getContainer(info.Id), lines, signal) : [];
    },

    form: async () => ({ image: { enum: config.images, default: config.image || config.images[0] } }),

    apiUrl: () => hubAddress(docker, config, host).catch(tell),

    async checkOptions(options, { signal }) {
      checkOptions(options, config);
      await limits.holds(options, signal);
    },

    check: () => checkDocker(docker, config, host).catch(tell),

    async cleanup(server) {
      const info = await own(server);
      if (info?.State.Running) throw dockerError("DOCKER_STILL_RUNNING");
      // What never began has no output to be kept.
      if (info && (config.remove || info.State.Status === "created"))
        await remove(info.Id, false).catch((error: unknown) => {
          if (!/already in progress/.test(wordOf(error))) throw error;
        });
    },
  };
}

/** What a server's container may be found by. */
const namesOf = (tag: string, handle?: Handle): string[] =>
  handle?.v === HANDLE_VERSION ? [handle.container, nameOf(tag)] : [nameOf(tag)];
