import { setTimeout as sleep } from "node:timers/promises";
import { HubError, instances } from "@elara/contracts";
import type { Store } from "@elara/runtime/store/store";

/** Longer than one beat (2 s): a row whose beat did not move in it belongs to nobody. */
const WATCH_MS = 2600;

/** Throws CONFIG_KEYS_DIFFER when a living instance has other keys. Costs nothing when all rows agree. */
export async function assertSameKeys(store: Store, fingerprint: string): Promise<void> {
  const rows = store.collection(instances);
  const differing = async () =>
    (await rows.find({ where: { stoppedAt: "" } })).items.filter(
      ({ digests }) => digests.keys !== fingerprint,
    );
  const before = await differing();
  if (before.length === 0) return;
  await sleep(WATCH_MS);
  const alive = (await differing()).find((row) =>
    before.some(({ _id, beat }) => _id === row._id && beat !== row.beat),
  );
  if (!alive) return;
  throw new HubError("CONFIG_KEYS_DIFFER", {
    operator: `secrets: this process has other keys (${fingerprint}) than ${alive.service} ${alive._id} (${String(alive.digests.keys)}), which is running. Give all processes of the hub the same cookie_secret and crypt_key.`,
  });
}
