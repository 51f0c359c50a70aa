import { timestamp } from "@elara/runtime/clock";
import { isAway } from "@elara/runtime/is-away";
import { GivenUp } from "./bounded.ts";
import { causeOfEnd } from "./causes.ts";
import type { ServerDoc } from "./decision.ts";
import { causeTime, failStart, markGone } from "./fail.ts";
import { hasHandle } from "./ledger.ts";
import { isStarting, phaseOf } from "./phases.ts";
import { markUnknown, reasonOf } from "./rows.ts";
import type { Look } from "./second-find.ts";
import { keyOf } from "./stored-server.ts";

/** Complete looks in a row, without it, after which a server is searched for by its tag. */
const ABSENCES = 2;

/** Servers that the last looks did not show. */
export interface Absences {
  /**
   * A look did not show this server, whose handle it had when it began. True: it was missing from two complete
   * looks running and is to be searched for. A look at a part only says that a complete one is wanted soon.
   */
  missed(doc: ServerDoc, look: "complete" | "part"): boolean;
  /** Searches by its tag. Not found: it is gone, unless it was shown meanwhile. */
  search(doc: ServerDoc): Promise<void>;
  /** It was shown, or nobody answered at all. */
  forget(serverId?: string): void;
  /** Keeps only these. */
  keep(serverIds: ReadonlySet<string>): void;
  /** Some are missing and only another complete look can tell. */
  readonly isOpen: boolean;
}

interface Missing {
  readonly generation: number;
  readonly times: number;
}

/**
 * Counts absences, in memory: after a change of observers the count begins anew, which only takes longer. No clock is
 * compared: a look is asked only for handles that are stored already.
 */
export function absences({ parts, backend, watched, call }: Look): Absences {
  const missing = new Map<string, Missing>();

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
    missed(doc, look) {
      const known = missing.get(doc._id);
      const before = known?.generation === doc.generation ? known.times : 0;
      const times = look === "complete" ? before + 1 : before;
      missing.set(doc._id, { generation: doc.generation, times });
      return look === "complete" && times >= ABSENCES;
    },
    async search(doc) {
      /** The doc as it is now, while every look since still missed it. */
      const stillMissing = async () => {
        const known = missing.get(doc._id);
        if (known?.generation !== doc.generation || known.times < ABSENCES) return undefined;
        return watched.again(doc);
      };
      let found: Record<string, unknown> | undefined;
      try {
        found = await call((signal) => backend.spawner.locate(keyOf(doc), { signal }));
      } catch (error) {
        if (error instanceof GivenUp || isAway(error)) throw error;
        const current = await stillMissing();
        return current && markUnknown(parts, current, reasonOf(error));
      }
      const current = await stillMissing();
      if (!current) return;
      missing.delete(doc._id);
      if (found === undefined) return markLost(current);
      const handle = backend.handle(found);
      await parts.ledger.change(doc._id, (now) =>
        now.generation === doc.generation && hasHandle(now)
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
    get isOpen() {
      return [...missing.values()].some(({ times }) => times < ABSENCES);
    },
  };
}
