import {
  type EventContract,
  type Session,
  SessionEnded,
  SessionStarted,
  type Token,
  TokenChanged,
  TokenCreated,
  TokenExpired,
  TokenRevoked,
  type User,
  UserBlocked,
  UserCreated,
  UserDeleted,
  UserDeleting,
  UserLoggedIn,
  UserLoggedOut,
  UserUnblocked,
  UserUpdated,
} from "@elara/contracts";
import { digest } from "@elara/runtime/id";
import { eventOf } from "@elara/runtime/outbox";
import type { PendingEvent } from "@elara/runtime/store/store";
import type { Static } from "typebox";
import type { Ground } from "../ground.ts";

type Person = Pick<User, "_id" | "name" | "admin" | "seq">;
type Credential = Pick<
  Token,
  "userId" | "service" | "publicId" | "kind" | "note" | "scopes" | "expiresAt" | "serverId" | "seq"
>;
type Login = Pick<Session, "_id" | "userId" | "authenticator" | "expiresAt" | "seq">;
/** Why a session is over. */
export type SessionEnd = Static<typeof SessionEnded.data>["reason"];
/** What changed of a user, with what it was and is where that is to be told. */
type UserChange = Pick<Static<typeof UserUpdated.data>, "changed" | "nameBefore" | "admin">;

/** The events of auth's documents, ready for the outbox. */
export interface Facts {
  userCreated(user: Person, actor: string): PendingEvent;
  userUpdated(user: Person, change: UserChange, actor: string): PendingEvent;
  userDeleting(user: Person, actor: string): PendingEvent;
  userDeleted(user: Person, actor: string): PendingEvent;
  userBlocked(user: Person): PendingEvent;
  userUnblocked(user: Person): PendingEvent;
  loggedIn(user: Person, authenticator: string): PendingEvent;
  loggedOut(user: Person): PendingEvent;
  /** `name`: of the user, as a label. */
  sessionStarted(session: Login, name: string): PendingEvent;
  sessionEnded(session: Login, name: string, reason: SessionEnd, actor: string): PendingEvent;
  tokenCreated(token: Credential, actor: string): PendingEvent;
  tokenChanged(token: Credential, actor: string): PendingEvent;
  tokenRevoked(token: Credential, actor: string): PendingEvent;
  tokenExpired(token: Credential): PendingEvent;
}

const SYSTEM = "system:auth";

/** Id of a session in events: tells it apart from others without showing the digest its cookie is known by. */
const sessionEventId = (credential: string): string => digest(`session ${credential}`).slice(0, 26);

export function facts({ hub, clock }: Pick<Ground, "hub" | "clock">): Facts {
  const { hubId } = hub;
  const about = (user: Person, actor: string) => ({
    hubId,
    clock,
    doc: user,
    subject: `users/${user._id}`,
    userId: user._id,
    objectId: user._id,
    actor,
  });
  const aboutToken = (token: Credential, actor: string) => ({
    hubId,
    clock,
    doc: token,
    subject: `${token.service === "" ? `users/${token.userId}` : `services/${token.service}`}/tokens/${token.publicId}`,
    userId: token.userId,
    objectId: token.publicId,
    actor,
    data: {
      userId: token.userId,
      publicId: token.publicId,
      kind: token.kind,
      note: token.note,
      scopes: [...token.scopes],
      expiresAt: token.expiresAt,
      ...(token.service === "" ? {} : { service: token.service }),
      ...(token.serverId === "" ? {} : { serverId: token.serverId }),
    },
  });
  const aboutSession = (session: Login, actor: string) => ({
    hubId,
    clock,
    doc: session,
    subject: `users/${session.userId}/sessions/${sessionEventId(session._id)}`,
    userId: session.userId,
    objectId: sessionEventId(session._id),
    actor,
  });
  const sessionData = (session: Login, name: string) => ({
    userId: session.userId,
    sessionId: sessionEventId(session._id),
    name,
    authenticator: session.authenticator,
  });
  const data = (user: Person) => ({ userId: user._id, name: user.name });
  const plain = (contract: EventContract<typeof UserDeleted.data>, user: Person, actor: string) =>
    eventOf(contract, { ...about(user, actor), data: data(user) });
  const self = (user: Person) => about(user, `user:${user._id}`);
  return {
    userCreated: (user, actor) =>
      eventOf(UserCreated, { ...about(user, actor), data: { ...data(user), admin: user.admin } }),
    userUpdated: (user, change, actor) =>
      eventOf(UserUpdated, { ...about(user, actor), data: { ...data(user), ...change } }),
    userDeleting: (user, actor) => plain(UserDeleting, user, actor),
    userDeleted: (user, actor) => plain(UserDeleted, user, actor),
    userBlocked: (user) => plain(UserBlocked, user, SYSTEM),
    userUnblocked: (user) => plain(UserUnblocked, user, SYSTEM),
    loggedIn: (user, authenticator) =>
      eventOf(UserLoggedIn, { ...self(user), data: { ...data(user), authenticator } }),
    loggedOut: (user) => eventOf(UserLoggedOut, { ...self(user), data: data(user) }),
    sessionStarted: (session, name) =>
      eventOf(SessionStarted, {
        ...aboutSession(session, `user:${session.userId}`),
        data: { ...sessionData(session, name), expiresAt: session.expiresAt },
      }),
    sessionEnded: (session, name, reason, actor) =>
      eventOf(SessionEnded, {
        ...aboutSession(session, actor),
        data: { ...sessionData(session, name), reason },
      }),
    tokenCreated: (token, actor) => eventOf(TokenCreated, aboutToken(token, actor)),
    tokenChanged: (token, actor) => eventOf(TokenChanged, aboutToken(token, actor)),
    tokenRevoked: (token, actor) => eventOf(TokenRevoked, aboutToken(token, actor)),
    tokenExpired: (token) => eventOf(TokenExpired, aboutToken(token, SYSTEM)),
  };
}
