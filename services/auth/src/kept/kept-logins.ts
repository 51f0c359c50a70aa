import { codeOf, HubError, type KeptAuthState, type Session } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import type { Query } from "@elara/runtime/store/store";
import type { AuthState } from "@elara/sdk";
import type { Ground } from "../ground.ts";
import type { LoginWay } from "../login/ways.ts";
import { swap } from "../swap.ts";
import { untilAborted } from "../until-aborted.ts";
import type { Envelope } from "./envelope.ts";

/** A log-in that is not done after so long never will be. */
const OPENING_MS = 60_000;
const AT_ONCE = 200;
const LOOK_AT = 10;
const NEWEST_FIRST = { by: ["userId", "createdAt"], desc: true };
/** Whoever has claimed one to give it back is taken for dead after this. */
export const CLAIM_MS = 25_000;

/** Who has logged in by which way, and what its authenticator wants kept. */
export interface ToKeep {
  readonly way: Pick<LoginWay, "name" | "authenticator">;
  readonly authState: AuthState;
  readonly userId: string;
  readonly userName: string;
}

/** What authenticators wanted kept: sealed, a document for each session, until it was given back. */
export interface KeptLogins {
  /**
   * Keeps it for the session of this id, which is perhaps opened, in place of what was kept for it: without `opened` it is
   * given back after `seconds` and a minute, so that who dies in the log-in loses nothing. Throws LOGIN_UNAVAILABLE when
   * it is being given back already.
   */
  keep(credential: string, wanted: ToKeep, seconds?: number): Promise<void>;
  /** The log-in is done: keeps it for as long as the session. Throws LOGIN_UNAVAILABLE when it was given back already. */
  opened(session: Pick<Session, "_id" | "expiresAt">, wanted: ToKeep): Promise<void>;
  /** The log-in came to nothing after its provider had given something: that goes back. Never throws. */
  abandon(credential: string, wanted: ToKeep): Promise<void>;
  /** The session is over: marks it, and sees to it soon. */
  end(credential: string): Promise<void>;
  /** Of this user's newest session that is open, among those of authenticators for which `only` is true. */
  newest(userId: string, only: (authenticator: string) => boolean): Promise<KeptAuthState | undefined>;
  open(kept: KeptAuthState): AuthState;
  /** Seals anew what an older key of the ring seals. */
  renew(): Promise<void>;
}

/** `nudge`: something is to be given back now. */
export function keptLogins(
  ground: Pick<Ground, "records" | "clock" | "log">,
  envelope: Envelope,
  nudge: () => void,
): KeptLogins {
  const { authStates, sessions } = ground.records;
  const { log, clock } = ground;
  const now = () => timestamp(clock.now());
  /** How many could not be read, by key, as told last. */
  let told: ReadonlyMap<string, number> = new Map();

  const sealed = ({ userId, userName, authState }: ToKeep) => ({
    userId,
    userName,
    kid: envelope.kid,
    sealed: envelope.seal(authState, userId),
  });
  type Times = Pick<KeptAuthState, "endedAt" | "dueAt">;
  /** Over what is there, unless that is being given back; returns what is there then. */
  const replace = (id: string, wanted: ToKeep, times: Times) =>
    swap(authStates, id, ({ endedAt }) =>
      endedAt === "" ? { set: { ...sealed(wanted), ...times } } : undefined,
    );
  const put = async (id: string, wanted: ToKeep, times: Times) =>
    (await replace(id, wanted, times)) ??
    (await authStates.insert({
      _id: id,
      v: 1,
      authenticator: wanted.way.name,
      createdAt: now(),
      tries: 0,
      ...sealed(wanted),
      ...times,
    }));
  const open: KeptLogins["open"] = ({ sealed, userId }) => envelope.open(sealed, userId);

  return {
    async keep(credential, wanted, seconds = 0) {
      const dueAt = timestamp(clock.now() + seconds * 1000 + OPENING_MS);
      const held = await put(credential, wanted, { endedAt: "", dueAt });
      if (held.endedAt !== "") throw new HubError("LOGIN_UNAVAILABLE");
    },
    async opened({ _id, expiresAt }, wanted) {
      const held = await replace(_id, wanted, { endedAt: "", dueAt: expiresAt });
      if (held?.endedAt !== "") throw new HubError("LOGIN_UNAVAILABLE");
    },
    async abandon(credential, wanted) {
      try {
        await put(credential, wanted, { endedAt: now(), dueAt: now() });
        nudge();
      } catch (error) {
        // The store is away: one try without it is better than none.
        const { way, authState, userName } = wanted;
        const signal = AbortSignal.timeout(10_000);
        const call = () => way.authenticator.logout?.({ authState, userName, signal });
        await untilAborted(signal, call).catch(() => {
          log.error(
            { authenticator: way.name, name: userName, code: codeOf(error) },
            "tokens of a refused login neither kept nor given back",
          );
        });
      }
    },
    async end(credential) {
      let isMarked = false;
      await swap(authStates, credential, ({ endedAt }) => {
        isMarked = endedAt === "";
        return isMarked ? { set: { endedAt: now(), dueAt: now() } } : undefined;
      });
      if (isMarked) nudge();
    },
    async newest(userId, only) {
      for await (const kept of every({
        where: { userId, endedAt: "" },
        sort: NEWEST_FIRST,
        limit: LOOK_AT,
      })) {
        if (!only(kept.authenticator)) continue;
        const session = await sessions.get(kept._id);
        if (session?.revokedAt === "" && session.expiresAt > now()) return kept;
      }
      return undefined;
    },
    open,
    async renew() {
      // Who is just giving one back holds its `rev`, and does not need it sealed anew.
      const dueAt = { gt: timestamp(clock.now() + CLAIM_MS) };
      const isOld = { kid: { ne: envelope.kid } };
      const unread = new Map<string, number>();
      let renewed = 0;
      for await (const kept of every({ where: { ...isOld, dueAt }, limit: AT_ONCE })) {
        let sealed: string;
        try {
          sealed = envelope.seal(open(kept), kept.userId);
        } catch {
          unread.set(kept.kid, (unread.get(kept.kid) ?? 0) + 1);
          continue;
        }
        if (await authStates.patch(kept._id, kept.rev, { set: { kid: envelope.kid, sealed } })) renewed += 1;
      }
      if (renewed > 0)
        log.info(
          { count: renewed, left: await authStates.count(isOld) },
          "auth states encrypted with the first key",
        );
      const { operator } = new HubError("AUTH_STATE_UNREADABLE");
      for (const [kid, count] of unread)
        if (told.get(kid) !== count)
          log.error({ kid, count, code: "AUTH_STATE_UNREADABLE", operator }, "auth states cannot be read");
      told = unread;
    },
  };

  async function* every(query: Query): AsyncGenerator<KeptAuthState> {
    let after: string | undefined;
    do {
      const page = await authStates.find({ ...query, ...(after === undefined ? {} : { after }) });
      yield* page.items;
      after = page.next;
    } while (after !== undefined);
  }
}
