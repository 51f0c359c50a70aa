import type { Loaded } from "./identity-load.ts";
import type { RevocationMarks } from "./revocation-marks.ts";

/** A loaded identity and when its reading began, on the monotonic clock. */
export type Entry = Loaded & { readonly readAt: number };

/** Identities in memory, bounded; the longest unread one leaves first. */
export interface IdentityCache {
  get(key: string): Entry | undefined;
  set(key: string, entry: Entry): void;
  delete(key: string): void;
  /** Drops what the marks name. A user's mark drops only entries that were read before it was set. */
  drop(marks: RevocationMarks): void;
  clear(): void;
}

const MAX_ENTRIES = 10_000;

export function identityCache(): IdentityCache {
  const entries = new Map<string, Entry>();
  return {
    get: (key) => entries.get(key),
    set: (key, entry) => {
      entries.delete(key);
      entries.set(key, entry);
      const [oldest] = entries.keys();
      if (entries.size > MAX_ENTRIES && oldest !== undefined) entries.delete(oldest);
    },
    delete: (key) => void entries.delete(key),
    drop: ({ credentials, users }) => {
      for (const credential of credentials) {
        entries.delete(`token ${credential}`);
        entries.delete(`cookie ${credential}`);
      }
      if (users.size === 0) return;
      for (const [key, entry] of entries) {
        const mark = users.get(entry.identity.userId);
        // Compared with what was read, not with the time: clocks of two machines differ.
        if (mark !== undefined && mark !== entry.accessChangedAt) entries.delete(key);
      }
    },
    clear: () => entries.clear(),
  };
}
