import { pathOf } from "@elara/runtime/http/paths";
import type { DoorHandler } from "./server.ts";

/**
 * Tells browsers on the hub's own answers that this host is reached over TLS only. Everybody passes there at log-in;
 * answers of users' servers stay as they are.
 */
export function withHsts(
  handler: DoorHandler,
  { seconds, baseUrl }: { seconds: number; baseUrl: string },
): DoorHandler {
  if (seconds === 0) return handler;
  const prefix = `${baseUrl}hub/`;
  return {
    ...handler,
    request(request, response) {
      if (pathOf(request.url ?? "/").startsWith(prefix))
        response.setHeader("Strict-Transport-Security", `max-age=${seconds}`);
      handler.request(request, response);
    },
  };
}
