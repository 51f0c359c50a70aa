import { type SpawnLog, type Step, spawnLogs } from "@elara/contracts";
import type { Store } from "../store.ts";
import { documentsOf } from "./documents-of.ts";

const spawnLogsIn = documentsOf(spawnLogs);

/** The steps of one attempt, in the order they were reached. */
export const steps = async (store: Store, serverId: string, generation: number): Promise<Step[]> =>
  (await chunks(store, serverId, generation)).flatMap((chunk) => chunk.steps);

/** The last lines of the server's own output, kept when the attempt ended badly. */
export const tail = async (store: Store, serverId: string, generation: number): Promise<string[]> =>
  (await chunks(store, serverId, generation)).flatMap((chunk) => chunk.tail);

async function chunks(store: Store, serverId: string, generation: number): Promise<SpawnLog[]> {
  const { items } = await spawnLogsIn(store).find({
    where: { serverId, generation },
    sort: { by: ["serverId", "generation", "chunk"] },
  });
  return items;
}
