import { HubError, type User } from "@elara/contracts";
import { isValidName, normalName } from "@elara/runtime/user-name";
import type { AllowRules } from "../people/allow-rules.ts";
import type { Mint } from "../people/mint.ts";
import type { UserBook } from "../people/user-book.ts";

export interface TokenForNameRequest {
  readonly name: string;
  readonly note: string;
  readonly expiresInSeconds: number | undefined;
  /** Make the user an administrator first. */
  readonly admin: boolean;
}

const ACTOR = "system:control";

/** A token for a user by name. One who does not exist yet is made, if the allow rules would let them log in. */
export const tokenForName =
  ({ users, rules, mint }: { users: UserBook; rules: AllowRules; mint: Mint }) =>
  async ({ name, note, expiresInSeconds, admin }: TokenForNameRequest) => {
    const normal = normalName(name);
    if (!isValidName(normal))
      throw new HubError("USER_NAME_INVALID", { message: `Invalid username: ${name.slice(0, 64)}` });
    if (rules.isBlocked(normal))
      throw new HubError("LOGIN_NOT_ALLOWED", { message: `${normal} is blocked.` });
    let user = await users.holder(normal);
    user ??= await create(normal);
    if (user.deletedAt !== "") throw new HubError("LOGIN_NAME_RESERVED");
    if (user.deletingAt !== "") throw new HubError("USER_DELETING");
    if ((admin || rules.isAdmin(normal)) && !user.admin)
      user = (await users.setAdmin(user._id, true, ACTOR)) ?? user;
    const made = await mint({
      user,
      note: note || "Requested on the command line",
      expiresIn: expiresInSeconds,
      scopes: ["inherit"],
    });
    return { token: made.secret, id: made.token.publicId, name: user.name, expiresAt: made.token.expiresAt };

    async function create(wanted: string): Promise<User> {
      if (!rules.isAllowed(wanted))
        throw new HubError("LOGIN_NOT_ALLOWED", {
          message: `There is no user ${wanted}, and the allow rules would not let them in.`,
          operator: "Add the name to `auth.allowedUsers` or `auth.adminUsers`, or set `auth.allowAll`.",
        });
      return users.create({ name: wanted, admin: false, actor: ACTOR });
    }
  };
export type TokenForName = ReturnType<typeof tokenForName>;
