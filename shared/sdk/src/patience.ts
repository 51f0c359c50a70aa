import { setTimeout as pause } from "node:timers/promises";

/** An answer to a question of so long ago says nothing of now. */
const OLD_MS = 60_000;

interface Limits {
  /** How long a look waits for one who answered last time. */
  readonly firstMs?: number;
  /** And for one who did not. */
  readonly laterMs?: number;
  /** A clock that only runs forward. */
  now?(): number;
}

interface Look {
  /** What is thrown when there is no answer yet, nor an error of before. */
  readonly late: unknown;
  /** The look as a whole waits no longer. */
  readonly mostMs?: number;
  /** Ends the question; one that was ended counts as never asked. */
  readonly signal?: AbortSignal | undefined;
}

/** A question that is under way, or was answered since the last look. */
interface Asked<T> {
  readonly at: number;
  readonly answer: Promise<T>;
  readonly signal?: AbortSignal | undefined;
}

/** One who did not answer in time, or with an error. */
interface Silent<T> {
  readonly error: unknown;
  readonly asked?: Asked<T>;
}

/**
 * Waits for answers for a short while only, so that one who is dead or hangs holds up no look at the others. The
 * question goes on in the background: its answer counts at the next look, until then the last error does.
 */
export function patience<T>({ firstMs = 3_000, laterMs = 400, now = () => performance.now() }: Limits = {}) {
  const silent = new Map<string, Silent<T>>();
  const isUsable = (asked: Asked<T> | undefined): asked is Asked<T> =>
    asked !== undefined && now() - asked.at < OLD_MS && !asked.signal?.aborted;

  return {
    /** Did not answer the last look; the next one waits less for it. */
    isSilent: (name: string): boolean => silent.has(name),

    /** The answer to `question`, or to the one that this name was asked before and is still open. */
    async ask(
      name: string,
      question: () => Promise<T>,
      { late, mostMs = Number.POSITIVE_INFINITY, signal }: Look,
    ): Promise<T> {
      const before = silent.get(name);
      const asked = isUsable(before?.asked) ? before.asked : { at: now(), answer: question(), signal };
      const limit = new AbortController();
      const waitMs = Math.max(0, Math.min(before ? laterMs : firstMs, mostMs));
      const tooLate = pause(waitMs, undefined, { signal: limit.signal }).catch(() => {});
      try {
        const answered = asked.answer.then((answer) => ({ answer }));
        const seen = await Promise.race([answered, tooLate]);
        if (seen) {
          silent.delete(name);
          return seen.answer;
        }
      } catch (error) {
        if (!asked.signal?.aborted) silent.set(name, { error });
        throw error;
      } finally {
        limit.abort();
      }
      asked.answer.catch(() => {});
      const error = before?.error ?? late;
      silent.set(name, { error, asked });
      throw error;
    },
  };
}
