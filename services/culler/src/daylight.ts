/** Spans kept at most; older ones are merged away, which only makes servers look less idle. */
const MAX_SPANS = 500;

/**
 * Remembers when use could have been noticed: bus and store there, and a proxy, a web and a spawn alive. What lies
 * between two good looks is light; everything else, and all time before this process watched, is dark and does not count.
 */
export class Daylight {
  #spans: { from: number; to: number }[] = [];
  #light = false;

  /** One look at the hub: was everything there since the look before? */
  look(now: number, isLight: boolean): void {
    const open = this.#spans.at(-1);
    if (isLight && this.#light && open) open.to = Math.max(open.to, now);
    else if (isLight) this.#spans.push({ from: now, to: now });
    this.#light = isLight;
    if (this.#spans.length > MAX_SPANS) this.#spans.shift();
  }

  /** Something was lost since the last look: the time since then is dark. */
  darken(): void {
    this.#light = false;
  }

  /** Light milliseconds between two moments. */
  between(from: number, to: number): number {
    return this.#spans.reduce(
      (sum, span) => sum + Math.max(0, Math.min(to, span.to) - Math.max(from, span.from)),
      0,
    );
  }
}
