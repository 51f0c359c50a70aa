import type { ConfiguredAuthenticator } from "./service.ts";

/** Who may log in: of the section `auth`, or of an authenticator's entry. */
export type EntryRules = Pick<ConfiguredAuthenticator, "allowAll" | "allowedUsers" | "adminUsers">;

/** Whether an entry says itself whom it lets in; then the hub's own rules do not hold for its people. */
export const hasOwnRules = ({ allowAll, allowedUsers, adminUsers }: EntryRules): boolean =>
  allowAll !== undefined || allowedUsers !== undefined || adminUsers !== undefined;
