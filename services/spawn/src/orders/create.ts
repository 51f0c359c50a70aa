import { codeOf, HubError, SpawnCreate } from "@elara/contracts";
import type { ServerDoc } from "../decision.ts";
import { choose } from "../profiles/choice.ts";
import { answered, type Desk, type Given, withMemo } from "./order.ts";
import { checkName, newRecord } from "./record.ts";

/** Takes `spawn.create`: the record of a server, at rest. */
export async function orderCreate({ parts }: Desk, { request, orderId }: Given<typeof SpawnCreate>) {
  checkName(parts, request.serverName);
  const known = await parts.ledger.byName(request.userId, request.serverName);
  const before = known && answered(SpawnCreate, known, orderId);
  if (before) return before;
  if (known) throw new HubError("SERVER_EXISTS");
  const record = newRecord(parts, { ...request, choice: await choose(parts, request) });
  const answer = { serverId: record._id, generation: 0 };
  let doc: ServerDoc;
  try {
    doc = await parts.ledger.insert({ ...record, orders: withMemo(parts, record, orderId, answer) }, []);
  } catch (error) {
    if (codeOf(error) === "STORE_CONFLICT") throw new HubError("SERVER_EXISTS", { cause: error });
    throw error;
  }
  const refusal = await parts.admission.mayHave(doc);
  if (refusal) {
    await parts.ledger.move(doc, parts.ledger.tombstone(doc, request.actor));
    throw refusal;
  }
  return answer;
}
