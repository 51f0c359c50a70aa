/** We gave the call up ourselves: it says nothing about the backend. */
export class GivenUp extends Error {
  override readonly name = "GivenUp";
}

interface Bounds {
  /** Aborted: the service ends. */
  readonly end?: AbortSignal;
  /** This instance must not touch the backend any more; asked again and again while the call lasts. */
  readonly fenced?: () => boolean;
  /** What a call that is late is told as. */
  readonly late?: string;
}

/** How often the fence is asked; others take over four seconds after it. */
const FENCE_LOOK_MS = 100;

/**
 * Runs a call of a plugin for at most `ms`, or until `end` is aborted or the instance is fenced. Its signal is aborted
 * then, and a call that does not listen is left alone: rejects with what is said of late ones, or GivenUp.
 */
export async function bounded<T>(
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
  { end, fenced = () => false, late: told = "no answer in time" }: Bounds = {},
): Promise<T> {
  if (end?.aborted || fenced()) throw new GivenUp("not begun");
  const controller = new AbortController();
  const { promise: late, reject } = Promise.withResolvers<never>();
  const leave = (error: Error) => {
    // First: what the call makes of its abort is no answer.
    reject(error);
    controller.abort(error);
  };
  const close = () => leave(new GivenUp("the service ends"));
  const timer = setTimeout(() => leave(new Error(told)), ms);
  const watch = setInterval(() => fenced() && leave(new GivenUp("fenced")), FENCE_LOOK_MS);
  end?.addEventListener("abort", close, { once: true });
  try {
    return await Promise.race([late, work(controller.signal)]);
  } finally {
    clearTimeout(timer);
    clearInterval(watch);
    end?.removeEventListener("abort", close);
  }
}
