import type { Logger } from "@elara/sdk";

/** Runs all that plugins left for their end, the last first. What fails is logged and keeps nothing else from running. */
export async function closeAll(closers: readonly (() => unknown)[], log: Logger): Promise<void> {
  for (const close of closers.toReversed()) {
    try {
      await close();
    } catch (error) {
      log.warn({ err: error }, "a plugin did not end cleanly");
    }
  }
}
