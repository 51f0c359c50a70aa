import { HubError } from "@elara/contracts";
import { unknownScopes } from "@elara/runtime/scopes/expand";
import { type DefaultRole, roleScopes } from "@elara/runtime/scopes/roles";

/** What a client wants of a new token. */
export interface TokenRequest {
  readonly note: string;
  /** Seconds; undefined: for ever, or as long as the hub allows. */
  readonly expiresIn: number | undefined;
  readonly scopes: readonly string[];
  /** Fields for the authenticator, from clients without any credentials. */
  readonly auth: Readonly<Record<string, string>> | undefined;
}

/** A hundred years: what is longer is no lifetime, and no date can hold it. */
export const MAX_EXPIRES_IN_SECONDS = 100 * 365 * 86_400;

const ROLES: readonly string[] = ["user", "admin", "server", "token"] satisfies DefaultRole[];
const isRole = (name: string): name is DefaultRole => ROLES.includes(name);

const wrong = (message: string): HubError => new HubError("FIELD_INVALID", { message });

/** Reads the body of `POST /users/:name/tokens`. Throws FIELD_INVALID in JupyterHub's words. */
export function tokenRequest(body: unknown, maxSeconds: number): TokenRequest {
  const fields = body ?? {};
  if (typeof fields !== "object" || Array.isArray(fields)) throw wrong("Body must be a JSON dict or empty");
  const { note = "", expires_in, scopes, roles, auth } = Object.fromEntries(Object.entries(fields));

  if (note !== null && typeof note !== "string") throw wrong("note must be a string");
  return {
    note: (note ?? "").slice(0, 1024),
    expiresIn: seconds(expires_in, maxSeconds),
    scopes: wantedScopes(strings("scopes", scopes), strings("roles", roles)),
    auth: auth === undefined || auth === null ? undefined : authFields(auth),
  };
}

function seconds(value: unknown, maxSeconds: number): number | undefined {
  if (value === undefined || value === null) return maxSeconds || undefined;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0)
    throw wrong(`token expires_in must be a whole number of seconds, not ${JSON.stringify(value)}`);
  if (maxSeconds > 0 && (value === 0 || value > maxSeconds))
    throw wrong(`token expires_in: ${value} must not exceed ${maxSeconds}`);
  if (value > MAX_EXPIRES_IN_SECONDS)
    throw wrong(`token expires_in: ${value} must not exceed ${MAX_EXPIRES_IN_SECONDS}`);
  // JupyterHub: 0 is no expiry.
  return value || undefined;
}

function strings(field: string, value: unknown): string[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || !value.every((each) => typeof each === "string"))
    throw wrong(`token ${field} must be a list of strings`);
  return value;
}

function wantedScopes(scopes: string[] | undefined, roles: string[] | undefined): string[] {
  if (scopes && roles) throw wrong("Specify either `roles` or `scopes` when requesting tokens, not both.");
  if (roles) {
    const unknown = roles.filter((name) => !isRole(name));
    if (unknown.length > 0) throw wrong(`No such role: ${unknown.join(", ")}`);
    return [...new Set(roles.filter(isRole).flatMap(roleScopes))];
  }
  if (!scopes || scopes.length === 0) return ["inherit"];
  const unknown = unknownScopes(scopes);
  if (unknown.length > 0) throw wrong(`No such scopes: ${unknown.join(", ")}`);
  return [...new Set(scopes)];
}

function authFields(auth: unknown): Record<string, string> {
  if (typeof auth !== "object" || auth === null || Array.isArray(auth))
    throw wrong("auth must be a JSON dict");
  return Object.fromEntries(
    Object.entries(auth).map(([name, value]) => {
      if (typeof value !== "string") throw wrong(`auth.${name} must be a string`);
      return [name, value];
    }),
  );
}
