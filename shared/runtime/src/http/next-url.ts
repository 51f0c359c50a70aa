/** Where the own pages live: origin the browser sees, and base path with slashes around. */
export interface OwnPlace {
  readonly origin: string;
  readonly baseUrl: string;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused.
const CONTROL = /[\u0000-\u0020\u007f-\u009f]/;

/**
 * A `next` target that cannot leave this hub: path, query and fragment, starting with the base path. undefined for
 * anything else: other hosts, `//`, userinfo, schemes, control characters, relative paths. Backslashes come out as `%5C`.
 */
export function safeNext(next: string | undefined, own: OwnPlace): string | undefined {
  if (next === undefined || next === "" || CONTROL.test(next)) return undefined;
  const text = next.replaceAll("\\", "%5C");
  const absolute = /^https?:\/\//i.test(text);
  if (!absolute && (!text.startsWith("/") || text.startsWith("//"))) return undefined;
  if (!URL.canParse(text, own.origin)) return undefined;
  const url = new URL(text, own.origin);
  if (url.origin !== new URL(own.origin).origin || url.username !== "" || url.password !== "")
    return undefined;
  // Dot segments are gone by now; what is left must lie under the base path and must not read as `//host` again.
  if (url.pathname.startsWith("//") || !`${url.pathname}/`.startsWith(own.baseUrl)) return undefined;
  return `${url.pathname}${url.search}${url.hash}`;
}

/** `url`, a page that hands `next` on; `url` alone where there is none. */
export const withNext = (url: string, next: string | undefined): string =>
  next === undefined ? url : `${url}${url.includes("?") ? "&" : "?"}next=${encodeURIComponent(next)}`;
