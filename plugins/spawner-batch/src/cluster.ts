import type { Ask } from "./ask.ts";
import type { Partition, Scheduler } from "./schedulers/scheduler.ts";

const PARTITIONS_MS = 60_000;
/** Nodes in a cloud come back with another address. */
const NODES_MS = 600_000;
/** A node that is not in the last listing is asked for again, but not all the time. */
const NODES_AGAIN_MS = 10_000;

/** What the batch system consists of, remembered for a while. */
export interface Cluster {
  partitions(signal?: AbortSignal): Promise<readonly Partition[]>;
  /** Address of a node; undefined when the scheduler does not know it. */
  address(node: string, signal?: AbortSignal): Promise<string | undefined>;
}

/** Rejects when the signal aborts first. */
async function before<T>(signal: AbortSignal | undefined, answer: Promise<T>): Promise<T> {
  if (!signal) return answer;
  signal.throwIfAborted();
  const { promise: left, reject } = Promise.withResolvers<never>();
  const leave = (): void => reject(signal.reason);
  signal.addEventListener("abort", leave, { once: true });
  return Promise.race([answer, left]).finally(() => signal.removeEventListener("abort", leave));
}

/** One question at a time, its answer for all who ask until it is older than they want it. A failure is not kept. */
function remembered<T>(question: () => Promise<T>, now: () => number) {
  let last: { at: number; readonly answer: Promise<T> } | undefined;
  return (oldestMs: number, signal?: AbortSignal): Promise<T> => {
    if (!last || now() - last.at > oldestMs) {
      // Nothing is newer than what is under way. Who gives up does not end it: others wait for it.
      const next = { at: Number.POSITIVE_INFINITY, answer: question() };
      last = next;
      next.answer.then(
        () => {
          next.at = now();
        },
        () => {
          if (last === next) last = undefined;
        },
      );
    }
    return before(signal, last.answer);
  };
}

/** Asks for it when needed. */
export function knownCluster(ask: Ask, scheduler: Scheduler, now: () => number): Cluster {
  const partitions = remembered(
    () => ask(scheduler.argvForPartitions(), (text) => scheduler.parsePartitions(text)),
    now,
  );
  const nodes = remembered(() => ask(scheduler.argvForNodes(), (text) => scheduler.parseNodes(text)), now);
  return {
    partitions: (signal) => partitions(PARTITIONS_MS, signal),
    address: async (node, signal) =>
      (await nodes(NODES_MS, signal)).get(node) ?? (await nodes(NODES_AGAIN_MS, signal)).get(node),
  };
}
