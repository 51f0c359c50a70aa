import { codeOf, HubError, type User } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import { newId } from "@elara/runtime/id";
import { insertWithEvents, withEvents } from "@elara/runtime/outbox";
import { isValidName, normalName } from "@elara/runtime/user-name";
import type { Ground } from "../ground.ts";
import { swap } from "../swap.ts";
import { facts } from "./facts.ts";

/** Users: made, changed, found. Every change carries its event. */
export interface UserBook {
  /** Whoever holds the name: a living user, or a deleted one whose name is still reserved. */
  holder(name: string): Promise<User | undefined>;
  /** The living user. */
  living(id: string): Promise<User | undefined>;
  /** Throws USER_NAME_INVALID, USER_EXISTS. `id` makes a repeated order find its own user. */
  create(given: {
    name: string;
    admin: boolean;
    actor: string;
    id?: string;
    claimedBy?: string;
  }): Promise<User>;
  /** Sets the admin flag; cached identities of the user are dropped everywhere. */
  setAdmin(id: string, admin: boolean, actor: string): Promise<User | undefined>;
  /** Gives another name; the old one stays reserved for a day. Throws USER_NAME_INVALID, USER_EXISTS. */
  rename(id: string, name: string, actor: string): Promise<User | undefined>;
  loggedIn(id: string, authenticator: string): Promise<User | undefined>;
  loggedOut(id: string): Promise<void>;
  /** Marks it as deleting: log-ins, grants and starts are refused from then on. */
  markDeleting(id: string, actor: string): Promise<User | undefined>;
  /** The identity that logged in first owns the name from then on; a name that has an owner keeps it. */
  claim(id: string, identityId: string): Promise<User | undefined>;
  /** Notes whether the configuration blocks the user. */
  setBlocked(id: string, blocked: boolean): Promise<User | undefined>;
  /** Users who are noted as blocked. */
  blocked(): Promise<User[]>;
  /** Leaves a tombstone that reserves the name. */
  bury(id: string, actor: string): Promise<void>;
}

const EPOCH = timestamp(0);

export function userBook(ground: Ground): UserBook {
  const { users } = ground.records;
  const fact = facts(ground);
  const now = () => timestamp(ground.clock.now());
  const nudged = <T>(value: T): T => {
    ground.nudge();
    return value;
  };
  const checkedName = (name: string): string => {
    const normal = normalName(name);
    if (!isValidName(normal))
      throw new HubError("USER_NAME_INVALID", { message: `Invalid username: ${name.slice(0, 64)}` });
    return normal;
  };
  const taken =
    (name: string) =>
    (error: unknown): never => {
      if (codeOf(error) !== "STORE_CONFLICT") throw error;
      throw new HubError("USER_EXISTS", { message: `User ${name} already exists`, cause: error });
    };
  const blank = (name: string): Omit<User, "rev"> => ({
    _id: newId(),
    v: 1,
    seq: 0,
    pendingEvents: [],
    pendingSince: "",
    deletedAt: "",
    name,
    nameKey: name,
    admin: false,
    createdAt: now(),
    lastLoginAt: "",
    deletingAt: "",
    accessChangedAt: "",
    blockedAt: "",
  });

  return {
    async holder(name) {
      const { items } = await users.find({ where: { nameKey: name }, limit: 1 });
      return items[0];
    },
    async living(id) {
      const user = await users.get(id);
      return user?.deletedAt === "" ? user : undefined;
    },
    async create({ name, admin, actor, id, claimedBy }) {
      const normal = checkedName(name);
      const user = {
        ...blank(normal),
        admin,
        ...(id === undefined ? {} : { _id: id }),
        ...(claimedBy === undefined ? {} : { claimedBy }),
      };
      return nudged(
        await users.insert(insertWithEvents(user, [fact.userCreated(user, actor)])).catch(taken(normal)),
      );
    },
    async setAdmin(id, admin, actor) {
      const changed = await swap(users, id, (user) =>
        user.admin === admin || user.deletedAt !== ""
          ? undefined
          : withEvents(user, { admin, accessChangedAt: now() }, [
              fact.userUpdated({ ...user, admin }, { changed: ["admin"], admin }, actor),
            ]),
      );
      return nudged(changed);
    },
    async rename(id, name, actor) {
      const normal = checkedName(name);
      let old = "";
      const renamed = await swap(users, id, (user) => {
        if (user.name === normal || user.deletedAt !== "") return undefined;
        old = user.name;
        return withEvents(user, { name: normal, nameKey: normal, accessChangedAt: now() }, [
          fact.userUpdated({ ...user, name: normal }, { changed: ["name"], nameBefore: old }, actor),
        ]);
      }).catch(taken(normal));
      // A tombstone without a user: the janitor takes it away after a day. Somebody may have been quicker.
      if (old !== "")
        await users
          .insert({ ...blank(old), deletingAt: now(), deletedAt: now() })
          .catch((error) => (codeOf(error) === "STORE_CONFLICT" ? undefined : Promise.reject(error)));
      return nudged(renamed);
    },
    loggedIn: async (id, authenticator) =>
      nudged(
        await swap(users, id, (user) =>
          withEvents(user, { lastLoginAt: now() }, [fact.loggedIn(user, authenticator)]),
        ),
      ),
    async loggedOut(id) {
      await swap(users, id, (user) => withEvents(user, {}, [fact.loggedOut(user)]));
      ground.nudge();
    },
    markDeleting: async (id, actor) =>
      nudged(
        await swap(users, id, (user) =>
          user.deletingAt === ""
            ? withEvents(user, { deletingAt: now(), accessChangedAt: now() }, [
                fact.userDeleting(user, actor),
              ])
            : undefined,
        ),
      ),
    claim: async (id, identityId) =>
      nudged(
        await swap(users, id, (user) =>
          user.claimedBy
            ? undefined
            : withEvents(user, { claimedBy: identityId }, [
                fact.userUpdated(user, { changed: ["claimed"] }, `user:${id}`),
              ]),
        ),
      ),
    setBlocked: async (id, blocked) =>
      nudged(
        await swap(users, id, (user) =>
          user.deletedAt !== "" || Boolean(user.blockedAt) === blocked
            ? undefined
            : withEvents(user, { blockedAt: blocked ? now() : "" }, [
                blocked ? fact.userBlocked(user) : fact.userUnblocked(user),
              ]),
        ),
      ),
    async blocked() {
      const { items } = await users.find({
        where: { blockedAt: { gt: EPOCH } },
        sort: { by: ["blockedAt"] },
      });
      return items;
    },
    async bury(id, actor) {
      await swap(users, id, (user) =>
        user.deletedAt === ""
          ? withEvents(user, { deletedAt: now(), accessChangedAt: now() }, [fact.userDeleted(user, actor)])
          : undefined,
      );
      ground.nudge();
    },
  };
}
