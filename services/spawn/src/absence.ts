import { timestamp } from "@elara/runtime/clock";
import type { Observation } from "@elara/sdk";
import { causeOfEnd } from "./causes.ts";
import { causeTime, failStart, markGone } from "./fail.ts";
import { hasHandle, type ServerDoc } from "./ledger.ts";
import { isStarting, phaseOf } from "./phases.ts";
import { markUnknown, reasonOf } from "./rows.ts";
import type { Look } from "./second-find.ts";

/** Complete answers in a row, without it, after which a server is searched for by its tag. */
const ABSENCES = 2;

/** Servers that the last observations did not show. */
export interface Absences {
  /** It was not shown. Two complete answers running, and its tag does not find it: it is gone. */
  missed(doc: ServerDoc, seen: Observation): Promise<void>;
  /** It was shown, or nobody answered at all. */
  forget(serverId?: string): void;
  /** Keeps only these. */
  keep(serverIds: ReadonlySet<string>): void;
  readonly size: number;
}

/** Counts absences, in memory: after a change of observers the count begins anew, which only takes longer. */
export function absences({ parts, backend, call }: Look): Absences {
  const missing = new Map<string, { handleAt: string; times: number }>();

  const markLost = async (doc: ServerDoc): Promise<void> => {
    const row = { tag: doc.tag, state: "lost" as const, reason: "The backend does not know it any more." };
    const why = (code: "SPAWN_ENDED" | "SERVER_ENDED") =>
      causeOfEnd(code, row, backend.plugin.errors, causeTime(parts));
    const phase = phaseOf(doc);
    if (doc.phase !== "failed" && isStarting(phase))
      await failStart(parts, backend, { doc, cause: why("SPAWN_ENDED"), isGone: true });
    else if (phase === "ready") await markGone(parts, backend, { doc, ended: why("SERVER_ENDED") });
    else await markGone(parts, backend, { doc });
  };

  return {
    async missed(doc, seen) {
      if (!seen.complete) return void missing.delete(doc._id);
      // Stored after the look began: it could not be in it.
      if (doc.handleAt >= seen.startedAt) return;
      const known = missing.get(doc._id);
      const times = known?.handleAt === doc.handleAt ? known.times + 1 : 1;
      missing.set(doc._id, { handleAt: doc.handleAt, times });
      if (times < ABSENCES) return;
      let found: Record<string, unknown> | undefined;
      try {
        found = await call((signal) => backend.spawner.locate(doc.tag, { signal }));
      } catch (error) {
        return markUnknown(parts, doc, reasonOf(error));
      }
      missing.delete(doc._id);
      if (found === undefined) return markLost(doc);
      const handle = backend.handle(found);
      await parts.ledger.change(doc._id, (current) =>
        current.generation === doc.generation && hasHandle(current)
          ? { set: { handle, handleAt: timestamp(parts.clock.now()) } }
          : undefined,
      );
    },
    forget(serverId) {
      if (serverId === undefined) missing.clear();
      else missing.delete(serverId);
    },
    keep(serverIds) {
      for (const id of missing.keys()) if (!serverIds.has(id)) missing.delete(id);
    },
    get size() {
      return missing.size;
    },
  };
}
