import type { IncomingMessage } from "node:http";

/** One request a stand-in got; no header and no body, so that no secret is kept. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
}

/** A request as it is kept. */
export function callOf({ method = "GET", url = "/" }: IncomingMessage): Call {
  const { pathname, searchParams } = new URL(url, "http://stand-in.invalid");
  return { method, path: pathname, query: Object.fromEntries(searchParams) };
}
