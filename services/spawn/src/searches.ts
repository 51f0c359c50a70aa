import { isAway } from "@elara/runtime/is-away";
import type { Logger } from "pino";
import { GivenUp } from "./bounded.ts";

/** Searches for single servers, beside the looks: a backend that searches slowly holds no look up. */
export interface Searches {
  /** Begins soon; does nothing while this server is searched for already. */
  begin(serverId: string, work: () => Promise<void>): void;
  /** Forgets what has not begun and waits for the rest. */
  close(): Promise<void>;
}

/** At most `most` at one time. A search that fails is told and may begin again with the next look. */
export function searches(log: Logger, most: number): Searches {
  const waiting = new Map<string, () => Promise<void>>();
  const running = new Map<string, Promise<void>>();

  const fill = (): void => {
    for (const [id, work] of waiting) {
      if (running.size >= most) return;
      waiting.delete(id);
      running.set(
        id,
        work()
          .catch((error: unknown) => {
            if (!isAway(error) && !(error instanceof GivenUp))
              log.error({ serverId: id, err: error }, "server not searched for");
          })
          .finally(() => {
            running.delete(id);
            fill();
          }),
      );
    }
  };

  return {
    begin(id, work) {
      if (running.has(id) || waiting.has(id)) return;
      waiting.set(id, work);
      fill();
    },
    async close() {
      waiting.clear();
      await Promise.all(running.values());
    },
  };
}
