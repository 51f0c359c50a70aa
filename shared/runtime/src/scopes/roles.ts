/** The four roles every hub has. */
export type DefaultRole = "user" | "admin" | "server" | "token";

const ROLES: Readonly<Record<DefaultRole, readonly string[]>> = {
  user: ["self", "read:events!user"],
  admin: [
    "admin-ui",
    "admin:users",
    "admin:servers",
    "admin:services",
    "tokens",
    "admin:groups",
    "list:services",
    "read:services",
    "read:hub",
    "proxy",
    "shutdown",
    "access:services",
    "access:servers",
    "read:roles",
    "read:metrics",
    "shares",
    "read:events",
  ],
  server: ["users:activity!user", "access:servers!server"],
  token: ["inherit"],
};

/** Raw scopes of a default role: what JupyterHub gives it, and events. */
export const roleScopes = (role: DefaultRole): readonly string[] => ROLES[role];

/** Names of a user's roles, from the admin flag. Roles of the site's own come later; this is the place. */
export const rolesOf = (user: { readonly admin: boolean }): readonly DefaultRole[] =>
  user.admin ? ["admin", "user"] : ["user"];
