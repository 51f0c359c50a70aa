/**
 * What `work` says, unless the signal aborts first: then rejects with its reason, and a call that does not listen is left
 * alone. What `work` throws at once is a rejection like any other.
 */
export async function untilAborted<T>(signal: AbortSignal, work: () => T | Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const leave = () => reject(signal.reason);
  signal.addEventListener("abort", leave, { once: true });
  try {
    return await Promise.race([aborted, (async () => work())()]);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}
