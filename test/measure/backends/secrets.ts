import type { Backend } from "../../fixtures/backends/backend.ts";
import { recordCommandLines } from "../../fixtures/command-lines.ts";
import type { TestHub } from "../../fixtures/hub.ts";
import type { Session } from "../../fixtures/session.ts";

/** Looks for the secrets of sessions where they must not be, while whole starts go on. */
export interface SecretWatch {
  /** A session that was started under the watch; its record at the backend is read now. */
  add(backend: Backend, session: Session, id: string): Promise<void>;
  /** Counts what was looked at, and hits. */
  end(hub: TestHub): Promise<{ ok: boolean; text: string }>;
}

const SECRETS = ["JUPYTERHUB_API_TOKEN", "JPY_API_TOKEN"];

/** Begins to look: hub and nodes are this machine, so that every command line of both is seen. */
export async function watchSecrets(): Promise<SecretWatch> {
  const watch = await recordCommandLines();
  const secrets = new Set<string>();
  const records: string[] = [];
  return {
    async add(backend, session, id) {
      for (const { environment } of session.processes())
        for (const name of SECRETS) if (environment[name]) secrets.add(environment[name]);
      if (backend.record) records.push(await backend.record(id));
    },
    async end(hub) {
      const { samples, lines } = await watch.stop();
      const hits = (texts: Iterable<string>): number =>
        [...texts].filter((text) => [...secrets].some((secret) => text.includes(secret))).length;
      const [onLines, inRecords, inLog] = [hits(lines), hits(records), hits([hub.log()])];
      return {
        ok: secrets.size > 0 && onLines + inRecords + inLog === 0,
        text: `${secrets.size} tokens; ${samples} samples of ps, ${lines.size} different command lines: ${onLines} hits; ${records.length} job records: ${inRecords} hits; the hub's log: ${inLog} hits`,
      };
    },
  };
}
