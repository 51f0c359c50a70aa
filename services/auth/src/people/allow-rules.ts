import { type EntryRules, hasOwnRules } from "@elara/runtime/own-rules";
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
  /** Nobody is let in by these rules. */
  readonly isEmpty: boolean;
}

type Section = Pick<AuthConfig, "allowAll" | "allowedUsers" | "adminUsers" | "blockedUsers">;
/**
 * The rules of the configuration; with an `entry` those for its people, which take the place of the hub's own where it has
 * any: a name meant for one authenticator must not let another's people in. Blocked names hold everywhere.
 */
export function allowRules(config: Section, entry: EntryRules = {}): AllowRules {
  const set = (names: readonly string[] = []) => new Set(names.map(normalName));
  const said: EntryRules = hasOwnRules(entry) ? entry : config;
  const isOpen = said.allowAll === true;
  const allowed = set(said.allowedUsers);
  const admins = set(said.adminUsers);
  const blocked = set(config.blockedUsers);
  return {
    isBlocked: (name) => blocked.has(name),
    isAllowed: (name) => !blocked.has(name) && (isOpen || allowed.has(name) || admins.has(name)),
    isAdmin: (name) => !blocked.has(name) && admins.has(name),
    blocked: [...blocked],
    isEmpty: !isOpen && allowed.size === 0 && admins.size === 0,
  };
}

/** The hub's own rules, with whom any of the entries lets in: for users who are made before they log in. */
export function anyRules(config: Section, entries: readonly EntryRules[]): AllowRules {
  const hub = allowRules(config);
  const ways = entries.map((entry) => allowRules(config, entry));
  return { ...hub, isAllowed: (name) => [hub, ...ways].some((rules) => rules.isAllowed(name)) };
}
