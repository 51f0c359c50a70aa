import type { AnswerOf, AuthRevokeServer, RequestOf, Token } from "@elara/contracts";
import type { Ground } from "../ground.ts";
import type { TokenBook } from "../people/token-book.ts";

/** Ends what a server held: its token, its OAuth client, and the tokens the client was given. Safe to call twice. */
export async function revokeServer(
  ground: Ground,
  tokens: TokenBook,
  { serverId, generation }: RequestOf<typeof AuthRevokeServer>,
): Promise<AnswerOf<typeof AuthRevokeServer>> {
  const { clients } = ground.records;
  // The client first: no code is swapped any more when the tokens are looked for.
  const { items } = await clients.find({ where: { serverId } });
  for (const client of items)
    if (client.generation <= generation) await clients.delete(client._id, client.rev);
  const isOver = (token: Token) => token.generation <= generation;
  return { revoked: await tokens.revokeWhere({ serverId }, "system:spawn", isOver) };
}
