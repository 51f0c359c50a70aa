import { codeOf } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import { mayFollowEvents } from "@elara/runtime/store/read/event-reach";
import type { Identity, IdentityReader } from "@elara/runtime/store/read/identity";
import type { Ground } from "../ground.ts";

/** What scopes let through now; changes with the users and servers there are. */
export interface Allowed {
  /** Patterns of subjects; none while what it names does not exist yet. */
  readonly subjects: readonly string[];
  /** More than nats-server is to look through for each event. */
  readonly tooMany: boolean;
}

/** Tells it. */
export type AllowedOf = (identity: Identity) => Promise<Allowed>;

/**
 * How it stands with a subscriber's token: its holder may follow events; may not, for now; or the token is revoked,
 * expired, unknown.
 */
export type Standing =
  | { readonly token: "good"; readonly identity: Identity }
  | { readonly token: "idle" }
  | { readonly token: "gone" };

/** Tells it by the public id of the token. Throws STORE_AWAY. */
export interface Standings {
  of(subscribers: Iterable<string>): Promise<ReadonlyMap<string, Standing>>;
  /** Those whose token is gone, in few questions. */
  gone(subscribers: readonly string[]): Promise<string[]>;
}

/** User or service: whom limits count. */
export const ownerOf = ({ kind, name, userId }: Identity): string =>
  kind === "user" ? `user:${userId}` : `service:${name}`;

const AT_ONCE = 100;

/** Reads as every request does: behind the revocation marks. Who cannot be judged is left out, and told in the log. */
export function standings(
  { records, clock, log }: Pick<Ground, "records" | "clock" | "log">,
  identities: Pick<IdentityReader, "byTokenDigest">,
): Standings {
  /** Digests by public id, of the tokens that count. */
  const living = async (ids: readonly string[]): Promise<Map<string, string>> => {
    const found = new Map<string, string>();
    const now = timestamp(clock.now());
    for (let at = 0; at < ids.length; at += AT_ONCE) {
      const { items } = await records.tokens.find({
        where: { publicId: { in: ids.slice(at, at + AT_ONCE) } },
        limit: AT_ONCE,
      });
      for (const { publicId, _id, revokedAt, expiresAt } of items)
        if (revokedAt === "" && (expiresAt === "" || expiresAt > now)) found.set(publicId, _id);
    }
    return found;
  };
  // A public id belongs to one token for ever.
  const digests = new Map<string, string>();

  return {
    async of(subscribers) {
      const wanted = [...new Set(subscribers)];
      for (const [id, digest] of await living(wanted.filter((each) => !digests.has(each))))
        digests.set(id, digest);
      const found = new Map<string, Standing>();
      const doubtful: string[] = [];
      for (const id of wanted) {
        const digest = digests.get(id);
        try {
          const identity = digest === undefined ? undefined : await identities.byTokenDigest(digest);
          if (identity && mayFollowEvents(identity.scopes)) found.set(id, { token: "good", identity });
          else doubtful.push(id);
        } catch (error) {
          if (codeOf(error) === "STORE_AWAY") throw error;
          log.error({ subscriber: id, code: codeOf(error), err: error }, "subscriber not judged");
        }
      }
      const alive = await living(doubtful);
      for (const id of doubtful) {
        found.set(id, { token: alive.has(id) ? "idle" : "gone" });
        if (!alive.has(id)) digests.delete(id);
      }
      return found;
    },
    async gone(subscribers) {
      const alive = await living(subscribers);
      return subscribers.filter((id) => !alive.has(id));
    },
  };
}
