import type { FastifyInstance } from "fastify";
import type { WebDeps } from "../deps.ts";

/**
 * Counts each use of a credential as activity of its owner and of the token (contract §1.6). Not of the owner: a
 * server's own token, and the pages that tell a stopped server, which open tabs ask for all day.
 */
export function noteUse(app: FastifyInstance, { activity, hub }: Pick<WebDeps, "activity" | "hub">): void {
  const userPages = `${hub.baseUrl}hub/user/`;
  app.addHook("preHandler", async (request) => {
    const { identity } = request;
    if (identity?.kind !== "user") return;
    if (identity.tokenId !== null) activity.noteUse(identity.userId, `t:${identity.tokenId}`);
    if (identity.tokenKind === "server" || request.url.startsWith(userPages)) return;
    activity.noteUse(identity.userId, `u:${identity.userId}`);
  });
}
