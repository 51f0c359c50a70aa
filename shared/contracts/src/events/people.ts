import { Type } from "typebox";
import { Id, Time, TimeOrNone } from "../scalar.ts";
import { fact } from "./contract.ts";

const UserData = { userId: Id, name: Type.String() };

export const UserCreated = fact(
  "user.created",
  "A user was created, by first login or by an administrator.",
  Type.Object({ ...UserData, admin: Type.Boolean() }),
);
export const UserUpdated = fact(
  "user.updated",
  "Name, admin flag or owner changed; `changed` names the fields (`name`, `admin`, `claimed`: an identity logged in first and owns the name now).",
  Type.Object({
    ...UserData,
    changed: Type.Array(Type.String()),
    /** The name before, where it changed. */
    nameBefore: Type.Optional(Type.String()),
    /** The admin flag as it is now, where it changed. */
    admin: Type.Optional(Type.Boolean()),
  }),
);
export const UserDeleting = fact(
  "user.deleting",
  "A user is being deleted: log-ins, tokens and starts are refused, servers are being stopped.",
  Type.Object(UserData),
);
export const UserDeleted = fact(
  "user.deleted",
  "A user was deleted; the id is never used again.",
  Type.Object(UserData),
);
export const UserBlocked = fact(
  "user.blocked",
  "The configuration blocks this user now; sessions and tokens are being revoked.",
  Type.Object(UserData),
);
export const UserUnblocked = fact(
  "user.unblocked",
  "The configuration blocks this user no longer.",
  Type.Object(UserData),
);
export const UserLoggedIn = fact(
  "user.logged_in",
  "A browser session began.",
  Type.Object({ ...UserData, authenticator: Type.String() }),
);
export const UserLoggedOut = fact(
  "user.logged_out",
  "A browser session ended by log-out.",
  Type.Object(UserData),
);

/** `sessionId` is an id made for events: neither cookie nor digest of one. */
const SessionData = { userId: Id, sessionId: Id, name: Type.String(), authenticator: Type.String() };

export const SessionStarted = fact(
  "session.started",
  "A browser logged in.",
  Type.Object({ ...SessionData, expiresAt: Time }),
);
export const SessionEnded = fact(
  "session.ended",
  "A browser's log-in is over. `replaced`: the same person logged in again in the same browser, with a session of its own.",
  Type.Object({
    ...SessionData,
    reason: Type.Union([
      Type.Literal("logged_out"),
      Type.Literal("expired"),
      Type.Literal("revoked"),
      Type.Literal("replaced"),
    ]),
  }),
);

const TokenData = {
  /** "" for tokens of services. */
  userId: Type.String(),
  publicId: Type.String(),
  /** `api`, `server`, `oauth`, `service`. */
  kind: Type.String(),
  note: Type.String(),
  /** Name of the owning service; absent or "" for users. */
  service: Type.Optional(Type.String()),
  /** The server it belongs to, for kind `server`. */
  serverId: Type.Optional(Type.String()),
  scopes: Type.Optional(Type.Array(Type.String())),
  /** "" for never. */
  expiresAt: Type.Optional(TimeOrNone),
};

export const TokenCreated = fact("token.created", "An API token was made.", Type.Object(TokenData));
export const TokenChanged = fact(
  "token.changed",
  "The scopes of a service's token were changed in the configuration.",
  Type.Object(TokenData),
);
export const TokenRevoked = fact("token.revoked", "An API token was revoked.", Type.Object(TokenData));
export const TokenExpired = fact(
  "token.expired",
  "An API token was not revoked, and is over. It was refused from `expiresAt` on; the event may come a minute later.",
  Type.Object(TokenData),
);
