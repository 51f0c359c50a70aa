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

/** Asks for it when needed. */
export function knownCluster(ask: Ask, scheduler: Scheduler, now: () => number): Cluster {
  let partitions: { at: number; known: readonly Partition[] } | undefined;
  let nodes: { at: number; known: ReadonlyMap<string, string> } | undefined;
  return {
    async partitions(signal) {
      if (!partitions || now() - partitions.at > PARTITIONS_MS) {
        const known = await ask(
          scheduler.argvForPartitions(),
          (text) => scheduler.parsePartitions(text),
          signal,
        );
        partitions = { at: now(), known };
      }
      return partitions.known;
    },
    async address(node, signal) {
      const patience = nodes?.known.has(node) ? NODES_MS : NODES_AGAIN_MS;
      if (!nodes || now() - nodes.at > patience)
        nodes = {
          at: now(),
          known: await ask(scheduler.argvForNodes(), (text) => scheduler.parseNodes(text), signal),
        };
      return nodes.known.get(node);
    },
  };
}
