import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { MetricsCounted, MetricsWanted } from "@elara/contracts";
import type { Logger } from "pino";
import { type Bus, MAX_MESSAGE_BYTES, type Subscription } from "../bus/bus.ts";
import { newId } from "../id.ts";
import { type Counted, counted } from "./meter.ts";

const [pack, unpack] = [promisify(gzip), promisify(gunzip)];
/** A process that does not answer in this time is told as it was the last time. */
const ANSWER_MS = 500;
/** The rest of a message is its envelope. */
const MOST_BYTES = MAX_MESSAGE_BYTES - 8 * 1024;

/** Lets other processes know what this one counted, whenever one of them is scraped. `instances`: its rows. */
export function answerScrapes(bus: Bus, instances: readonly string[], log: Logger): Subscription {
  return bus.subscribe(MetricsWanted, async ({ scrape }) => {
    // Hundreds of kilobytes that repeat themselves: packed they fit into a message many times over.
    const metrics = (await pack(JSON.stringify(await counted()))).toString("base64");
    log.debug({ bytes: metrics.length }, "metrics told");
    if (metrics.length > MOST_BYTES) {
      log.warn(
        { bytes: metrics.length, most: MOST_BYTES },
        "metrics not told, they do not fit into a message",
      );
      return;
    }
    bus.notify(MetricsCounted, { scrape, instances: [...instances], metrics }, {});
  });
}

/** What one process counted. */
export interface Told {
  /** Its rows in `instances`. */
  readonly instances: readonly string[];
  readonly metrics: Counted;
}

/** What all processes counted. */
export interface Others {
  /** Of those of the living instances that ever answered, one's own process among them: as of now, or of their last answer. */
  ask(living: readonly string[]): Promise<readonly Told[]>;
  close(): Promise<void>;
}

/** Asks the processes over the bus. */
export function askOthers(bus: Bus): Others {
  const known = new Map<string, Told>();
  const open = new Map<string, (instances: readonly string[]) => void>();
  const subscription = bus.subscribe(MetricsCounted, async ({ scrape, instances, metrics }) => {
    const heard = open.get(scrape);
    if (!heard) return;
    const text = (await unpack(Buffer.from(metrics, "base64"))).toString("utf8");
    // Of an own process, whose own contract packed it: nothing else reaches this subject.
    const counts: Counted = JSON.parse(text);
    known.set([...instances].sort().join("+"), { instances, metrics: counts });
    heard(instances);
  });
  return {
    async ask(living) {
      if (bus.connected && living.length > 0) {
        const scrape = newId();
        const missing = new Set(living);
        const { promise, resolve } = Promise.withResolvers<void>();
        const timer = setTimeout(resolve, ANSWER_MS);
        open.set(scrape, (instances) => {
          for (const instance of instances) missing.delete(instance);
          if (missing.size === 0) resolve();
        });
        bus.notify(MetricsWanted, { scrape }, {});
        await promise;
        clearTimeout(timer);
        open.delete(scrape);
      }
      for (const [name, { instances }] of known)
        if (!instances.some((instance) => living.includes(instance))) known.delete(name);
      return [...known.values()];
    },
    close: () => subscription.close(),
  };
}
