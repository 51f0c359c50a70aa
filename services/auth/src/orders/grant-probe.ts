import { type AnswerOf, type AuthGrantProbe, HubError, type RequestOf } from "@elara/contracts";
import { serverById } from "@elara/runtime/store/read/servers";
import type { Ground } from "../ground.ts";
import type { TokenBook } from "../people/token-book.ts";

const PROBE_MS = 60_000;

/** A token for one look into a running server. Its note begins like a server's own, so its use is no activity of the user. */
export async function grantProbe(
  ground: Ground,
  tokens: TokenBook,
  order: RequestOf<typeof AuthGrantProbe>,
): Promise<AnswerOf<typeof AuthGrantProbe>> {
  const server = await serverById(ground.store, order.serverId);
  if (!server || server.userId !== order.userId || server.generation !== order.generation)
    throw new HubError("SERVER_NOT_FOUND");
  const token = await tokens.register(
    order.tokenDigest,
    {
      kind: "server",
      userId: order.userId,
      serverId: order.serverId,
      generation: order.generation,
      note: `Server at ${server.path} (probe)`,
      scopes: [`access:servers!server=${server.userName}/${server.name}`],
      lifeMs: PROBE_MS,
    },
    order.actor,
    { quiet: true },
  );
  return { expiresAt: token.expiresAt };
}
