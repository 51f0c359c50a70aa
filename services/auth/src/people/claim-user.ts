import { codeOf, HubError, type User } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import { digest } from "@elara/runtime/id";
import type { AuthenticatedUser } from "@elara/sdk";
import type { Ground } from "../ground.ts";
import type { UserBook } from "./user-book.ts";

const TRIES = 5;

type Who = Pick<AuthenticatedUser, "issuer" | "subject">;

const idOf = ({ issuer, subject }: Who): string => digest(`${issuer}\0${subject}`);

/** The user whom this identity has been before, if any. Throws USER_DELETING. */
export async function userBehind(ground: Ground, book: UserBook, who: Who): Promise<User | undefined> {
  const identity = await ground.records.identities.get(idOf(who));
  const user = identity && (await book.living(identity.userId));
  return user && notDeleting(user);
}

/**
 * The user behind an identity. (issuer, subject) decides; the name counts once, at the first login, which makes the user
 * or takes one over that nobody has logged in to yet. Throws LOGIN_NAME_TAKEN, LOGIN_NAME_RESERVED, USER_DELETING.
 */
export async function claimUser(ground: Ground, book: UserBook, who: Who, name: string): Promise<User> {
  const { identities } = ground.records;
  const id = idOf(who);

  for (let tries = 0; tries < TRIES; tries += 1) {
    const identity = await identities.get(id);
    if (identity) {
      const user = await book.living(identity.userId);
      if (user) return notDeleting(user);
      // Left over from a deleted user.
      await identities.delete(id, identity.rev);
    }
    const user = await claimed();
    if (user === undefined) continue;
    try {
      await identities.insert({
        _id: id,
        v: 1,
        issuer: who.issuer,
        subject: who.subject,
        userId: user._id,
        createdAt: timestamp(ground.clock.now()),
      });
      return user;
    } catch (error) {
      // The same person in another tab was quicker.
      if (codeOf(error) !== "STORE_CONFLICT") throw error;
    }
  }
  throw new HubError("STORE_CONFLICT");

  /** The user of this name, owned by this identity: decided by one compare and swap on the user. */
  async function claimed(): Promise<User | undefined> {
    const holder = await book.holder(name);
    if (holder === undefined) {
      return book
        .create({ name, admin: false, actor: "system:auth", claimedBy: id })
        .catch((error) => (codeOf(error) === "USER_EXISTS" ? undefined : Promise.reject(error)));
    }
    if (holder.deletedAt !== "") throw new HubError("LOGIN_NAME_RESERVED", { detail: { name } });
    notDeleting(holder);
    const user = await book.claim(holder._id, id);
    if (user !== undefined && user.claimedBy !== id)
      throw new HubError("LOGIN_NAME_TAKEN", { detail: { name, issuer: who.issuer } });
    return user;
  }
}

function notDeleting(user: User): User {
  if (user.deletingAt !== "") throw new HubError("USER_DELETING");
  return user;
}
