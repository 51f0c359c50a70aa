/** How often things are looked at. Tests give shorter ones; nothing is decided by them, only noticed sooner. */
export interface Pace {
  /** Drivers re-read their document, and documents without a driver are looked for. */
  readonly lookMs: number;
  /** How long a cancelled backend call may take to end before the driver goes on without it. */
  readonly settleMs: number;
  /** First and longest pause between repeats of a failed backend or bus call. */
  readonly retryMs: { readonly first: number; readonly longest: number };
  /**
   * First and longest pause between searches for what a lost start may have made, while its backend does not answer: each
   * may be a log-in that is refused.
   */
  readonly searchMs: { readonly first: number; readonly longest: number };
  /** First and longest pause between looks at a server's port. */
  readonly probeMs: { readonly first: number; readonly longest: number };
  /** Activity is written this often. */
  readonly flushMs: number;
  /** How long a start waits until all proxies know the route. */
  readonly routeMs: number;
  /** After a slow look, those that somebody waits for are looked at after at most this rest. */
  readonly waitedRestMs: number;
  /**
   * A look at a backend, a question for log lines or for what it offers that takes longer counts as unanswered. Plugins
   * give a command or a host at most 20 s: they end first, and say which one did not answer.
   */
  readonly observeTimeoutMs: number;
  readonly logsTimeoutMs: number;
  /** How long the message of a failure waits for log lines. */
  readonly logsWaitMs: number;
  /** Backends are asked so often what they offer, and a start of the service waits so long for it. */
  readonly formEveryMs: number;
  readonly formWaitMs: number;
  /** Servers whose spawner is not configured any more are looked for this often. */
  readonly unservedMs: number;
  /** How long a hand-over waits for a backend call under way. */
  readonly handOverMs: number;
  /** A new driver gives the phase it finds at least this long. */
  readonly takeOverMs: number;
}

/** The pace of production. */
export const steadyPace: Pace = {
  lookMs: 1_000,
  settleMs: 2_000,
  retryMs: { first: 1_000, longest: 10_000 },
  searchMs: { first: 10_000, longest: 300_000 },
  probeMs: { first: 100, longest: 2_000 },
  flushMs: 15_000,
  routeMs: 2_000,
  waitedRestMs: 5_000,
  observeTimeoutMs: 30_000,
  logsTimeoutMs: 15_000,
  logsWaitMs: 3_000,
  formEveryMs: 600_000,
  formWaitMs: 1_000,
  unservedMs: 60_000,
  handOverMs: 4_000,
  takeOverMs: 15_000,
};

/** Pauses that double from `first` to `longest`; `reset` begins anew. */
export function backoff(range: { readonly first: number; readonly longest: number }) {
  let next = range.first;
  return {
    /** The next pause in milliseconds. */
    next(): number {
      const pause = next;
      next = Math.min(next * 2, range.longest);
      return pause;
    },
    reset(): void {
      next = range.first;
    },
  };
}
export type Backoff = ReturnType<typeof backoff>;
