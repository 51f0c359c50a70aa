import type { Instance, ServiceName } from "@elara/contracts";

/** Which instances live, by their beats, on an own monotonic clock. */
export interface Liveness {
  /** False once its beat stood unchanged for 10 s while watched, or it said good-bye, or its epoch moved on. */
  isAlive(instanceId: string, epoch: number): boolean;
  /** Rows of the living instances of a service. */
  live(service: ServiceName): readonly Instance[];
  /** Reads the rows now. Throws STORE_AWAY. */
  refresh(): Promise<void>;
  close(): void;
}
