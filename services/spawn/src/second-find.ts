import { isDeepStrictEqual } from "node:util";
import { timestamp } from "@elara/runtime/clock";
import type { Backend } from "./backends.ts";
import type { ServerDoc } from "./decision.ts";
import type { SpawnParts } from "./parts.ts";
import { isRefusal } from "./promises.ts";
import { keyOf, storedServer } from "./stored-server.ts";
import type { Watched } from "./watched.ts";

/** What a look at a backend works with. */
export interface Look {
  readonly parts: SpawnParts;
  readonly backend: Backend;
  readonly watched: Watched;
  /** A call of the plugin that ends in bounded time, and when this instance is fenced. */
  readonly call: <T>(work: (signal: AbortSignal) => Promise<T>) => Promise<T>;
}

/** The time of an old submit call is over, and what it may have made was not searched for yet. */
export const wantsSecondFind = (doc: ServerDoc, nowMs: number): boolean =>
  doc.submitUntil !== undefined && doc.submitUntil !== "" && doc.submitUntil <= timestamp(nowMs);

/**
 * Its tag is searched for once more, and a second server that the old call may have made is stopped. Until it can be
 * told apart from the first, nothing is done.
 */
export async function stopSecondFind(look: Look, seen: ServerDoc): Promise<void> {
  const { parts, backend, watched, call } = look;
  const { ledger, log } = parts;
  const found = await call((signal) => backend.spawner.locate(keyOf(seen), { signal })).catch(
    (error: unknown) => {
      // Nothing else will ever be heard.
      if (isRefusal(error, backend.plugin)) return undefined;
      throw error;
    },
  );
  const doc = await watched.again(seen);
  if (!doc) return;
  const verdict = found === undefined ? "same" : await compare(look, doc, found);
  if (verdict === "unclear") return;
  if (found !== undefined && verdict === "second") {
    log.warn({ serverId: doc._id, generation: doc.generation }, "second server of a tag stopped");
    const { graceSeconds } = backend.clocks;
    await call((signal) => backend.spawner.stop(storedServer(doc, found), { graceSeconds, signal }));
  }
  await ledger.change(doc._id, (current) =>
    current.generation === doc.generation && current.submitUntil === doc.submitUntil
      ? { set: { submitUntil: "" } }
      : undefined,
  );
}

/** Handles may differ in what is only for people: the same address is the same server. No address yet: not now. */
async function compare({ backend, call }: Look, doc: ServerDoc, found: Record<string, unknown>) {
  if (isDeepStrictEqual(backend.handle(found), doc.handle)) return "same";
  const seen = await call((signal) =>
    backend.spawner.observe([{ ...storedServer(doc, found), url: "" }], { signal }),
  );
  const url = seen.rows.find((row) => row.tag === doc.tag)?.url ?? "";
  if (url === "" || doc.url === "") return "unclear";
  return url === doc.url ? "same" : "second";
}
