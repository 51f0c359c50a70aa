import { mkdirSync } from "node:fs";
import { access, constants } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { PluginHost, Row, Spawner, SpawnRequest, StoredServer } from "@elara/sdk";
import { attender, type Launch, readLog, runLauncher, startOrTakeBack } from "@elara/sdk/launcher";
import type { Static } from "typebox";
import { homeOf, kept, personal, withAllowRoot } from "./environment.ts";
import { accountError, codeOf, localError } from "./errors.ts";
import { type Handle, handleOf } from "./handle.ts";
import { locate } from "./locate.ts";
import { livingOnce, look } from "./observe.ts";
import type { options } from "./options.ts";
import { checkOptions } from "./options-check.ts";
import { checkPython, findPython } from "./python.ts";

type Options = Static<typeof options>;

/** The spawner for these options; all its state lies in the host's data folder. Throws LOCAL_RUN_DIR_UNUSABLE. */
export function localSpawner(config: Options, host: PluginHost): Spawner<Options, Handle> {
  const runDir = join(host.dataDir, "run");
  const unusable = (error: unknown): never => {
    throw localError("LOCAL_RUN_DIR_UNUSABLE", { runDir }, error);
  };
  // Made now: from here on its absence means that it is away, not that nothing was started yet.
  try {
    mkdirSync(runDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    unusable(error);
  }
  const attend = attender(host.log);
  const failureOf = (account?: string) => (code: string, message: string) =>
    accountError(codeOf(code), message, account);

  /** The launcher for servers whose folders lie beside this one; as this account, where servers have one. */
  function beside(dir: string, account?: string): Launch {
    return async (order) => {
      const asked = { ...order, runDir: dirname(dir) };
      const answer = await runLauncher(findPython(config.python), asked).catch((error: unknown) => {
        throw localError("LOCAL_PYTHON_MISSING", undefined, error);
      });
      if (!answer.ok) throw failureOf(account)(answer.code, answer.message);
      return answer;
    };
  }

  async function rowOf(server: StoredServer<Handle>, living: () => Set<string>): Promise<Row> {
    const { tag, handle } = server;
    try {
      const { row, unattended } = await look(tag, handle, living);
      if (unattended) void attend(tag, beside(handle.dir), { checkListener: config.checkListener });
      return row;
    } catch (error) {
      host.log.warn({ tag, err: error }, "records cannot be read");
      return { tag, state: "unknown", reason: "its records cannot be read" };
    }
  }

  async function orderOf(request: SpawnRequest<Options>) {
    const account = config.systemAccounts ? request.user.name : undefined;
    const home = account === undefined ? await homeOf(config.homes, host.dataDir, request.user.name) : "";
    return {
      action: "start" as const,
      tag: request.tag,
      argv: withAllowRoot(request.argv, account === undefined && process.getuid?.() === 0),
      env: {
        ...kept(config.environmentKeep),
        ...(account === undefined && personal(request.user.name, home)),
        ...request.env,
      },
      servicePrefix: request.servicePrefix,
      host: config.host,
      portRange: config.portRange,
      portRestSeconds: config.portRestSeconds,
      logBytes: config.logBytes,
      umask: config.umask,
      limits: config.limits,
      checkListener: config.checkListener,
      ...(account === undefined ? { cwd: home } : { account, minUid: config.minUid }),
    };
  }

  return {
    async start(request, { signal, progress }) {
      signal.throwIfAborted();
      const dir = join(runDir, request.tag);
      progress("launching", "Starting a process", 10);
      const order = await orderOf(request);
      const account = config.systemAccounts ? request.user.name : undefined;
      const call = { signal, log: host.log, failure: failureOf(account) };
      return handleOf(dir, await startOrTakeBack(beside(dir, account), order, call));
    },

    async observe(servers) {
      const living = livingOnce();
      const rows = await Promise.all(servers.map((server) => rowOf(server, living)));
      return { complete: true, rows };
    },

    async stop({ tag, handle }, { graceSeconds }) {
      await beside(handle.dir)({ action: "stop", tag, graceSeconds });
    },

    async locate({ tag }, { signal }) {
      await access(runDir).catch(unusable);
      return locate(runDir, tag, signal);
    },

    logs: ({ handle }, { lines }) => readLog(handle.dir, lines),

    checkOptions: (options) => checkOptions(options, host.dataDir),

    async check() {
      if (process.platform !== "linux") throw localError("LOCAL_LINUX_ONLY");
      if (config.systemAccounts && process.getuid?.() !== 0) throw localError("LOCAL_NEEDS_ROOT");
      await checkPython(findPython(config.python));
      await access(runDir, constants.W_OK).catch(unusable);
      // The whole way once, for a server nobody has.
      const tag = "nobodynobody";
      await beside(join(runDir, tag))({ action: "attend", tag });
    },

    async cleanup({ tag, handle }) {
      await beside(handle?.dir ?? join(runDir, tag))({ action: "cleanup", tag });
    },
  };
}
