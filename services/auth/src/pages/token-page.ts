import { HubError, type Token, type User } from "@elara/contracts";
import { hubPath } from "@elara/runtime/http/paths";
import { renderPage } from "@elara/runtime/pages/render";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { revokeWithKin } from "../api/token-routes.ts";
import { fieldsOf, textOf } from "../fields.ts";
import type { Ground } from "../ground.ts";
import type { Mint } from "../people/mint.ts";
import type { TokenBook } from "../people/token-book.ts";
import type { UserBook } from "../people/user-book.ts";

const DAY_SECONDS = 86_400;
const LIFETIMES: readonly (readonly [days: number, label: string])[] = [
  [1, "1 day"],
  [7, "1 week"],
  [30, "30 days"],
  [365, "1 year"],
  [0, "Never"],
];

/** `/hub/token`: make a token, see what has access, take it away. Works without scripts. */
export function tokenPage(
  app: FastifyInstance,
  ground: Ground,
  { users, tokens, mint }: { users: UserBook; tokens: TokenBook; mint: Mint },
): void {
  const url = `${hubPath(ground.hub)}token`;
  const config = { access: { kind: "page" } } as const;
  const { tokenMaxDays } = ground.config;
  const lifetimes = LIFETIMES.filter(([days]) => tokenMaxDays === 0 || (days > 0 && days <= tokenMaxDays));

  app.get(url, { config }, async (request, reply) => page(request, reply));

  app.post(url, { config }, async (request, reply) => {
    const user = await self(request);
    const identity = request.identity;
    const [revoke] = fieldsOf(request.body, "revoke");
    if (revoke !== undefined) {
      const [token] = await tokens.valid({ userId: user._id, publicId: revoke });
      if (token) await revokeWithKin(tokens, token, `user:${user._id}`);
      // A reload must not ask to send the form again.
      return reply.redirect(url, 303);
    }
    const days = Number(textOf(request.body, "days") ?? "");
    if (!lifetimes.some(([each]) => each === days))
      throw new HubError("FIELD_INVALID", { message: "days: not offered" });
    const made = await mint({
      user,
      note: (textOf(request.body, "note") ?? "").trim().slice(0, 200) || "Requested via token page",
      expiresIn: days === 0 ? undefined : days * DAY_SECONDS,
      scopes: ["inherit"],
      ...(identity ? { by: identity } : {}),
    });
    return page(request, reply, { secret: made.secret, note: made.token.note });
  });

  async function self(request: FastifyRequest): Promise<User> {
    const user = await users.living(request.identity?.userId ?? "");
    if (!user) throw new HubError("NO_CREDENTIALS");
    return user;
  }

  async function page(
    request: FastifyRequest,
    reply: FastifyReply,
    made?: { secret: string; note: string },
  ): Promise<FastifyReply> {
    const user = await self(request);
    const all = await tokens.valid({ userId: user._id });
    const lastUse = await ground.lastUses(user._id);
    const row = (token: Token) => ({
      id: token.publicId,
      note: token.note,
      created: shown(token.createdAt),
      expires: token.expiresAt === "" ? "never" : shown(token.expiresAt),
      used: shown(lastUse(token.publicId)) || "never",
    });
    const clients = Map.groupBy(
      all.filter((token) => token.kind === "oauth"),
      (token) => token.clientId,
    );
    const applications = await Promise.all(
      [...clients].map(async ([clientId, given]) => {
        const used =
          given
            .map((token) => lastUse(token.publicId))
            .sort()
            .at(-1) ?? "";
        return {
          id: given[0]?.publicId,
          description: (await ground.records.clients.get(clientId))?.description ?? clientId,
          count: given.length,
          used: shown(used) || "never",
        };
      }),
    );
    return renderPage(reply, "token", {
      title: "Tokens",
      page: "token",
      action: url,
      lifetimes: lifetimes.map(([days, label], at) => ({
        days,
        label,
        isDefault: at === Math.min(2, lifetimes.length - 1),
      })),
      tokens: all
        .filter((token) => token.kind === "api")
        .reverse()
        .map(row),
      servers: all.filter((token) => token.kind === "server").map(row),
      applications,
      ...(made ? { made } : {}),
    });
  }
}

/** A time for people: UTC to the minute. */
const shown = (time: string): string => (time === "" ? "" : `${time.slice(0, 10)} ${time.slice(11, 16)}`);
