import { codeOf } from "@elara/contracts";
import type { Ground } from "../ground.ts";
import type { AllowRules } from "../people/allow-rules.ts";
import type { SessionBook } from "../people/session-book.ts";
import type { TokenBook } from "../people/token-book.ts";
import type { UserBook } from "../people/user-book.ts";

/** Notes who is blocked and who no longer, and revokes what blocked users still hold; once at the start, for the configured names only. Never throws. */
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
  const noted = await users.blocked().catch((error: unknown) => {
    ground.log.error({ code: codeOf(error), err: error }, "users who are blocked no longer not looked for");
    return [];
  });
  for (const user of noted)
    if (!rules.isBlocked(user.name))
      await users.setBlocked(user._id, false).catch((error: unknown) => {
        ground.log.error({ name: user.name, code: codeOf(error), err: error }, "user still noted as blocked");
      });
  for (const name of rules.blocked) {
    try {
      const user = await users.holder(name);
      if (!user) continue;
      await users.setBlocked(user._id, true);
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
