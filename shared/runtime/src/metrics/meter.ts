import type { Counter, Histogram, MetricObjectWithValues, MetricValue, Registry } from "prom-client";
import { catalogue, fullName, type Metric, type MetricName } from "./catalogue.ts";

/** Labels of one observation; values from small fixed sets, never what a person typed. */
export type Labels = Readonly<Record<string, string>>;
/** Metrics with their values, as prom-client gives them away. */
export type Counted = MetricObjectWithValues<MetricValue<string>>[];

/** What was seen before the first scrape waits: of each metric the first so many, or a hub that nobody scrapes would fill up. */
const MOST_WAITING = 1000;
const LOOP_MS = 50;

interface Seen {
  readonly name: MetricName;
  readonly value: number;
  readonly labels: Labels;
}

const waiting = new Map<MetricName, Seen[]>();
let meters: Promise<Registry> | undefined;
let see: (seen: Seen) => void = (seen) => {
  const others = waiting.get(seen.name);
  if (others === undefined) waiting.set(seen.name, [seen]);
  else if (others.length < MOST_WAITING) others.push(seen);
};

/** Notes a duration in seconds, or raises a counter. Costs next to nothing, and loads nothing, until somebody scrapes. */
export const observe = (name: MetricName, value: number, labels: Labels = {}): void =>
  see({ name, value, labels });

/** What this process counted. The first call loads the library; from then on the event loop is measured too. */
export async function counted(): Promise<Counted> {
  meters ??= openMeters();
  return (await meters).getMetricsAsJSON();
}

async function openMeters(): Promise<Registry> {
  const { Counter, Histogram, Registry } = await import("prom-client");
  const registry = new Registry();
  const byName = new Map<MetricName, Counter | Histogram>();
  for (const name of Object.keys(catalogue).filter(isName)) {
    const metric: Metric = catalogue[name];
    const { kind, help, labels = [], buckets = [], from = [] } = metric;
    if (kind === "gauge") continue;
    const common = { name: fullName(name), help, labelNames: [...labels], registers: [registry] };
    if (kind === "counter") {
      byName.set(name, new Counter(common));
      continue;
    }
    const histogram = new Histogram({ ...common, buckets: [...buckets] });
    for (const series of from) histogram.zero(series);
    byName.set(name, histogram);
  }
  see = ({ name, value, labels }) => {
    const metric = byName.get(name);
    if (metric instanceof Histogram) metric.observe(labels, value);
    else metric?.inc(labels, value);
  };
  for (const seen of [...waiting.values()].flat()) see(seen);
  waiting.clear();
  measureLoop();
  return registry;
}

const isName = (name: string): name is MetricName => Object.hasOwn(catalogue, name);

/** As JupyterHub does: how much later than asked for a timer comes, at a resolution of 50 ms. */
function measureLoop(): void {
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    const between = now - last;
    last = now;
    observe("event_loop_interval_seconds", (between < 2 * LOOP_MS ? LOOP_MS : between - LOOP_MS) / 1000);
  }, LOOP_MS).unref();
}
