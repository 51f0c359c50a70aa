import { timestamp } from "@elara/runtime/clock";
import type { ServerDoc } from "../decision.ts";
import { hasHandle } from "../ledger.ts";
import { isRefusal } from "../promises.ts";
import { reasonOf } from "../rows.ts";
import { keyOf } from "../stored-server.ts";
import { type Drive, Interrupted } from "./drive.ts";

/** What a search by the tag came to. `waitMs`: nobody could say, ask again after it. */
export type SearchEnd =
  | { readonly found: Record<string, unknown> | undefined; readonly waitMs?: undefined }
  | { readonly waitMs: number };

/** What its people want of it: when that changes, somebody waits, and a search is tried at once. */
const wishOf = ({ desired, removeWhenStopped }: ServerDoc): string => `${desired} ${removeWhenStopped}`;

/**
 * Searches the backend for what a submit may have made. Where it does not answer, the document says why, and it is asked
 * again with growing pauses. Where it refuses for good it is taken for "not there", once the submit's time is over.
 */
export async function search(
  drive: Drive,
  doc: ServerDoc,
  stays: (current: ServerDoc) => boolean,
): Promise<SearchEnd> {
  const { parts, backend, memory } = drive;
  const { clock, log } = parts;
  const wish = wishOf(doc);
  const restMs = memory.search.notBefore - clock.monotonic();
  if (restMs > 0 && wish === memory.search.wish) return { waitMs: restMs };
  // Before the call: a submit that gets through while it is under way may not be seen.
  const overInMs = Date.parse(doc.submitUntil ?? "") - clock.now();
  const say = (reason: string) =>
    parts.ledger.change(doc._id, (current) =>
      drive.isOwn(current) && current.generation === doc.generation && stays(current) && !hasHandle(current)
        ? (current.reason ?? "") === reason
          ? undefined
          : { set: { reason } }
        : undefined,
    );
  try {
    const found = await drive.call(doc, (signal) => backend.spawner.locate(keyOf(doc), { signal }), stays);
    memory.search = { notBefore: 0, wish: "" };
    drive.searchRetry.reset();
    if (doc.reason) await say("");
    return { found };
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    const facts = { serverId: doc._id, backend: doc.backend, err: error };
    const isRefused = isRefusal(error, backend.plugin);
    if (isRefused && overInMs <= 0) {
      log.warn(facts, "backend refuses the search: taken for not there");
      return { found: undefined };
    }
    const pauseMs = drive.searchRetry.next();
    const waitMs = isRefused ? Math.max(1, Math.min(pauseMs, overInMs)) : pauseMs;
    log.warn({ ...facts, againSeconds: Math.round(waitMs / 1000) }, "backend not searched");
    memory.search = { notBefore: clock.monotonic() + waitMs, wish };
    const { reason } = reasonOf(error);
    await say(reason);
    return { waitMs };
  }
}

/** Whether the time of every call that may still get through was over at this moment. */
export const isSubmitOver = (doc: ServerDoc, nowMs: number): boolean =>
  (doc.submitUntil ?? "") <= timestamp(nowMs);
