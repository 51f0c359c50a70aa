import {
  type AnswerOf,
  type AuthGrantServer,
  HubError,
  type OAuthClient,
  type RequestOf,
} from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import type { Ground } from "../ground.ts";
import { serverClientId } from "../oauth/client-id.ts";
import type { TokenBook } from "../people/token-book.ts";
import type { UserBook } from "../people/user-book.ts";

const TRIES = 8;
const ACTOR = "system:spawn";

/**
 * Token and OAuth client of one generation of a server; those of earlier generations end. Safe to call twice.
 * A second grant of one generation (a driver that took over) leaves the first one's token valid: the crashed driver may
 * have got its submit through, and then the server that runs has that token. All end with the generation.
 */
export async function grantServer(
  ground: Ground,
  { users, tokens }: { users: UserBook; tokens: TokenBook },
  order: RequestOf<typeof AuthGrantServer>,
): Promise<AnswerOf<typeof AuthGrantServer>> {
  const { clients } = ground.records;
  const user = await users.living(order.userId);
  if (!user) throw new HubError("USER_NOT_FOUND");
  if (user.deletingAt !== "") throw new HubError("USER_DELETING");
  const accessScope = `access:servers!server=${user.name}/${order.serverName}`;

  const clientId = await writeClient();
  await tokens.register(
    order.tokenDigest,
    {
      kind: "server",
      userId: order.userId,
      serverId: order.serverId,
      generation: order.generation,
      note: `Server at ${order.path}`,
      scopes: ["users:activity!user", accessScope],
    },
    ACTOR,
  );
  await tokens.revokeWhere(
    { serverId: order.serverId, _id: { ne: order.tokenDigest } },
    ACTOR,
    (token) => token.generation < order.generation,
  );
  // Marked for deletion meanwhile: its tokens were revoked before this one stood there.
  if ((await users.living(order.userId))?.deletingAt !== "") {
    await tokens.revoke(order.tokenDigest, ACTOR);
    throw new HubError("USER_DELETING");
  }
  return { clientId };

  async function writeClient(): Promise<string> {
    const plain = serverClientId(user?.name ?? "", order.serverName);
    const set: Omit<OAuthClient, "_id" | "rev"> = {
      v: 1,
      secretDigest: order.tokenDigest,
      redirectUri: `${order.path}oauth_callback`,
      description: `Server at ${order.path}`,
      allowedScopes: [accessScope],
      accessScope,
      userId: order.userId,
      serverId: order.serverId,
      generation: order.generation,
      noConfirm: false,
      createdAt: timestamp(ground.clock.now()),
    };
    for (let tries = 0; tries < TRIES; tries += 1) {
      // `a-b` and server `b` of `a` would share an id; whoever comes second gets another one.
      const holder = await clients.get(plain);
      const isOthers = holder !== undefined && holder.serverId !== order.serverId;
      const id = isOthers ? `${plain}-${order.serverId.slice(0, 12)}` : plain;
      const known = isOthers ? await clients.get(id) : holder;
      if (known && known.generation > order.generation)
        throw new HubError("STORE_CONFLICT", { detail: "a later generation of this server has a client" });
      if (known ? await clients.patch(id, known.rev, { set }) : await inserted(id)) return id;
    }
    throw new HubError("STORE_CONFLICT");

    async function inserted(id: string): Promise<boolean> {
      return clients.insert({ _id: id, ...set }).then(
        () => true,
        (error) =>
          error instanceof HubError && error.code === "STORE_CONFLICT" ? false : Promise.reject(error),
      );
    }
  }
}
