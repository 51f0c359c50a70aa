import type { ServerDoc } from "../ledger.ts";
import type { SpawnParts } from "../parts.ts";

const MOST = 200;

/** A plugin's own steps, one after the other, and never more than a page can show. */
export function progressOf(parts: SpawnParts, doc: ServerDoc) {
  let chain: Promise<void> = Promise.resolve();
  let told = 0;
  return {
    add(step: string, message: string, progress = 20): void {
      if (++told > MOST) return;
      chain = chain
        .then(() => parts.steps.addOther(doc, { step, message, progress: 10 + progress * 0.4 }))
        .catch((error: unknown) => parts.log.warn({ serverId: doc._id, err: error }, "step not kept"));
    },
    settled: () => chain,
  };
}
