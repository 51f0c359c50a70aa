import {
  type AnswerOf,
  type AuthCreateUser,
  type AuthDeleteUser,
  type AuthUpdateUser,
  codeOf,
  HubError,
  type RequestOf,
} from "@elara/contracts";
import { digest } from "@elara/runtime/id";
import { serversOfUser } from "@elara/runtime/store/read/servers";
import { normalName } from "@elara/runtime/user-name";
import type { Ground } from "../ground.ts";
import type { AllowRules } from "../people/allow-rules.ts";
import type { SessionBook } from "../people/session-book.ts";
import type { TokenBook } from "../people/token-book.ts";
import type { UserBook } from "../people/user-book.ts";

/** What the orders about users work with. */
export interface UserOrderParts {
  readonly ground: Ground;
  readonly users: UserBook;
  readonly sessions: SessionBook;
  readonly tokens: TokenBook;
  readonly rules: AllowRules;
  /** Somebody is marked as deleting: see to it now. */
  farewell(): void;
}

/** `auth.create_user`. The id comes from the order's, so that a repeated order finds its own user. */
export async function createUser(
  { users, rules }: Pick<UserOrderParts, "users" | "rules">,
  order: RequestOf<typeof AuthCreateUser>,
  orderId: string,
): Promise<AnswerOf<typeof AuthCreateUser>> {
  const name = normalName(order.name);
  const id = digest(`order ${orderId}`).slice(0, 26);
  try {
    const admin = order.admin || rules.isAdmin(name);
    const user = await users.create({ name, admin, actor: order.actor, id });
    return { userId: user._id, name: user.name };
  } catch (error) {
    const holder = codeOf(error) === "USER_EXISTS" ? await users.holder(name) : undefined;
    if (holder?._id !== id) throw error;
    return { userId: id, name };
  }
}

/** `auth.update_user`. A user with server records keeps the name, which stands in their paths. */
export async function updateUser(
  { ground, users }: Pick<UserOrderParts, "ground" | "users">,
  { userId, name, admin, actor }: RequestOf<typeof AuthUpdateUser>,
): Promise<AnswerOf<typeof AuthUpdateUser>> {
  let user = await users.living(userId);
  if (!user) throw new HubError("USER_NOT_FOUND");
  if (user.deletingAt !== "") throw new HubError("USER_DELETING");
  if (name !== undefined && normalName(name) !== user.name) {
    if ((await serversOfUser(ground.store, userId)).length > 0) throw new HubError("USER_HAS_SERVERS");
    user = (await users.rename(userId, name, actor)) ?? user;
  }
  if (admin !== undefined && admin !== user.admin)
    user = (await users.setAdmin(userId, admin, actor)) ?? user;
  return { userId, name: user.name };
}

/**
 * `auth.delete_user`. From the answer on nothing of the user's opens a door; servers and record go in the background. Of
 * who is gone already it says the same, for whoever repeats an order whose answer was lost.
 */
export async function deleteUser(
  { ground, users, sessions, tokens, farewell }: Omit<UserOrderParts, "rules">,
  { userId, actor }: RequestOf<typeof AuthDeleteUser>,
): Promise<AnswerOf<typeof AuthDeleteUser>> {
  const user = await ground.records.users.get(userId);
  if (!user) throw new HubError("USER_NOT_FOUND");
  if (user.deletedAt !== "") return { userId };
  await users.markDeleting(userId, actor);
  await sessions.endAll(userId);
  await tokens.revokeWhere({ userId }, actor);
  farewell();
  return { userId };
}
