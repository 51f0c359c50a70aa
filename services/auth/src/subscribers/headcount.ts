/** How many connections each owner has: as last counted, and who came since through this process. */
export interface Headcount {
  of(owner: string): number;
  came(owner: string): void;
  /** A count begins: whoever comes from now on may not be in it. */
  begin(): void;
  /** It is done: an owner for each connection. */
  counted(owners: readonly string[]): void;
}

/** Nobody yet. */
export function headcount(): Headcount {
  let sure: ReadonlyMap<string, number> = new Map();
  let before = new Map<string, number>();
  let since = new Map<string, number>();
  const at = (counts: ReadonlyMap<string, number>, owner: string): number => counts.get(owner) ?? 0;
  return {
    of: (owner) => at(sure, owner) + at(before, owner) + at(since, owner),
    came: (owner) => void since.set(owner, at(since, owner) + 1),
    begin() {
      for (const [owner, count] of since) before.set(owner, at(before, owner) + count);
      since = new Map();
    },
    counted(owners) {
      const counts = new Map<string, number>();
      for (const owner of owners) counts.set(owner, at(counts, owner) + 1);
      sure = counts;
      before = new Map();
    },
  };
}
