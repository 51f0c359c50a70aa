import { mkdirSync } from "node:fs";
import { access, constants } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { PluginHost, Row, Spawner, SpawnRequest, StoredServer } from "@elara/sdk";
import { type LaunchOrder, readLog, runLauncher } from "@elara/sdk/launcher";
import type { Static } from "typebox";
import { homeOf, kept, personal, withAllowRoot } from "./environment.ts";
import { codeOf, localError } from "./errors.ts";
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
  const attending = new Set<string>();

  async function launch(order: LaunchOrder) {
    const answer = await runLauncher(findPython(config.python), order).catch((error: unknown) => {
      throw localError("LOCAL_PYTHON_MISSING", undefined, error);
    });
    if (!answer.ok) throw localError(codeOf(answer.code), answer.message);
    return answer;
  }

  const stop = (dir: string, tag: string, graceSeconds: number) =>
    launch({ action: "stop", runDir: dirname(dir), tag, graceSeconds });
  const cleanup = (dir: string, tag: string) => launch({ action: "cleanup", runDir: dirname(dir), tag });

  /** A killed launcher left this server alone: a new one takes over. One call per server at a time. */
  async function attend({ tag, handle: { dir } }: StoredServer<Handle>): Promise<void> {
    if (attending.has(tag)) return;
    attending.add(tag);
    try {
      await launch({ action: "attend", runDir: dirname(dir), tag, checkListener: config.checkListener });
      host.log.warn({ tag }, "launcher was gone, another one took over");
    } catch (error) {
      host.log.warn({ tag, err: error }, "launcher is gone, none could take over");
    } finally {
      attending.delete(tag);
    }
  }

  async function rowOf(server: StoredServer<Handle>, living: () => Set<string>): Promise<Row> {
    const { tag, handle } = server;
    try {
      const { row, unattended } = await look(tag, handle, living);
      if (unattended) void attend(server);
      return row;
    } catch (error) {
      host.log.warn({ tag, err: error }, "records cannot be read");
      return { tag, state: "unknown", reason: "its records cannot be read" };
    }
  }

  async function submit(request: SpawnRequest<Options>, dir: string) {
    const account = config.systemAccounts ? request.user.name : undefined;
    const home = account === undefined ? await homeOf(config.homes, host.dataDir, request.user.name) : "";
    return launch({
      action: "start",
      runDir: dirname(dir),
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
    });
  }

  return {
    async start(request, { signal, progress }) {
      signal.throwIfAborted();
      const dir = join(runDir, request.tag);
      progress("launching", "Starting a process", 10);
      signal.throwIfAborted();
      const { state, exit, claimed = false } = await submit(request, dir);
      const failed = exit?.cause === "failed" ? exit : undefined;
      // It was not cut short on the way, so what it made is known and can be taken back; another start's server is not.
      const isTakenBack = signal.aborted && claimed;
      if (isTakenBack && !failed) await stop(dir, request.tag, 0);
      if (isTakenBack || failed) {
        await cleanup(dir, request.tag).catch((error: unknown) =>
          host.log.warn({ tag: request.tag, err: error }, "a start that failed left something behind"),
        );
      }
      signal.throwIfAborted();
      if (failed) throw localError(codeOf(failed.code ?? ""), failed.message);
      if (!state) throw localError("LOCAL_LAUNCHER_FAILED", "it left no record");
      return handleOf(dir, state);
    },

    async observe(servers) {
      const living = livingOnce();
      const rows = await Promise.all(servers.map((server) => rowOf(server, living)));
      return { complete: true, rows };
    },

    async stop({ tag, handle }, { graceSeconds }) {
      await stop(handle.dir, tag, graceSeconds);
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
      await launch({ action: "attend", runDir, tag: "nobodynobody" });
    },

    async cleanup({ tag, handle }) {
      await cleanup(handle?.dir ?? join(runDir, tag), tag);
    },
  };
}
