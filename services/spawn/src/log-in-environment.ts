import { AuthPreSpawn, HubError, preSpawnContext } from "@elara/contracts";
import { messageKey } from "@elara/runtime/sealed-message";
import { Type } from "typebox";
import { Value } from "typebox/value";
import type { ServerDoc } from "./decision.ts";
import type { SpawnParts } from "./parts.ts";
import { besides } from "./tracing.ts";

const Variables = Type.Record(Type.String(), Type.String());

/**
 * What the owner's log-in brings into this server's environment, asked anew for each submit; {} where it brings nothing.
 * Sealed on the bus for a key that is used once and forgotten. Throws what auth threw.
 */
export async function logInEnvironment(
  { bus }: Pick<SpawnParts, "bus">,
  doc: Pick<ServerDoc, "userId" | "_id" | "generation" | "traceparent">,
): Promise<Record<string, string>> {
  const key = messageKey();
  const server = { userId: doc.userId, serverId: doc._id, generation: doc.generation };
  const { sealed } = await bus.request(AuthPreSpawn, { ...server, publicKey: key.publicKey }, besides(doc));
  let variables: unknown;
  try {
    variables = JSON.parse(key.open(sealed, preSpawnContext(server)));
  } catch (cause) {
    throw new HubError("AUTH_PRE_SPAWN_FAILED", { cause, detail: { why: "its seal does not open" } });
  }
  if (!Value.Check(Variables, variables)) throw new HubError("AUTH_PRE_SPAWN_FAILED");
  return variables;
}
