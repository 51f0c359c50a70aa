import type { Collection } from "@elara/contracts";
import type { Documents, Store } from "../store.ts";

/** The documents of a collection in any store, asked for once per store: adapters make indexes when asked. */
export function documentsOf<C extends Collection>(declaration: C): (store: Store) => Documents<C> {
  const known = new WeakMap<Store, Documents<C>>();
  return (store) => {
    const documents = known.get(store) ?? store.collection(declaration);
    known.set(store, documents);
    return documents;
  };
}
