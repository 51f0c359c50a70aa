import { codeOf, HubError, type Token } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import { insertWithEvents, withEvents } from "@elara/runtime/outbox";
import type { Filter, PendingEvent } from "@elara/runtime/store/store";
import type { Ground } from "../ground.ts";
import { swap } from "../swap.ts";
import { facts } from "./facts.ts";
import { newPublicId } from "./secret.ts";

/** Client id of tokens that people make for themselves. */
export const PLAIN_CLIENT = "jupyterhub";

/** A token to be registered; what is left out is empty. */
export type NewToken = Pick<Token, "kind" | "userId" | "note" | "scopes"> &
  Partial<Pick<Token, "service" | "clientId" | "serverId" | "generation" | "sessionId">> & {
    /** How long it lives, from its creation on; undefined: for ever. */
    readonly lifeMs?: number | undefined;
  };

/** Tokens by digest: registered, revoked, listed. */
export interface TokenBook {
  /** `quiet`: without event, for tokens of seconds. A digest that is taken by an equal token counts as registered. */
  register(digest: string, wanted: NewToken, actor: string, options?: { quiet?: boolean }): Promise<Token>;
  /** Marks it as revoked before it returns; true when it was not yet. */
  revoke(digest: string, actor: string): Promise<boolean>;
  /** Revokes all that match (and `only` agrees to) and are not revoked yet; how many. */
  revokeWhere(where: Filter, actor: string, only?: (token: Token) => boolean): Promise<number>;
  /** Revokes those whose time is over; each has its own event. */
  expire(): Promise<void>;
  /** Gives a token other scopes, and its validity back where it was revoked; cached identities are dropped everywhere. */
  renew(digest: string, scopes: readonly string[], actor: string): Promise<Token | undefined>;
  /** Neither revoked nor expired, oldest first. */
  valid(where: Filter): Promise<Token[]>;
}

const sameScopes = (a: readonly string[], b: readonly string[]): boolean =>
  [...a].sort().join(" ") === [...b].sort().join(" ");

export function tokenBook(ground: Ground): TokenBook {
  const { tokens } = ground.records;
  const fact = facts(ground);
  const now = () => timestamp(ground.clock.now());

  const end = async (digest: string, told: (token: Token) => PendingEvent): Promise<boolean> => {
    let isNew = false;
    await swap(tokens, digest, (token) => {
      isNew = token.revokedAt === "";
      return isNew
        ? withEvents(token, { revokedAt: now() }, token.seq === 0 ? [] : [told(token)])
        : undefined;
    });
    ground.forget([digest]);
    ground.nudge();
    return isNew;
  };
  const revoke: TokenBook["revoke"] = (digest, actor) =>
    end(digest, (token) => fact.tokenRevoked(token, actor));
  const endWhere = async (
    where: Filter,
    only: (token: Token) => boolean,
    one: (token: Token) => Promise<boolean>,
  ) => {
    let ended = 0;
    let after: string | undefined;
    do {
      const page = await tokens.find({
        where: { ...where, revokedAt: "" },
        limit: 200,
        ...(after === undefined ? {} : { after }),
      });
      for (const token of page.items.filter(only)) if (await one(token)) ended += 1;
      after = page.next;
    } while (after !== undefined);
    return ended;
  };

  return {
    async register(digest, { lifeMs, ...wanted }, actor, { quiet = false } = {}) {
      for (let tries = 0; tries < 5; tries += 1) {
        const createdMs = ground.clock.now();
        const token: Omit<Token, "rev"> = {
          _id: digest,
          v: 1,
          seq: 0,
          pendingEvents: [],
          pendingSince: "",
          deletedAt: "",
          publicId: newPublicId(),
          service: "",
          clientId: PLAIN_CLIENT,
          serverId: "",
          generation: 0,
          sessionId: "",
          ...wanted,
          createdAt: timestamp(createdMs),
          expiresAt: lifeMs === undefined ? "" : timestamp(createdMs + lifeMs),
          revokedAt: "",
          accessChangedAt: "",
        };
        try {
          const made = await tokens.insert(
            quiet ? token : insertWithEvents(token, [fact.tokenCreated(token, actor)]),
          );
          ground.nudge();
          return made;
        } catch (error) {
          if (codeOf(error) !== "STORE_CONFLICT") throw error;
          const known = await tokens.get(digest);
          if (known === undefined) continue;
          if (
            known.userId === wanted.userId &&
            known.kind === wanted.kind &&
            known.service === (wanted.service ?? "") &&
            known.revokedAt === ""
          )
            return known;
          throw error;
        }
      }
      throw new HubError("STORE_CONFLICT");
    },
    revoke,
    revokeWhere: (where, actor, only = () => true) => endWhere(where, only, ({ _id }) => revoke(_id, actor)),
    async expire() {
      const isOver = { gte: timestamp(0), lt: now() };
      await endWhere(
        { expiresAt: isOver },
        () => true,
        ({ _id }) => end(_id, fact.tokenExpired),
      );
    },
    async renew(digest, scopes, actor) {
      const renewed = await swap(tokens, digest, (token) => {
        const isRevoked = token.revokedAt !== "";
        if (!isRevoked && sameScopes(token.scopes, scopes)) return undefined;
        const next = { ...token, scopes: [...scopes] };
        return withEvents(token, { scopes: next.scopes, revokedAt: "", accessChangedAt: now() }, [
          isRevoked ? fact.tokenCreated(next, actor) : fact.tokenChanged(next, actor),
        ]);
      });
      ground.forget([digest]);
      ground.nudge();
      return renewed;
    },
    async valid(where) {
      const { items } = await tokens.find({ where: { ...where, revokedAt: "" } });
      return items
        .filter((token) => token.expiresAt === "" || token.expiresAt > now())
        .sort((a, b) => (a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : 0));
    },
  };
}
