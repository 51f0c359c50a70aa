import { HubError, ServerCulling, SpawnCull } from "@elara/contracts";
import { eventData } from "../event-data.ts";
import { answered, type Desk, type Given, refuseWhenReplaced, withMemo } from "./order.ts";

const ATTEMPTS = 12;

/** Takes `spawn.cull`: tells that a server is about to be culled. Nothing is stopped by it. */
export async function orderCull({ parts }: Desk, { request, orderId }: Given<typeof SpawnCull>) {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const doc = await parts.ledger.byName(request.userId, request.serverName);
    if (doc?.deletedAt !== "") throw new HubError("SERVER_NOT_FOUND");
    const before = answered(SpawnCull, doc, orderId);
    if (before) return before;
    refuseWhenReplaced(doc, request.generation);
    const answer = { serverId: doc._id };
    const data = { ...eventData(doc), reason: request.reason, lastActivity: request.lastActivity };
    const told = await parts.ledger.move(doc, {
      set: { orders: withMemo(parts, doc, orderId, answer) },
      events: [parts.ledger.event(ServerCulling, doc, data, "system:culler")],
    });
    if (told) return answer;
  }
  throw new HubError("STORE_CONFLICT");
}
