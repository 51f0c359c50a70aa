import { HubError } from "@elara/contracts";
import type { Store } from "@elara/runtime/store/store";

/** A store that can be taken from one instance. `beforeCount` holds up admission. */
export function cuttable(
  store: Store,
  isCut: () => boolean,
  beforeCount: () => Promise<void> = async () => {},
): Store {
  const guard = async <T>(work: () => Promise<T>): Promise<T> => {
    if (isCut()) throw new HubError("STORE_AWAY");
    const result = await work();
    // The write may have got through; the answer does not.
    if (isCut()) throw new HubError("STORE_AWAY");
    return result;
  };
  return {
    collection(declaration) {
      const documents = store.collection(declaration);
      return {
        insert: (doc) => guard(() => documents.insert(doc)),
        patch: (id, rev, change) => guard(() => documents.patch(id, rev, change)),
        settle: (id, ids) => guard(() => documents.settle(id, ids)),
        delete: (id, rev) => guard(() => documents.delete(id, rev)),
        get: (id) => guard(() => documents.get(id)),
        find: (query) => guard(() => documents.find(query)),
        count: (where) =>
          guard(async () => {
            // By phase: what admission counts.
            if (where && "phase" in where) await beforeCount();
            return documents.count(where);
          }),
      };
    },
    ping: () => guard(() => store.ping()),
    close: async () => {},
  };
}
