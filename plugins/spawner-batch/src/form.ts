import type { FieldKeywords } from "@elara/sdk";
import type { Options } from "./options.ts";
import type { Partition } from "./schedulers/scheduler.ts";

/** What the spawn form offers here and now: partitions that are up, and the most that one of them allows. */
export function formOf(config: Options, partitions: readonly Partition[]): Record<string, FieldKeywords> {
  const open = partitions.filter(({ isUp }) => isUp);
  const names = open.map(({ name }) => name);
  const own = config.partition || open.find(({ isDefault }) => isDefault)?.name;
  const isOpen = own !== undefined && names.includes(own);
  const most = (limit: "maxMinutes" | "maxCpus" | "maxMemoryMiB"): FieldKeywords => {
    const maximum = Math.max(0, ...open.map((partition) => partition[limit] ?? Number.POSITIVE_INFINITY));
    return maximum > 0 && Number.isFinite(maximum) ? { maximum } : {};
  };
  return {
    partition: isOpen ? { enum: names, default: own } : { enum: [...new Set([config.partition, ...names])] },
    walltimeMinutes: most("maxMinutes"),
    cpus: most("maxCpus"),
    memoryMiB: most("maxMemoryMiB"),
  };
}
