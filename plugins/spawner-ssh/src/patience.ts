import { setTimeout as pause } from "node:timers/promises";

/** How long a look waits for one who did not answer last time. */
const SHORT_MS = 400;

/**
 * Remembers who did not answer, so that a dead machine holds up no look at the others: it is asked on in the
 * background, and until it answers the last error is its answer.
 */
export function patience() {
  const failed = new Map<string, { error: unknown; asking?: Promise<unknown> }>();
  return async <T>(name: string, ask: () => Promise<T>): Promise<T> => {
    const asked = async (): Promise<T> => {
      try {
        const answer = await ask();
        failed.delete(name);
        return answer;
      } catch (error) {
        failed.set(name, { error });
        throw error;
      }
    };
    const known = failed.get(name);
    if (!known) return asked();
    if (known.asking) {
      await Promise.race([known.asking, pause(SHORT_MS, undefined, { ref: false })]);
      if (failed.has(name)) throw known.error;
      return asked();
    }
    const asking = asked();
    known.asking = asking.catch(() => {});
    return Promise.race([
      asking,
      pause(SHORT_MS, undefined, { ref: false }).then(() => {
        throw known.error;
      }),
    ]);
  };
}
