import { codeOf } from "@elara/contracts";
import type { Ground } from "../ground.ts";
import type { AllowRules } from "../people/allow-rules.ts";
import type { SessionBook } from "../people/session-book.ts";
import type { TokenBook } from "../people/token-book.ts";
import type { UserBook } from "../people/user-book.ts";

/** Revokes what blocked users still hold; once at the start, for the configured names only. Never throws. */
export async function revokeBlocked({
  ground,
  users,
  sessions,
  tokens,
  rules,
}: {
  ground: Ground;
  users: UserBook;
  sessions: SessionBook;
  tokens: TokenBook;
  rules: AllowRules;
}): Promise<void> {
  for (const name of rules.blocked) {
    try {
      const user = await users.holder(name);
      if (!user) continue;
      await sessions.endAll(user._id);
      const revoked = await tokens.revokeWhere({ userId: user._id }, "system:auth");
      if (revoked > 0)
        ground.log.info({ userId: user._id, name, tokens: revoked }, "tokens of a blocked user revoked");
    } catch (error) {
      ground.log.error(
        { name, code: codeOf(error), err: error },
        "blocked user still has sessions or tokens",
      );
    }
  }
}
