import { isAway } from "@elara/runtime/is-away";
import type { ServerDoc } from "./decision.ts";
import { hasHandle } from "./ledger.ts";
import type { SpawnParts } from "./parts.ts";
import { markUnknown } from "./rows.ts";

/** Servers whose spawner is not configured any more: nobody looks at them, and they say so. */
export interface Unserved {
  close(): Promise<void>;
}

/** Words for the owner. */
const reasonFor = (backend: string): string =>
  `The spawner "${backend}" that started it is not configured any more.`;

/** Those of which somebody could still ask how they are; others that are in motion only say why they wait. */
const LIVING: readonly string[] = ["queued", "starting", "ready", "unknown"];

/**
 * Looks for them now and again: a replica that leaves, still with the spawner, may have found one ready meanwhile. Once
 * their spawner is back, its observer finds them and their drivers go on.
 */
export function watchUnserved(parts: SpawnParts): Unserved {
  const { ledger, backends, log, pace, row } = parts;
  let isClosing = false;

  const tell = async (doc: ServerDoc): Promise<void> => {
    const reason = reasonFor(doc.backend);
    if (LIVING.includes(doc.phase) && hasHandle(doc)) return markUnknown(parts, doc, { reason });
    if (!doc.inMotion || doc.reason === reason) return;
    await ledger.change(doc._id, (current) =>
      current.generation === doc.generation && current.phase === doc.phase && current.inMotion
        ? { set: { reason } }
        : undefined,
    );
  };
  const look = async (): Promise<void> => {
    try {
      const where = {
        and: backends.list.map(({ name }) => ({ backend: { ne: name } })),
        or: [{ phase: { in: [...LIVING] } }, { inMotion: true }],
      };
      for await (const doc of ledger.all({ where })) {
        if (isClosing || row.fenced()) return;
        await tell(doc);
      }
    } catch (error) {
      if (!isAway(error)) log.error({ err: error }, "servers of missing spawners not told");
    }
  };
  let looking = look();
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, pace.unservedMs);

  return {
    async close() {
      isClosing = true;
      clearInterval(timer);
      await looking;
    },
  };
}
