/**
 * Runs a call of a plugin for at most `ms`, or until `end` is aborted. Its signal is aborted then, and a call that
 * does not listen is left alone: rejects with "no answer in time".
 */
export async function bounded<T>(
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
  end?: AbortSignal,
): Promise<T> {
  const controller = new AbortController();
  const { promise: late, reject } = Promise.withResolvers<never>();
  const giveUp = () => {
    const error = new Error("no answer in time");
    controller.abort(error);
    reject(error);
  };
  const timer = setTimeout(giveUp, ms);
  end?.addEventListener("abort", giveUp, { once: true });
  if (end?.aborted) giveUp();
  try {
    return await Promise.race([late, work(controller.signal)]);
  } finally {
    clearTimeout(timer);
    end?.removeEventListener("abort", giveUp);
  }
}
