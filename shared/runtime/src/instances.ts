/** This service's own row in `instances`. */
export interface InstanceRow {
  readonly id: string;
  readonly epoch: number;
  /** True when the last confirmed beat began more than 6 s ago: then no backend call is made and signals are aborted. */
  fenced(): boolean;
  /** Changes own fields with the next write; resolves when written. Throws STORE_AWAY. */
  set(fields: { routesUpTo?: string; address?: string }): Promise<void>;
  /** Marks the row stopped. */
  close(): Promise<void>;
}
