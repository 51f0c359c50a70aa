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

/** One who did not answer in time, or with an error. */
interface Silent<T> {
  readonly error: unknown;
  /** The question that is under way, or was answered since the last look. */
  readonly asked?: { readonly at: number; readonly answer: Promise<T> };
}

/**
 * Waits for answers for a short while only, so that one who is dead or hangs holds up no look at the others. The
 * question goes on in the background: its answer counts at the next look, until then the last error does (`late` when
 * there is none).
 */
export function patience<T>({ firstMs = 3_000, laterMs = 400, now = () => performance.now() }: Limits = {}) {
  const silent = new Map<string, Silent<T>>();
  return async (name: string, ask: () => Promise<T>, late: unknown): Promise<T> => {
    const before = silent.get(name);
    const isUsable = before?.asked && now() - before.asked.at < OLD_MS;
    const asked = (isUsable && before.asked) || { at: now(), answer: ask() };
    const limit = new AbortController();
    const tooLate = pause(before ? laterMs : firstMs, undefined, { signal: limit.signal }).catch(() => {});
    try {
      const answered = asked.answer.then((answer) => ({ answer }));
      const seen = await Promise.race([answered, tooLate]);
      if (seen) {
        silent.delete(name);
        return seen.answer;
      }
    } catch (error) {
      silent.set(name, { error });
      throw error;
    } finally {
      limit.abort();
    }
    asked.answer.catch(() => {});
    const error = before?.error ?? late;
    silent.set(name, { error, asked });
    throw error;
  };
}
