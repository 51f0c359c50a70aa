import { normalName } from "@elara/runtime/user-name";
import type { AuthConfig } from "../config.ts";

/** Who may log in, and who administers. Names are normal names. */
export interface AllowRules {
  /** Blocked names lose, then `allowAll`, allowed names and administrators win. */
  isAllowed(name: string): boolean;
  isBlocked(name: string): boolean;
  /** Configured as administrator (and not blocked). */
  isAdmin(name: string): boolean;
  readonly blocked: readonly string[];
}

/** The rules of the configuration. */
export function allowRules(
  config: Pick<AuthConfig, "allowAll" | "allowedUsers" | "adminUsers" | "blockedUsers">,
): AllowRules {
  const set = (names: readonly string[]) => new Set(names.map(normalName));
  const allowed = set(config.allowedUsers);
  const admins = set(config.adminUsers);
  const blocked = set(config.blockedUsers);
  return {
    isBlocked: (name) => blocked.has(name),
    isAllowed: (name) => !blocked.has(name) && (config.allowAll || allowed.has(name) || admins.has(name)),
    isAdmin: (name) => !blocked.has(name) && admins.has(name),
    blocked: [...blocked],
  };
}
