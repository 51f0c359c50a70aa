import { timingSafeEqual } from "node:crypto";
import type { OAuthClient, OAuthCode } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import { hubPath } from "@elara/runtime/http/paths";
import { digest } from "@elara/runtime/id";
import type { FastifyInstance, FastifyReply } from "fastify";
import { textOf } from "../fields.ts";
import type { Ground } from "../ground.ts";
import { newAccessToken } from "../people/secret.ts";
import type { SessionBook } from "../people/session-book.ts";
import type { TokenBook } from "../people/token-book.ts";
import type { UserBook } from "../people/user-book.ts";
import { verifies } from "./pkce.ts";

const DAY_SECONDS = 86_400;

interface Refusal {
  readonly status: 400 | 401;
  readonly error: "invalid_client" | "invalid_grant" | "invalid_request" | "unsupported_grant_type";
  readonly description?: string;
}
const refusal = (status: 400 | 401, error: Refusal["error"], description?: string): Refusal => ({
  status,
  error,
  ...(description === undefined ? {} : { description }),
});

/** `POST /hub/api/oauth2/token`: a client swaps a code for a token. Wrong tries do not burn the code; the right one does, once. */
export function tokenRoute(
  app: FastifyInstance,
  ground: Ground,
  { users, sessions, tokens }: { users: UserBook; sessions: SessionBook; tokens: TokenBook },
): void {
  const { clients, codes } = ground.records;
  const expiresIn = Math.round(ground.config.oauthTokenDays * DAY_SECONDS);
  const now = () => timestamp(ground.clock.now());

  app.post(
    `${hubPath(ground.hub)}api/oauth2/token`,
    { config: { access: { kind: "public" }, body: "form" } },
    async ({ body }, reply) => {
      reply.headers({ "Cache-Control": "no-store", Pragma: "no-cache" });
      const checked = await check((name) => textOf(body, name));
      if ("error" in checked) return refuse(reply, checked);
      const { client, code } = checked;
      const spent = await codes.patch(code._id, code.rev, { set: { spentAt: now() } });
      if (spent === undefined) return refuse(reply, refusal(400, "invalid_grant"));

      const secret = newAccessToken();
      await tokens.register(
        digest(secret),
        {
          kind: "oauth",
          userId: code.userId,
          clientId: client._id,
          serverId: client.serverId,
          generation: client.generation,
          sessionId: code.sessionId,
          note: "",
          scopes: code.scopes,
          lifeMs: expiresIn * 1000,
        },
        `user:${code.userId}`,
      );
      // Log-out, deletion and the end of a server revoke what they find; what came just after them is revoked here.
      if (!(await isStillGood(client, code))) {
        await tokens.revoke(digest(secret), "system:auth");
        return refuse(reply, refusal(400, "invalid_grant"));
      }
      return reply.send({
        access_token: secret,
        expires_in: expiresIn,
        token_type: "Bearer",
        scope: code.scopes.join(" "),
      });
    },
  );

  /** In the order oauthlib checks, which decides what a client with two faults is told. */
  async function check(
    field: (name: string) => string | undefined,
  ): Promise<Refusal | { client: OAuthClient; code: OAuthCode }> {
    if (field("grant_type") !== "authorization_code") return refusal(400, "unsupported_grant_type");
    const given = field("code");
    if (!given) return refusal(400, "invalid_request", "Missing code parameter.");
    const client = await clients.get(field("client_id") || "-");
    if (!client || !(await isSecret(field("client_secret") ?? "", client)))
      return refusal(401, "invalid_client");
    const code = await codes.get(digest(given));
    if (!code || code.clientId !== client._id || code.spentAt !== "" || code.expiresAt <= now())
      return refusal(400, "invalid_grant");
    if (code.challengeMethod !== "") {
      const verifier = field("code_verifier");
      if (!verifier) return refusal(400, "invalid_request", "Code verifier required.");
      if (!verifies(verifier, code.challenge, code.challengeMethod)) return refusal(400, "invalid_grant");
    }
    if ((field("redirect_uri") ?? client.redirectUri) !== code.redirectUri)
      return refusal(400, "invalid_request", "Mismatching redirect URI.");
    return { client, code };
  }

  async function isStillGood(client: OAuthClient, code: OAuthCode): Promise<boolean> {
    const [user, present, isOpen] = await Promise.all([
      users.living(code.userId),
      clients.get(client._id),
      sessions.isOpen(code.userId, code.sessionId),
    ]);
    // A server removed and made anew has the same client id, and its first generation too.
    const isPresent = present?.serverId === client.serverId && present.generation === client.generation;
    return isOpen && user?.deletingAt === "" && isPresent;
  }

  /** The client's secret; for a server also any other token of the generation that runs, see `grantServer`. */
  async function isSecret(secret: string, client: OAuthClient): Promise<boolean> {
    if (timingSafeEqual(Buffer.from(digest(secret)), Buffer.from(client.secretDigest))) return true;
    if (client.serverId === "") return false;
    const token = await ground.records.tokens.get(digest(secret));
    return (
      token?.kind === "server" &&
      token.serverId === client.serverId &&
      token.generation === client.generation &&
      token.revokedAt === "" &&
      token.expiresAt === ""
    );
  }
}

const refuse = (reply: FastifyReply, { status, error, description }: Refusal): FastifyReply =>
  reply
    .status(status)
    .send(description === undefined ? { error } : { error, error_description: description });
