import type { FieldKeywords } from "@elara/sdk";
import type { Options } from "./options.ts";
import type { Partition } from "./schedulers/scheduler.ts";

const unique = (values: readonly string[]): string[] => [...new Set(values)];

/** What the spawn form offers here and now: partitions that are up, projects and the like as the administrator allows. */
export function formOf(config: Options, partitions: readonly Partition[]): Record<string, FieldKeywords> {
  const { offer } = config;
  const open = partitions.filter(
    ({ name, isUp }) => isUp && (offer.partitions.length === 0 || offer.partitions.includes(name)),
  );
  const own = config.partition !== "" ? config.partition : open.find(({ isDefault }) => isDefault)?.name;
  const names = open.map(({ name }) => name);
  const limits = open.map(({ maxMinutes }) => maxMinutes ?? Number.POSITIVE_INFINITY);
  const maximum = Math.max(0, ...limits);
  return {
    partition: {
      // Empty is the scheduler's default, which may be one that is not offered.
      enum: own !== undefined && names.includes(own) ? names : unique([config.partition, ...names]),
      ...(own !== undefined && names.includes(own) && { default: own }),
    },
    account: { enum: unique([config.account, ...offer.accounts]) },
    qos: { enum: unique([config.qos, ...offer.qos]) },
    reservation: { enum: unique([config.reservation, ...offer.reservations]) },
    ...(maximum > 0 && Number.isFinite(maximum) && { walltimeMinutes: { maximum } }),
  };
}
