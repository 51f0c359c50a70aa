import {
  type Token,
  TokenCreated,
  TokenRevoked,
  type User,
  UserCreated,
  UserDeleted,
  UserLoggedIn,
  UserLoggedOut,
  UserUpdated,
} from "@elara/contracts";
import { eventOf } from "@elara/runtime/outbox";
import type { PendingEvent } from "@elara/runtime/store/store";
import type { Ground } from "../ground.ts";

type Person = Pick<User, "_id" | "name" | "admin" | "seq">;
type Credential = Pick<Token, "userId" | "publicId" | "kind" | "note" | "seq">;

/** The events of auth's documents, ready for the outbox. */
export interface Facts {
  userCreated(user: Person, actor: string): PendingEvent;
  userUpdated(user: Person, changed: string[], actor: string): PendingEvent;
  userDeleted(user: Person, actor: string): PendingEvent;
  loggedIn(user: Person, authenticator: string): PendingEvent;
  loggedOut(user: Person): PendingEvent;
  tokenCreated(token: Credential, actor: string): PendingEvent;
  tokenRevoked(token: Credential, actor: string): PendingEvent;
}

export function facts({ hub, clock }: Pick<Ground, "hub" | "clock">): Facts {
  const about = (user: Person, actor: string) => ({
    hubId: hub.hubId,
    clock,
    doc: user,
    subject: `users/${user._id}`,
    userId: user._id,
    objectId: user._id,
    actor,
  });
  const aboutToken = (token: Credential, actor: string) => ({
    hubId: hub.hubId,
    clock,
    doc: token,
    subject: `users/${token.userId}/tokens/${token.publicId}`,
    userId: token.userId,
    objectId: token.publicId,
    actor,
    data: { userId: token.userId, publicId: token.publicId, kind: token.kind, note: token.note },
  });
  const data = (user: Person) => ({ userId: user._id, name: user.name });
  const self = (user: Person) => about(user, `user:${user._id}`);
  return {
    userCreated: (user, actor) =>
      eventOf(UserCreated, { ...about(user, actor), data: { ...data(user), admin: user.admin } }),
    userUpdated: (user, changed, actor) =>
      eventOf(UserUpdated, { ...about(user, actor), data: { ...data(user), changed } }),
    userDeleted: (user, actor) => eventOf(UserDeleted, { ...about(user, actor), data: data(user) }),
    loggedIn: (user, authenticator) =>
      eventOf(UserLoggedIn, { ...self(user), data: { ...data(user), authenticator } }),
    loggedOut: (user) => eventOf(UserLoggedOut, { ...self(user), data: data(user) }),
    tokenCreated: (token, actor) => eventOf(TokenCreated, aboutToken(token, actor)),
    tokenRevoked: (token, actor) => eventOf(TokenRevoked, aboutToken(token, actor)),
  };
}
