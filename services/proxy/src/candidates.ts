import { escapeName } from "@elara/runtime/http/paths";
import { segmentsOf } from "./table.ts";

/** Routes are at most so many segments deep behind the base URL: `/user/ada/lab2/`. */
const DEPTH = 3;

/**
 * The paths under which a route for this request may stand in the store, with base URL and slashes around. A store
 * compares text, so each is given plain and escaped as the hub escapes names. None for paths outside the base URL.
 */
export function candidates(path: string, baseUrl: string): string[] {
  if (!path.startsWith(baseUrl)) return [];
  const segments = segmentsOf(path.slice(baseUrl.length - 1)).slice(0, DEPTH);
  const paths = new Set<string>();
  for (let depth = 1; depth <= segments.length; depth++) {
    const prefix = segments.slice(0, depth);
    if (prefix.includes("")) break;
    paths.add(`${baseUrl}${prefix.join("/")}/`);
    paths.add(`${baseUrl}${prefix.map(escapeName).join("/")}/`);
  }
  return [...paths];
}
