import {
  ServerChanged,
  ServerProgress,
  ServerReady,
  ServerStartFailed,
  ServerStopped,
  ServerStopRequested,
} from "@elara/contracts";
import type { Bus } from "@elara/runtime/bus/bus";

/** Wakes whoever waits for news of a server. News only hasten: the waiter reads the ledger again. */
export class ServerSignals {
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #closers: (() => Promise<void>)[];

  constructor(bus: Bus) {
    const wake = (data: { serverId: string }): void => this.wake(data.serverId);
    const subscriptions = [
      bus.subscribe(ServerProgress, wake),
      bus.subscribe(ServerChanged, wake),
      bus.subscribe(ServerReady, wake),
      bus.subscribe(ServerStartFailed, wake),
      bus.subscribe(ServerStopRequested, wake),
      bus.subscribe(ServerStopped, wake),
    ];
    this.#closers = subscriptions.map((subscription) => () => subscription.close());
  }

  /** Resolves with the next news of this server, when time is up, or when aborted. Never throws. */
  next(serverId: string, timeoutMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(serverId) ?? new Set();
      this.#waiting.set(serverId, waiting);
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        waiting.delete(done);
        if (waiting.size === 0 && this.#waiting.get(serverId) === waiting) this.#waiting.delete(serverId);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      waiting.add(done);
      if (signal?.aborted) done();
      else signal?.addEventListener("abort", done);
    });
  }

  wake(serverId: string): void {
    for (const done of [...(this.#waiting.get(serverId) ?? [])]) done();
  }

  /** Wakes everybody and unsubscribes. */
  async close(): Promise<void> {
    for (const serverId of [...this.#waiting.keys()]) this.wake(serverId);
    await Promise.all(this.#closers.map((close) => close()));
  }
}
