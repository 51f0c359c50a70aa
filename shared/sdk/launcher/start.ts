import type { Logger } from "../src/host.ts";
import type { LaunchState } from "./records.ts";
import type { LaunchAnswer, LaunchOrder, StartOrder, Wish } from "./run.ts";

/** Carries out an order at one place; throws an error of the plugin when it is refused or cannot be asked. */
export type Launch = (order: Wish<LaunchOrder>) => Promise<Extract<LaunchAnswer, { ok: true }>>;

/**
 * Starts a process, or finds the one of this tag. Of one that failed, or that this very call made and `signal` cancelled,
 * nothing is left. `failure`: the plugin's error for a code and a text of the launcher.
 */
export async function startOrTakeBack(
  launch: Launch,
  order: Wish<StartOrder>,
  {
    signal,
    log,
    failure,
  }: {
    readonly signal?: AbortSignal | undefined;
    readonly log: Logger;
    failure(code: string, message: string): Error;
  },
): Promise<LaunchState> {
  const { tag } = order;
  signal?.throwIfAborted();
  // Not cut off from here on: it is short, and what it made is known and taken back; what another start made is not.
  const { state, exit, claimed = false } = await launch(order);
  const failed = exit?.cause === "failed" ? exit : undefined;
  const isTakenBack = signal?.aborted && claimed;
  if (isTakenBack && !failed) await launch({ action: "stop", tag, graceSeconds: 0 });
  if (isTakenBack || failed)
    await launch({ action: "cleanup", tag }).catch((error: unknown) =>
      log.warn({ tag, err: error }, "a start that failed left something behind"),
    );
  signal?.throwIfAborted();
  if (failed) throw failure(failed.code ?? "", failed.message);
  if (!state) throw failure("LAUNCHER_FAILED", "it left no record");
  return state;
}
