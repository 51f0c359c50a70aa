import type { Clock } from "@elara/runtime/clock";
import { digest } from "@elara/runtime/id";
import type { ThrottleConfig } from "../config.ts";

/** Counts wrong tokens by address, in this process. The same one again counts once: it is a program that does not know yet. */
export interface WrongTokens {
  /** Whether this address has to wait. */
  tooMany(address: string): boolean;
  /** A token that does not count came from there. */
  add(address: string, token: string): void;
}

const MAX_ADDRESSES = 10_000;

export function wrongTokens(
  { failuresPerAddress, windowSeconds }: Pick<ThrottleConfig, "failuresPerAddress" | "windowSeconds">,
  clock: Clock,
): WrongTokens {
  const windows = new Map<string, { readonly since: number; readonly seen: Set<string> }>();
  const windowOf = (address: string) => {
    const window = windows.get(address);
    return window && clock.monotonic() - window.since < windowSeconds * 1000 ? window : undefined;
  };
  return {
    tooMany: (address) => (windowOf(address)?.seen.size ?? 0) >= failuresPerAddress,
    add(address, token) {
      const window = windowOf(address) ?? { since: clock.monotonic(), seen: new Set<string>() };
      windows.delete(address);
      windows.set(address, window);
      if (window.seen.size < failuresPerAddress) window.seen.add(digest(token));
      const [oldest] = windows.keys();
      if (windows.size > MAX_ADDRESSES && oldest !== undefined) windows.delete(oldest);
    },
  };
}
