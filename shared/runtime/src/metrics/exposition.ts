import { catalogue, fullName } from "./catalogue.ts";
import type { Counted } from "./meter.ts";

/** What is true of the whole hub, whoever tells it. NaN: not known yet. */
export interface HubGauges {
  readonly users: number;
  readonly running: number;
  /** By period. */
  readonly active: Readonly<Record<string, number>>;
}

/**
 * The metrics of all processes and of the hub as text for Prometheus. `by`: process → what it counted. `isOne`: there is
 * one process, so its series have JupyterHub's labels and no other.
 */
export async function exposition(by: ReadonlyMap<string, Counted>, hub: HubGauges, isOne: boolean) {
  const { AggregatorRegistry, Gauge } = await import("prom-client");
  const labelled = [...by].map(([process, metrics]) =>
    isOne ? metrics : metrics.map((metric) => ({ ...metric, values: withProcess(metric.values, process) })),
  );
  const registry = AggregatorRegistry.aggregate(labelled);
  const gauge = (name: "total_users" | "running_servers", value: number) =>
    new Gauge({ name: fullName(name), help: catalogue[name].help, registers: [registry] }).set(value);
  gauge("total_users", hub.users);
  gauge("running_servers", hub.running);
  const active = new Gauge({
    name: fullName("active_users"),
    help: catalogue.active_users.help,
    labelNames: [...catalogue.active_users.labels],
    registers: [registry],
  });
  for (const [period, users] of Object.entries(hub.active)) active.set({ period }, users);
  return { type: registry.contentType, text: await registry.metrics() };
}

const withProcess = (values: Counted[number]["values"], process: string) =>
  values.map((value) => ({ ...value, labels: { ...value.labels, process } }));
