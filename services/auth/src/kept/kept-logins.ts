import { codeOf, HubError, type KeptAuthState, type Session } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import { digest, newId } from "@elara/runtime/id";
import type { AuthState } from "@elara/sdk";
import type { Ground } from "../ground.ts";
import type { Door } from "../login/authenticators.ts";
import { swap } from "../swap.ts";
import { untilAborted } from "../until-aborted.ts";
import type { Envelope } from "./envelope.ts";

/** A log-in that is not done after so long never will be. */
const OPENING_MS = 60_000;
const AT_ONCE = 200;

/** Who has logged in by which door, and what its authenticator wants kept. */
export interface ToKeep {
  readonly door: Pick<Door, "name" | "authenticator">;
  readonly authState: AuthState;
  readonly userId: string;
  readonly userName: string;
}

/** What authenticators wanted kept: sealed, a document for each session, until it was given back. */
export interface KeptLogins {
  /**
   * Keeps it for the session of this id, which is about to be opened: without `opened` it is given back soon, so that who
   * dies in the log-in loses nothing.
   */
  keep(credential: string, wanted: ToKeep): Promise<void>;
  /** The log-in is done: keeps it for as long as the session. Throws LOGIN_UNAVAILABLE when it was given back already. */
  opened(session: Pick<Session, "_id" | "expiresAt">): Promise<void>;
  /** The log-in came to nothing after its authenticator had said yes: what was given goes back. Never throws. */
  abandon(wanted: ToKeep): Promise<void>;
  /** The session is over: marks it, and sees to it soon. */
  end(credential: string): Promise<void>;
  /** Of this user's sessions that are open, newest first; only those of authenticators for which `only` is true. */
  living(userId: string, only: (authenticator: string) => boolean): Promise<KeptAuthState[]>;
  open(kept: KeptAuthState): AuthState;
  /** Seals anew what an older key of the ring seals; how many. */
  renew(): Promise<number>;
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

  const insert = async (id: string, wanted: ToKeep, over: Pick<KeptAuthState, "endedAt" | "dueAt">) => {
    const { userId, userName, authState, door } = wanted;
    await authStates.insert({
      _id: id,
      v: 1,
      userId,
      userName,
      authenticator: door.name,
      kid: envelope.kid,
      sealed: envelope.seal(authState, userId),
      createdAt: now(),
      tries: 0,
      ...over,
    });
  };
  const open: KeptLogins["open"] = ({ sealed, userId }) => envelope.open(sealed, userId);

  return {
    keep: (credential, wanted) =>
      insert(credential, wanted, { endedAt: "", dueAt: timestamp(clock.now() + OPENING_MS) }),
    async opened({ _id, expiresAt }) {
      const held = await swap(authStates, _id, ({ endedAt }) =>
        endedAt === "" ? { set: { dueAt: expiresAt } } : undefined,
      );
      if (held?.endedAt !== "") throw new HubError("LOGIN_UNAVAILABLE");
    },
    async abandon(wanted) {
      try {
        await insert(digest(newId()), wanted, { endedAt: now(), dueAt: now() });
        nudge();
      } catch (error) {
        // The store is away: one try without it is better than none.
        const { door, authState, userName } = wanted;
        const signal = AbortSignal.timeout(10_000);
        const call = () => door.authenticator.logout?.({ authState, userName, signal });
        await untilAborted(signal, call).catch(() => {
          log.error(
            { authenticator: door.name, name: userName, code: codeOf(error) },
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
    async living(userId, only) {
      const { items } = await authStates.find({ where: { userId }, limit: AT_ONCE });
      const candidates = items
        .filter(({ endedAt, authenticator }) => endedAt === "" && only(authenticator))
        .sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
      const found: KeptAuthState[] = [];
      for (const kept of candidates) {
        const session = await sessions.get(kept._id);
        if (session?.revokedAt === "" && session.expiresAt > now()) found.push(kept);
      }
      return found;
    },
    open,
    async renew() {
      let renewed = 0;
      for (;;) {
        const { items } = await authStates.find({ where: { kid: { ne: envelope.kid } }, limit: AT_ONCE });
        const before = renewed;
        for (const kept of items) {
          try {
            const sealed = envelope.seal(open(kept), kept.userId);
            if (await authStates.patch(kept._id, kept.rev, { set: { kid: envelope.kid, sealed } }))
              renewed += 1;
          } catch (error) {
            log.error(
              { userId: kept.userId, kid: kept.kid, code: codeOf(error), err: error },
              "auth state not read",
            );
          }
        }
        if (items.length < AT_ONCE || renewed === before) return renewed;
      }
    },
  };
}
