import { type CloudEvent, codeOf, HubError } from "@elara/contracts";
import { type EventReach, mayRead, usersReached } from "@elara/runtime/scopes/event-reach";
import { followedNames } from "@elara/runtime/store/read/event-reach";
import type { Identity } from "@elara/runtime/store/read/identity";
import type { WebDeps } from "../deps.ts";
import { changesNames, type EventQuery } from "./event-query.ts";

/** Somebody who follows events: what they may and want to see, as it is now. */
export interface Reader {
  /** Whether this event goes out to them. In the order of events: one that gives a name to somebody is heeded at once. */
  wants(event: CloudEvent): Promise<boolean>;
  /** Looks again who it is. Throws NO_CREDENTIALS, SCOPE_MISSING or STORE_AWAY when they may not go on. */
  confirm(): Promise<void>;
}

type ReaderDeps = Pick<WebDeps, "identities" | "clock"> & {
  readonly reads: Pick<WebDeps["reads"], "eventReach" | "userIds" | "mayFollowEvents">;
};

/** Of an earlier event everybody was there when names were read last. */
const CLOCKS_APART_MS = 30_000;
/** Users remembered as known, per reader. */
const MOST_MET = 10_000;

/** Reads what the identity may follow. Throws SCOPE_MISSING, STORE_AWAY. */
export async function openReader(deps: ReaderDeps, identity: Identity, query: EventQuery): Promise<Reader> {
  const { reads, identities, clock } = deps;
  let now = identity;
  let readAt = clock.now();
  let reach = await reachOf(now);
  let users = await wantedUsers();
  let watched = watchedNow();

  async function reachOf({ scopes }: Identity): Promise<EventReach> {
    if (!reads.mayFollowEvents(scopes))
      throw new HubError("SCOPE_MISSING", {
        message: "Action is not authorized with current scopes; requires any of [read:events]",
      });
    return reads.eventReach(scopes);
  }
  async function wantedUsers(): Promise<ReadonlySet<string> | undefined> {
    return query.users && new Set(await reads.userIds(query.users));
  }
  /** Names that matter, and whom they led to when they were read. */
  function watchedNow(): { names: ReadonlySet<string>; ids: ReadonlySet<string>; isComplete: boolean } {
    const scoped = followedNames(now.scopes);
    const asked = new Set(query.users);
    const reached = usersReached(reach);
    return {
      names: new Set([...scoped, ...asked]),
      ids: new Set([...reached, ...(users ?? [])]),
      isComplete: reached.size >= scoped.size && (users === undefined || users.size >= asked.size),
    };
  }
  async function namesAnew(): Promise<void> {
    try {
      readAt = clock.now();
      // The scopes first: they name people as well, and must not name them as they were called before.
      await identities.refresh();
      await confirm();
      reach = await reachOf(now);
      users = await wantedUsers();
      watched = watchedNow();
    } catch (error) {
      // The store is away: as long as it is, names lead where they led.
      if (codeOf(error) !== "STORE_AWAY") throw error;
    }
  }
  async function confirm(): Promise<void> {
    const identity = await identities.again(now);
    if (!identity) throw new HubError("NO_CREDENTIALS");
    const isSame = identity.scopes === now.scopes || sameScopes(identity, now);
    now = identity;
    if (isSame) return;
    reach = await reachOf(now);
    watched = watchedNow();
  }
  const isOld = ({ time }: CloudEvent): boolean => Date.parse(time) + CLOCKS_APART_MS < readAt;
  /** A name that matters leads elsewhere. */
  const movesName = (event: CloudEvent): boolean => {
    const { userId, name } = event.data;
    const { ids, names } = watched;
    return changesNames(event) && (ids.has(String(userId)) || names.has(String(name)));
  };
  /** Relays of two collections do not wait for each other: somebody may be told of before their creation is. */
  const met = new Set<string>();
  const isNew = ({ data: { userId } }: CloudEvent): boolean => {
    if (watched.isComplete || typeof userId !== "string" || met.has(userId)) return false;
    if (met.size >= MOST_MET) met.clear();
    met.add(userId);
    return true;
  };
  const isOfWanted = ({ data }: CloudEvent): boolean =>
    users === undefined || (typeof data.userId === "string" && users.has(data.userId));

  return {
    async wants(event) {
      if (!isOld(event) && (movesName(event) || isNew(event))) await namesAnew();
      if (query.types !== undefined && !query.types.has(event.type)) return false;
      return isOfWanted(event) && mayRead(reach, event);
    },
    confirm,
  };
}

const sameScopes = (a: Identity, b: Identity): boolean =>
  a.scopes.list().join(" ") === b.scopes.list().join(" ");
