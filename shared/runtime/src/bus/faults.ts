/** What tests do to messages in memory. The same seed makes the same faults for the same messages in the same order. */
export interface Faults {
  readonly seed: number;
  /** Share of messages lost, 0 to 1: events per subscriber, orders, their answers, acknowledgements. */
  readonly loss?: number;
  /** Longest delay of one message. A subscriber's messages stay in order, as on a connection. */
  readonly delayMs?: number;
  /** Share of messages that come twice. */
  readonly duplication?: number;
}

/** What happens to one message: the delays of its copies; none when it is lost. */
export type Fate = () => readonly number[];

/** Deals out fates. */
export function fates(faults: Faults | undefined): Fate {
  if (faults === undefined) return () => [0];
  const { loss = 0, delayMs = 0, duplication = 0 } = faults;
  const random = mulberry32(faults.seed);
  return () => {
    if (random() < loss) return [];
    const delay = random() * delayMs;
    return random() < duplication ? [delay, delay + random() * delayMs] : [delay];
  };
}

// A small seeded generator, good enough for dealing faults (public domain, by Tommy Ettinger).
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
