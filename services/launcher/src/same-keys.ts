import { setTimeout as sleep } from "node:timers/promises";
import { HubError, instances } from "@elara/contracts";
import type { Keys } from "@elara/runtime/keys";
import type { Store } from "@elara/runtime/store/store";

/** Longer than one beat (2 s): a row whose beat did not move in it belongs to nobody. */
const WATCH_MS = 2600;

type Digests = Readonly<Record<string, unknown>>;

/** What an instance tells the others of its keys, and no key. */
export const keyDigests = ({ fingerprint, authStateRing }: Keys) => ({
  keys: fingerprint,
  ring: authStateRing.map(({ kid }) => kid).join(" "),
});

/** Each can read what the other seals: so a ring changes one replica at a time. Rows without a ring tell nothing of it. */
function fit(one: Digests, other: Digests): boolean {
  const [ring, others] = [one, other].map(({ ring }) => (typeof ring === "string" ? ring.split(" ") : []));
  if (one.keys !== other.keys || !ring || !others) return false;
  const [first, theirs] = [ring[0], others[0]];
  if (first === undefined || theirs === undefined) return true;
  return ring.includes(theirs) && others.includes(first);
}

/** Throws CONFIG_KEYS_DIFFER when a living instance has keys that do not fit. Costs nothing when all rows do. */
export async function assertSameKeys(store: Store, keys: Keys): Promise<void> {
  const own = keyDigests(keys);
  const rows = store.collection(instances);
  const differing = async () =>
    (await rows.find({ where: { stoppedAt: "" } })).items.filter(({ digests }) => !fit(own, digests));
  const before = await differing();
  if (before.length === 0) return;
  await sleep(WATCH_MS);
  const alive = (await differing()).find((row) =>
    before.some(({ _id, beat }) => _id === row._id && beat !== row.beat),
  );
  if (!alive) return;
  const who = `${alive.service} ${alive._id}, which is running`;
  throw new HubError("CONFIG_KEYS_DIFFER", {
    operator:
      own.keys === alive.digests.keys
        ? `secrets.cryptKey: this process (${own.ring}) and ${who} (${String(alive.digests.ring)}), could not read what the other encrypts. Each needs the other's first key: add a new key behind the old one, restart all, put it first, restart all, then take the old one out.`
        : `secrets.cookieSecret: this process has another one (${own.keys}) than ${who} (${String(alive.digests.keys)}). Give all processes of the hub the same cookie_secret.`,
  });
}
