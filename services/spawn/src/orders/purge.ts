import type { SpawnPurge } from "@elara/contracts";
import { isAway } from "@elara/runtime/is-away";
import type { ServerDoc } from "../decision.ts";
import type { Desk, Given } from "./order.ts";
import { stopServer } from "./stop.ts";

/** Takes `spawn.purge`: every server of a user is stopped and removed; answers how many are left. */
export async function orderPurge(desk: Desk, given: Given<typeof SpawnPurge>) {
  const { request } = given;
  const { ledger, log } = desk.parts;
  const theirs: ServerDoc[] = [];
  for await (const doc of ledger.all({ where: { userId: request.userId } })) theirs.push(doc);
  for (const doc of theirs) {
    const stop = {
      userId: doc.userId,
      serverName: doc.name,
      reason: "purge" as const,
      remove: true,
      actor: request.actor,
    };
    // One that moved meanwhile is met again when the order is repeated; so is one that cannot be stopped now.
    try {
      await stopServer(desk, { ...given, request: stop }, doc);
    } catch (error) {
      if (isAway(error)) throw error;
      log.warn({ serverId: doc._id, backend: doc.backend, err: error }, "server not purged yet");
    }
  }
  const left = await ledger.count({ userId: request.userId, deletedAt: "" });
  if (left === 0) await desk.activity.forget(request.userId, `u:${request.userId}`).catch(() => {});
  return { left };
}
