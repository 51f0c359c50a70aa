import { watchCommandLines } from "@elara/sdk/testing";
import type { Backend } from "../../fixtures/backends/backend.ts";
import type { TestHub } from "../../fixtures/hub.ts";
import type { Session } from "../../fixtures/session.ts";

/** Looks for the secrets of sessions where they must not be, while whole starts go on. */
export interface SecretWatch {
  /** A session that was started under the watch; its record at the backend is read now. */
  add(
    backend: Pick<Backend, "name" | "record">,
    session: Pick<Session, "processes">,
    id: string,
  ): Promise<void>;
  /** Counts what was looked at, and hits. Not ok either when it was blind anywhere: nothing looked at holds no secret. */
  end(hub: Pick<TestHub, "log">): Promise<{ ok: boolean; text: string }>;
}

const SECRETS = ["JUPYTERHUB_API_TOKEN", "JPY_API_TOKEN"];
/** Often enough for programs that live for some milliseconds, and not all of a core for minutes. */
const PAUSE_MS = 10;

/**
 * Begins to look, at sessions of all these backends: hub and nodes are this machine, so that every command line of both is
 * seen.
 */
export async function watchSecrets(
  backends: readonly Pick<Backend, "name" | "record">[],
  watching = watchCommandLines({ pauseMs: PAUSE_MS }),
): Promise<SecretWatch> {
  const watch = await watching;
  const secrets = new Set<string>();
  /** By backend: the command lines of its session, which were there to be seen. */
  const known = new Map<string, readonly string[]>();
  const records = new Map<string, string>();
  return {
    async add(backend, session, id) {
      const servers = session.processes();
      const held = servers.flatMap(({ environment }) => SECRETS.map((name) => environment[name] ?? ""));
      for (const secret of held.filter(Boolean)) secrets.add(secret);
      if (held.some(Boolean))
        known.set(
          backend.name,
          servers.map(({ command }) => command),
        );
      if (backend.record) records.set(backend.name, await backend.record(id));
    },
    async end(hub) {
      const { samples, lines, has } = await watch.stop();
      const log = hub.log();
      const hits = (texts: Iterable<string>): number =>
        [...texts].filter((text) => [...secrets].some((secret) => text.includes(secret))).length;
      const [onLines, inRecords, inLog] = [hits(lines), hits(records.values()), hits([log])];
      const blind = backends.flatMap(({ name, record }) => [
        ...(known.get(name)?.every(has) ? [] : [`command lines of ${name}`]),
        ...(record && !records.get(name)?.trim() ? [`job record of ${name}`] : []),
      ]);
      if (log === "") blind.push("the hub's log");
      return {
        ok: blind.length === 0 && onLines + inRecords + inLog === 0,
        text: [
          `${secrets.size} tokens`,
          `${samples} samples of ps, ${lines.size} different command lines: ${onLines} hits`,
          `${records.size} job records: ${inRecords} hits`,
          `the hub's log: ${inLog} hits`,
          ...(blind.length > 0 ? [`not seen: ${blind.join(", ")}`] : []),
        ].join("; "),
      };
    },
  };
}
