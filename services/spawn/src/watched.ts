import type { ServerDoc } from "./decision.ts";
import { hasHandle, type Ledger } from "./ledger.ts";

/** Phases in which a stored handle is watched; a failed server is while something of it is left. */
const PHASES: readonly string[] = ["queued", "starting", "ready", "stopping", "unknown"];

const isWatched = (doc: ServerDoc): boolean =>
  hasHandle(doc) && (PHASES.includes(doc.phase) || (doc.phase === "failed" && doc.deadlineAt !== ""));

/** Which servers of a backend a look asks for. */
export interface Watched {
  /** All that may be there. */
  all(): Promise<ServerDoc[]>;
  /** Those in motion of which it is known how they are. */
  moving(): Promise<ServerDoc[]>;
  /** Those of which nobody could say how they are. */
  unknown(): Promise<ServerDoc[]>;
  /** This server as it is now, if it is still of that generation and watched. */
  again(doc: ServerDoc): Promise<ServerDoc | undefined>;
}

/** Reads them from the ledger: other instances drive too. */
export function watched(ledger: Ledger, backend: string): Watched {
  const read = async (query: Parameters<Ledger["all"]>[0], is = isWatched) => {
    const docs: ServerDoc[] = [];
    for await (const doc of ledger.all(query)) if (is(doc)) docs.push(doc);
    return docs;
  };
  const phases = { or: [{ phase: { in: [...PHASES] } }, { phase: "failed", inMotion: true }] };
  return {
    all: () => read({ where: { backend, ...phases }, sort: { by: ["backend", "_id"] } }),
    moving: () =>
      read(
        { where: { backend, inMotion: true }, sort: { by: ["inMotion", "_id"] } },
        (doc) => isWatched(doc) && doc.phase !== "unknown",
      ),
    unknown: () => read({ where: { backend, phase: "unknown" }, sort: { by: ["phase", "_id"] } }),
    async again(doc) {
      const current = await ledger.read(doc._id);
      return current?.generation === doc.generation && isWatched(current) ? current : undefined;
    },
  };
}
