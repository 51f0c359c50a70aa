import { codeOf } from "@elara/contracts";
import type { SpawnerPlugin } from "@elara/sdk";

/** What a call of `start` promises by the error it threw: it made nothing and never will. */
export const madeNothing = (error: unknown): boolean =>
  error instanceof Error && "nothingMade" in error && error.nothingMade === true;

/** Asking again is in vain: an error of the plugin's own table that is the asker's fault, for good. */
export function isRefusal(error: unknown, { errors }: Pick<SpawnerPlugin, "errors">): boolean {
  if (!Object.hasOwn(errors, codeOf(error))) return false;
  const { status, retryable } = Object(error);
  return status >= 400 && status < 500 && retryable !== true;
}
