import { portRangeFault } from "@elara/sdk";
import { badOption } from "./errors.ts";
import type { Options } from "./options.ts";
import type { Partition, Scheduler } from "./schedulers/scheduler.ts";

const LIMITS = [
  ["walltimeMinutes", "maxMinutes", "minutes"],
  ["cpus", "maxCpus", "CPUs"],
  ["memoryMiB", "maxMemoryMiB", "MiB of memory"],
] as const;

/** What can be said of them without asking the batch system. Throws BATCH_OPTIONS_INVALID with the field. */
export function checkValues({ portRange, extraArguments }: Options, { allowedFlags }: Scheduler): void {
  const ports = portRangeFault(portRange);
  if (ports !== undefined) throw badOption("portRange", ports);
  for (const argument of extraArguments) {
    const flag = argument.split("=")[0] ?? "";
    // They would change who, where or what runs.
    if (!allowedFlags.includes(flag))
      throw badOption("extraArguments", `${flag} is not allowed. Allowed: ${allowedFlags.join(", ")}.`);
  }
}

/** Refuses what some schedulers take and then leave waiting for ever. */
export function checkLimits(options: Options, partitions: readonly Partition[]): void {
  const chosen = options.partition;
  const partition = partitions.find(({ name, isDefault }) => (chosen === "" ? isDefault : name === chosen));
  if (!partition && chosen !== "")
    throw badOption(
      "partition",
      `There is no partition ${chosen}. Known: ${partitions.map(({ name }) => name).join(", ")}.`,
    );
  for (const [field, limit, what] of LIMITS) {
    const most = partition?.[limit];
    if (partition && most !== undefined && options[field] > most)
      throw badOption(field, `Partition ${partition.name} allows ${most} ${what} at most.`);
  }
}
