import type { HubConfig } from "@elara/runtime/config/hub";
import { originOf } from "@elara/runtime/http/paths";
import type { FastifyRequest } from "fastify";

/**
 * Whether this is no navigation that the person or a page of ours made. Browsers say where one comes from (Sec-Fetch-Site).
 * Those on plain HTTP and scripts do not: then a Referer of another origin counts against them, and nothing else.
 */
export function isForeign(request: FastifyRequest, hub: HubConfig): boolean {
  const { "sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": dest, referer } = request.headers;
  if (site !== undefined) {
    // `none`: typed, or a bookmark.
    if (site !== "same-origin" && site !== "none") return true;
    return mode !== "navigate" || (dest !== undefined && dest !== "document");
  }
  if (referer === undefined) return false;
  return !URL.canParse(referer) || new URL(referer).origin !== new URL(originOf(request, hub)).origin;
}
