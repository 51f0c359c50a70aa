import { HubError } from "@elara/contracts";
import { type Body, badRequest, isEmpty, isObject } from "./body.ts";

/** What a start or create order says of the server. What is absent stays as it was at the last start. */
export interface ServerWish {
  /** Slug; where only this is said, its defaults are meant. */
  readonly profile?: string;
  readonly displayName?: string;
  readonly options?: Record<string, unknown>;
}

const isDisplayName = (name: string): boolean =>
  name.length >= 1 &&
  name.length <= 255 &&
  name === name.normalize("NFC") &&
  name === name.trim() &&
  !/\s{2,}|[^\P{C}]|[^\S ]/u.test(name);

/**
 * Reads the body of a start: `{display_name?, user_options?}`. A body with neither key is taken whole as the options,
 * as clients before JupyterHub 6 send it (contract §5.3). `profile`, among the options or beside them, is none of them.
 */
export function serverWish(body: unknown): ServerWish {
  if (isEmpty(body)) return {};
  if (!isObject(body)) throw badRequest("Body must be a JSON object");
  const { display_name: displayName, user_options: options, ...rest } = body;
  if (displayName !== undefined && typeof displayName !== "string")
    throw badRequest("display_name must be a string");
  if (typeof displayName === "string" && displayName !== "" && !isDisplayName(displayName))
    throw badRequest("display_name must be 1 to 255 printable characters without spaces at the ends");
  if (options !== undefined && options !== null && !isObject(options))
    throw badRequest("user_options must be an object or null");
  if (displayName === undefined && options === undefined) return choices(rest, undefined);
  return {
    ...(typeof displayName === "string" && displayName !== "" ? { displayName } : {}),
    ...choices(isObject(options) ? options : undefined, rest.profile),
  };
}

/** Splits the profile off. */
function choices(given: Body | undefined, beside: unknown): Pick<ServerWish, "profile" | "options"> {
  const { profile = beside, ...options } = given ?? {};
  if (profile === undefined || profile === null) return given ? { options } : {};
  if (typeof profile !== "string")
    throw new HubError("FIELD_INVALID", { message: "profile must be a string", field: "profile" });
  return { profile, options };
}
