import { HubError, type Token, type User } from "@elara/contracts";
import { digest } from "@elara/runtime/id";
import { expandScopes } from "@elara/runtime/scopes/expand";
import type { Identity } from "@elara/runtime/store/read/identity";
import { heldBy, reachOf } from "../api/token-model.ts";
import { newApiToken } from "./secret.ts";
import type { TokenBook } from "./token-book.ts";
import type { UserBook } from "./user-book.ts";

export interface MintRequest {
  readonly user: User;
  readonly note: string;
  /** Seconds; undefined: for ever. */
  readonly expiresIn: number | undefined;
  /** Raw scopes; `inherit` is all the user may do. */
  readonly scopes: readonly string[];
  /** Who asks; undefined: the user, just proven by password, or the command line. */
  readonly by?: Identity;
}

/** A token with its secret, which is told once. */
export interface Minted {
  readonly secret: string;
  readonly token: Token;
}

/**
 * Makes API tokens. A token never reaches further than its owner, nor than whoever asks for it: `tokens` alone does not
 * make one an administrator. Throws TOKEN_SCOPES_REFUSED, USER_DELETING.
 */
export function mint(users: UserBook, tokens: TokenBook) {
  return async ({ user, note, expiresIn, scopes, by }: MintRequest): Promise<Minted> => {
    if (!scopes.includes("inherit")) {
      const lacking = heldBy(user).missing(expandScopes(scopes, { kind: "user", name: user.name }));
      if (lacking.length > 0)
        throw new HubError("TOKEN_SCOPES_REFUSED", {
          message: `Not assigning requested scopes ${lacking.join(",")} not held by User ${user.name}`,
        });
    }
    const beyond = by ? by.scopes.missing(reachOf(scopes, user)) : [];
    if (by && beyond.length > 0)
      throw new HubError("TOKEN_SCOPES_REFUSED", {
        message: `Not assigning requested scopes ${beyond.join(",")} not held by the credential that asks`,
      });
    const secret = newApiToken();
    const actor =
      by === undefined ? `user:${user._id}` : by.kind === "user" ? `user:${by.userId}` : `service:${by.name}`;
    const token = await tokens.register(
      digest(secret),
      {
        kind: "api",
        userId: user._id,
        note,
        scopes: [...scopes],
        lifeMs: expiresIn === undefined ? undefined : expiresIn * 1000,
      },
      actor,
    );
    if ((await users.living(user._id))?.deletingAt !== "") {
      await tokens.revoke(token._id, actor);
      throw new HubError("USER_DELETING");
    }
    return { secret, token };
  };
}
export type Mint = ReturnType<typeof mint>;
