import type { Identity, IdentityReader } from "@elara/runtime/store/read/identity";
import type { Ground } from "../ground.ts";

/** What scopes let through now; changes with the users and servers there are. */
export interface Allowed {
  /** Patterns of subjects; none while what it names does not exist yet. */
  readonly subjects: readonly string[];
  /** More than nats-server is to look through for each event. */
  readonly tooMany: boolean;
}

/** Tells it; undefined for who may read nothing, now or later. */
export type AllowedOf = (identity: Identity) => Promise<Allowed | undefined>;

/** What a subscriber may do now. */
export interface Standing {
  readonly identity: Identity;
  readonly allowed: Allowed;
}

/** Tells by the public id of a token what its holder may read now; no entry for who may nothing (any more). */
export type Standings = (subscribers: Iterable<string>) => Promise<ReadonlyMap<string, Standing>>;

const AT_ONCE = 100;

/** Reads as every request does: behind the revocation marks. Throws STORE_AWAY. */
export function standings(
  { records }: Pick<Ground, "records">,
  identities: Pick<IdentityReader, "byTokenDigest">,
  allowedOf: AllowedOf,
): Standings {
  // A public id belongs to one token for ever.
  const digests = new Map<string, string>();
  return async (subscribers) => {
    const wanted = [...new Set(subscribers)];
    const unknown = wanted.filter((id) => !digests.has(id));
    for (let at = 0; at < unknown.length; at += AT_ONCE) {
      const { items } = await records.tokens.find({
        where: { publicId: { in: unknown.slice(at, at + AT_ONCE) } },
        limit: AT_ONCE,
      });
      for (const { publicId, _id } of items) digests.set(publicId, _id);
    }
    const found = new Map<string, Standing>();
    for (const id of wanted) {
      const credential = digests.get(id);
      const identity = credential === undefined ? undefined : await identities.byTokenDigest(credential);
      const allowed = identity && (await allowedOf(identity));
      if (identity && allowed) found.set(id, { identity, allowed });
      else digests.delete(id);
    }
    return found;
  };
}
