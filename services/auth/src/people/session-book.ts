import { eventfulStart, type Session } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import { newLoginSecret, newSessionId } from "@elara/runtime/http/cookies";
import { digest } from "@elara/runtime/id";
import { insertWithEvents, withEvents } from "@elara/runtime/outbox";
import type { Filter } from "@elara/runtime/store/store";
import type { Ground } from "../ground.ts";
import type { KeptLogins } from "../kept/kept-logins.ts";
import { swap } from "../swap.ts";
import { facts, type SessionEnd } from "./facts.ts";
import type { TokenBook } from "./token-book.ts";
import type { UserBook } from "./user-book.ts";

/** A session with the secret that only the browser gets. */
export interface OpenedSession {
  readonly secret: string;
  readonly session: Session;
}

export interface Opening {
  /** The browser's present session, which ends. */
  readonly previous?: Session;
  /** Its secret, made with `newLoginSecret` by whoever has to know it before; otherwise a new one. */
  readonly secret?: string;
}

/** Logins of browsers, each under the digest of its cookie's secret. */
export interface SessionBook {
  /** A new secret with every login. The same person in the same browser keeps the session id, so that open notebooks go on. */
  open(userId: string, authenticator: string, how?: Opening): Promise<OpenedSession>;
  /** Ends what a log-in wrote that was never answered, session or not: nobody has its secret. */
  undo(credential: string): Promise<void>;
  find(credential: string): Promise<Session | undefined>;
  /** Whether a browser with this session id is still logged in as this user. */
  isOpen(userId: string, sessionId: string): Promise<boolean>;
  /**
   * Log-out: the session and the tokens that were given out in it. The session is marked last, so that whoever is
   * interrupted finds it open and does it again.
   */
  end(credential: string): Promise<void>;
  /** Revokes what is left of tokens of these revoked sessions, and has given back what their authenticators kept. */
  endLeftOvers(revoked: Filter): Promise<void>;
  /** Revokes all sessions of a user. */
  endAll(userId: string): Promise<void>;
  /** Marks those whose time is over. */
  expire(): Promise<void>;
}

const DAY_MS = 86_400_000;

/** `kept`: what authenticators kept of sessions; each that ends, in whatever way, is told there. */
export function sessionBook(
  ground: Ground,
  users: UserBook,
  tokens: TokenBook,
  kept: Pick<KeptLogins, "end">,
): SessionBook {
  const { sessions } = ground.records;
  const fact = facts(ground);
  const now = () => timestamp(ground.clock.now());

  const nameOf = async (userId: string): Promise<string> => (await users.living(userId))?.name ?? "";
  const revoke = async (
    { _id, userId }: Session,
    reason: SessionEnd,
    actor: string,
  ): Promise<Session | undefined> => {
    let revoked: Session | undefined;
    const name = await nameOf(userId);
    await swap(sessions, _id, (session) => {
      revoked = session.revokedAt === "" ? session : undefined;
      // Sessions of an earlier version carry no events.
      const isTold = Number.isInteger(session.seq);
      return (
        revoked &&
        (isTold
          ? withEvents(session, { revokedAt: now() }, [fact.sessionEnded(session, name, reason, actor)])
          : { set: { revokedAt: now() } })
      );
    });
    ground.forget([_id]);
    ground.nudge();
    // After the mark: who is killed in between is followed by the janitor.
    await kept.end(_id);
    return revoked;
  };
  const endTokens = ({ sessionId, userId }: Session, actor: string) =>
    tokens.revokeWhere({ sessionId, userId }, actor);
  const end: SessionBook["end"] = async (credential) => {
    const session = await sessions.get(credential);
    if (session === undefined || session.revokedAt !== "") return;
    const actor = `user:${session.userId}`;
    await endTokens(session, actor);
    if (!(await revoke(session, "logged_out", actor))) return;
    // What was given out between the first look and the mark; the janitor looks too, should this one not come to it.
    await endTokens(session, actor);
    await users.loggedOut(session.userId);
  };
  const isOpen: SessionBook["isOpen"] = async (userId, sessionId) => {
    const { items } = await sessions.find({ where: { userId, sessionId, revokedAt: "" }, limit: 10 });
    return items.some((session) => session.expiresAt > now());
  };

  return {
    async open(userId, authenticator, { previous, secret = newLoginSecret() } = {}) {
      const isSamePerson = previous?.userId === userId && previous.revokedAt === "";
      const started = {
        ...eventfulStart,
        _id: digest(secret),
        v: 1,
        userId,
        sessionId: isSamePerson ? previous.sessionId : newSessionId(),
        authenticator,
        createdAt: now(),
        expiresAt: timestamp(ground.clock.now() + ground.config.sessionDays * DAY_MS),
        revokedAt: "",
      };
      const session = await sessions.insert(
        insertWithEvents(started, [fact.sessionStarted(started, await nameOf(userId))]),
      );
      ground.nudge();
      if (previous && isSamePerson) await revoke(previous, "replaced", `user:${userId}`);
      else if (previous) await end(previous._id);
      return { secret, session };
    },
    async undo(credential) {
      const session = await sessions.get(credential);
      if (session) await revoke(session, "revoked", "system:auth");
      else await kept.end(credential);
    },
    find: (credential) => sessions.get(credential),
    isOpen,
    end,
    async endLeftOvers(where) {
      let after: string | undefined;
      do {
        const page = await sessions.find({ where, limit: 200, ...(after === undefined ? {} : { after }) });
        // A new log-in of the same person goes on with the session under another secret.
        for (const session of page.items) {
          if (!(await isOpen(session.userId, session.sessionId))) await endTokens(session, "system:auth");
          await kept.end(session._id);
        }
        after = page.next;
      } while (after !== undefined);
    },
    async endAll(userId) {
      for (;;) {
        const { items } = await sessions.find({ where: { userId, revokedAt: "" }, limit: 200 });
        for (const session of items) await revoke(session, "revoked", "system:auth");
        if (items.length < 200) return;
      }
    },
    async expire() {
      for (;;) {
        const isOver = { gte: timestamp(0), lt: now() };
        const { items } = await sessions.find({ where: { expiresAt: isOver, revokedAt: "" }, limit: 200 });
        for (const session of items) await revoke(session, "expired", "system:auth");
        if (items.length < 200) return;
      }
    },
  };
}
