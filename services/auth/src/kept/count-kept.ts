import { authStates } from "@elara/contracts";
import type { Store } from "@elara/runtime/store/store";

/** What is kept of log-ins. */
export interface KeptCount {
  readonly all: number;
  /** Of those, what none of the asked keys opens. */
  readonly closed: number;
}

/** Counts what is kept of log-ins, by the names of the keys that could open it. Throws STORE_AWAY. */
export async function countKept(store: Store, kids: readonly string[]): Promise<KeptCount> {
  const kept = store.collection(authStates);
  const all = await kept.count();
  if (kids.length === 0) return { all, closed: all };
  return { all, closed: await kept.count({ and: kids.map((kid) => ({ kid: { ne: kid } })) }) };
}
