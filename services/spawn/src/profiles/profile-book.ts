import { isDeepStrictEqual } from "node:util";
import { HubError, type Profile, profiles } from "@elara/contracts";
import { type Clock, timestamp } from "@elara/runtime/clock";
import { faultsOf } from "@elara/runtime/config/faults";
import { isAway } from "@elara/runtime/is-away";
import type { HeldLease } from "@elara/runtime/lease";
import { pause } from "@elara/runtime/pause";
import type { Store } from "@elara/runtime/store/store";
import type { Logger } from "pino";
import { Type } from "typebox";
import type { Backend, Backends } from "../backends.ts";
import { bounded } from "../bounded.ts";
import type { Pace } from "../pace.ts";
import { type Offer, type OfferedProfile, offeredProfile, plainProfiles } from "./offered-profile.ts";
import { Narrowing, type ProfileEntry } from "./profile-entry.ts";

/** The profiles as they hold now. Every replica has them; one of them, who holds the lease, writes them for the pages. */
export interface ProfileBook {
  get(slug: string): OfferedProfile | undefined;
  /** In the order of the form. */
  readonly list: readonly OfferedProfile[];
  close(): Promise<void>;
}

interface BookOptions {
  readonly entries: readonly ProfileEntry[];
  readonly backends: Backends;
  readonly store: Store;
  readonly log: Logger;
  readonly clock: Clock;
  readonly lease: Pick<HeldLease, "held">;
  readonly pace: Pick<Pace, "lookMs" | "formEveryMs" | "formWaitMs" | "observeTimeoutMs">;
}

/**
 * Opens the book. Backends are asked what they offer, for a moment before this resolves and then every ten minutes; who
 * does not answer keeps what was offered last, also from before this process.
 */
export async function openProfiles(given: BookOptions): Promise<ProfileBook> {
  const { backends, log, clock, lease, pace } = given;
  const documents = given.store.collection(profiles);
  const entries = given.entries.length > 0 ? given.entries : plainProfiles(backends.list);
  const offers = new Map<string, Offer>();
  const silent = new Set<string>();
  const end = new AbortController();
  let list: readonly OfferedProfile[] = [];
  let isWritten = false;

  const compute = (): void => {
    const now = entries.flatMap((entry, position) => {
      const backend = backends.get(entry.spawner);
      return backend
        ? [offeredProfile(entry, position, { backend, offer: offers.get(backend.name) ?? {} })]
        : [];
    });
    if (isDeepStrictEqual(now, list)) return;
    list = now;
    isWritten = false;
  };

  const ask = async (backend: Backend): Promise<void> => {
    const { name, spawner } = backend;
    try {
      const offer = await bounded(
        pace.observeTimeoutMs,
        async (signal) => (await spawner.form?.({ signal })) ?? {},
        { end: end.signal },
      );
      const before = offers.get(name);
      offers.set(name, checkedOffer(offer));
      if (!isDeepStrictEqual(before, offers.get(name))) isWritten = false;
      if (silent.delete(name)) log.info({ backend: name }, "backend says again what it offers");
    } catch (error) {
      if (end.signal.aborted) return;
      if (!silent.has(name)) log.warn({ backend: name, err: error }, "backend does not say what it offers");
      silent.add(name);
    }
    compute();
  };
  const askAll = () => Promise.all(backends.list.filter(({ spawner }) => spawner.form).map(ask));

  const write = async (): Promise<void> => {
    const wanted = new Map(list.map((profile) => [profile.slug, profile]));
    const { items } = await documents.find({ sort: { by: ["position", "_id"] } });
    for (const { _id, rev } of items) if (!wanted.has(_id)) await documents.delete(_id, rev);
    for (const profile of wanted.values()) {
      const content = shown(profile, offers.get(profile.backend) ?? {});
      const stored = items.find(({ _id }) => _id === profile.slug);
      if (stored && isDeepStrictEqual(content, contentOf(stored))) continue;
      const set = { ...content, changedAt: timestamp(clock.now()) };
      if (stored) await documents.patch(stored._id, stored.rev, { set });
      else await documents.insert({ _id: profile.slug, v: 1, ...set });
    }
  };

  let writing: Promise<void> = Promise.resolve();
  /** Whoever gets the lease writes once; what somebody with another configuration wrote gives way to the holder's. */
  const writeIfDue = (): Promise<void> => {
    writing = writing.then(async () => {
      if (!lease.held()) isWritten = false;
      if (isWritten || !lease.held()) return;
      isWritten = true;
      await write().catch((error: unknown) => {
        isWritten = false;
        if (!isAway(error)) log.warn({ err: error }, "profiles not written yet");
      });
    });
    return writing;
  };

  try {
    const { items } = await documents.find({ sort: { by: ["position", "_id"] } });
    for (const { backend, offered } of items)
      if (backends.get(backend)?.spawner.form) offers.set(backend, checkedOffer(offered));
  } catch (error) {
    if (!isAway(error)) throw error;
  }
  compute();
  const asked = askAll();
  await Promise.race([asked, pause(pace.formWaitMs, end.signal)]);
  await writeIfDue();
  const timers = [
    setInterval(() => void askAll(), pace.formEveryMs),
    setInterval(() => void writeIfDue(), pace.lookMs),
  ];

  return {
    get list() {
      return list;
    },
    get: (slug) => list.find((profile) => profile.slug === slug),
    async close() {
      for (const timer of timers) clearInterval(timer);
      end.abort();
      await asked;
      await writing;
    },
  };
}

/** As the store keeps it. Throws PLUGIN_INVALID when it is no set of keywords. */
function checkedOffer(answer: unknown): Offer {
  const offer: unknown = JSON.parse(JSON.stringify(answer));
  const [fault] = faultsOf(Offered, offer);
  if (fault)
    throw new HubError("PLUGIN_INVALID", {
      operator: `What the spawner offers is not understood: ${fault.path} ${fault.message}.`,
    });
  return offer as Offer;
}
const Offered = Type.Record(Type.String(), Narrowing);

type Content = Omit<Profile, "_id" | "rev" | "v" | "changedAt">;

const shown = (
  { title, description, backend, position, fields, visibleTo }: OfferedProfile,
  offered: Offer,
): Content => ({
  title,
  description,
  backend,
  position,
  fields: [...fields],
  visibleTo,
  offered: { ...offered },
});

const contentOf = ({ _id, rev, v, changedAt, ...content }: Profile): Content => content;
