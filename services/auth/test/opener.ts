import { afterEach } from "node:test";
import { Stand, type StandOptions } from "./stand.ts";

/** Opens stands, `seconds` ahead, that are closed after each test: replicas first, then the one whose store they share. */
export function opener(): (options: StandOptions, seconds?: number) => Promise<Stand> {
  const opened: { stand: Stand; isReplica: boolean }[] = [];
  afterEach(async () => {
    for (const { stand, isReplica } of opened.splice(0).reverse())
      await stand.close({ keepStore: isReplica });
  });
  return async (options, seconds) => {
    const stand = await Stand.open(options, seconds);
    opened.push({ stand, isReplica: options.with !== undefined });
    return stand;
  };
}
