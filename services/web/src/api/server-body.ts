import { badRequest, isEmpty, isObject } from "./body.ts";

/** What a start or create order says of the server. Absent options: those of the last start. */
export interface ServerWish {
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
 * as clients before JupyterHub 6 send it (contract §5.3).
 */
export function serverWish(body: unknown): ServerWish {
  if (isEmpty(body)) return {};
  if (!isObject(body)) throw badRequest("Body must be a JSON object");
  const { display_name: displayName, user_options: options } = body;
  if (displayName !== undefined && typeof displayName !== "string")
    throw badRequest("display_name must be a string");
  if (typeof displayName === "string" && displayName !== "" && !isDisplayName(displayName))
    throw badRequest("display_name must be 1 to 255 printable characters without spaces at the ends");
  if (options !== undefined && options !== null && !isObject(options))
    throw badRequest("user_options must be an object or null");
  if (displayName === undefined && options === undefined) return { options: { ...body } };
  return {
    ...(typeof displayName === "string" && displayName !== "" ? { displayName } : {}),
    ...(isObject(options) ? { options: { ...options } } : {}),
  };
}
