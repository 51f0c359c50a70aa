import { HubError } from "@elara/contracts";
import type { Change } from "@elara/runtime/store/store";

const TRIES = 16;

/** The part of a collection this needs. */
interface Swappable<D> {
  get(id: string): Promise<D | undefined>;
  patch(id: string, rev: number, change: Change<D>): Promise<D | undefined>;
}

/**
 * Changes a document by compare and swap, reading it again when it moved. `change` sees the present document and may be
 * called several times; undefined from it means: leave it. Returns the document as it is then, undefined when it is gone.
 */
export async function swap<D extends { readonly rev: number }>(
  documents: Swappable<D>,
  id: string,
  change: (doc: D) => Change<D> | undefined,
): Promise<D | undefined> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const doc = await documents.get(id);
    if (doc === undefined) return undefined;
    const wanted = change(doc);
    if (wanted === undefined) return doc;
    const changed = await documents.patch(id, doc.rev, wanted);
    if (changed !== undefined) return changed;
  }
  throw new HubError("STORE_CONFLICT", { detail: { id } });
}
