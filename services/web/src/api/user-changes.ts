import { HubError } from "@elara/contracts";
import type { Identity } from "@elara/runtime/store/read/identity";
import { type Body, badRequest, isObject } from "./body.ts";

/** What may stand in the body of a user request, with the type names clients know. */
const USER_KEYS: Readonly<
  Record<string, { readonly type: string; readonly fits: (value: unknown) => boolean }>
> = {
  name: { type: "str", fits: (value) => typeof value === "string" },
  admin: { type: "bool", fits: (value) => typeof value === "boolean" },
  groups: { type: "list", fits: Array.isArray },
  roles: { type: "list", fits: Array.isArray },
  auth_state: { type: "dict", fits: (value) => value === null || isObject(value) },
};

const typeName = (value: unknown): string => {
  if (value === null) return "NoneType";
  if (Array.isArray(value)) return "list";
  const names: Readonly<Record<string, string>> = { string: "str", boolean: "bool", number: "int" };
  return names[typeof value] ?? "dict";
};

/** What a client wants of a user. */
export interface UserChanges {
  readonly name?: string;
  readonly admin?: boolean;
}

/** Reads the keys of a user body; refuses unknown ones, wrong types, and what the hub does not keep yet. */
export function readUserChanges(body: unknown): UserChanges {
  if (!isObject(body)) throw badRequest(`Invalid JSON data: ${JSON.stringify(body)?.slice(0, 80)}`);
  const unknown = Object.keys(body).filter((key) => USER_KEYS[key] === undefined);
  if (unknown.length > 0) throw badRequest(`Invalid JSON keys: ${JSON.stringify(body)}`);
  for (const [key, { type, fits }] of Object.entries(USER_KEYS)) {
    const value = body[key];
    if (value !== undefined && !fits(value))
      throw badRequest(`user.${key} must be <class '${type}'>, not: <class '${typeName(value)}'>`);
  }
  for (const key of ["groups", "roles", "auth_state"])
    if (body[key] !== undefined) throw badRequest(`user.${key} can not be changed at this hub yet`);
  return changesIn(body);
}

const changesIn = ({ name, admin }: Body): UserChanges => ({
  ...(typeof name === "string" ? { name } : {}),
  ...(typeof admin === "boolean" ? { admin } : {}),
});

/** A scope to make users is not enough to make administrators: the caller has to be one. */
export function checkMayGrantAdmin(by: Identity, changes: UserChanges): void {
  if (changes.admin === true && !by.admin) throw forbidden("Only admins can grant admin permissions");
}

/** 403 with a sentence of its own. */
export const forbidden = (message: string): HubError => new HubError("SCOPE_MISSING", { message });
