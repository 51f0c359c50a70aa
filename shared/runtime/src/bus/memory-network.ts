import { HubError } from "@elara/contracts";
import { type Faults, fates } from "./faults.ts";
import { type FactStore, sqliteFacts } from "./sqlite-facts.ts";
import { matchesSubject } from "./subject.ts";
import type { OnMessage, Wire } from "./wire.ts";

interface Listener {
  readonly pattern: readonly string[];
  readonly queue: string | undefined;
  readonly onMessage: OnMessage;
  /** Delivery of the message before: none overtakes another. */
  last: Promise<void>;
}

/** What in-process buses talk over: each `wire()` is one connection. It can be taken away like a server. */
export interface MemoryNetwork {
  wire(): Wire;
  /** Cuts all connections: what is under way is lost, sending fails. */
  down(): void;
  up(): void;
  /** Closes what it keeps. */
  close(): void;
}

// An answer, an acknowledgement or a message takes at least one turn.
const later = (delayMs: number): Promise<void> =>
  new Promise((resolve) => {
    if (delayMs === 0) setImmediate(resolve);
    else setTimeout(resolve, delayMs);
  });

/**
 * An in-process network that behaves like a message server: bytes are copied, queues chosen at random, nothing is kept but
 * facts, and these in `facts`; default: in memory.
 */
export function memoryNetwork(faults?: Faults, facts: FactStore = sqliteFacts()): MemoryNetwork {
  const fate = fates(faults);
  const listeners = new Set<Listener>();
  const watchers = new Set<(connected: boolean) => void>();
  let connected = true;

  const away = () => new HubError("BUS_AWAY");
  const change = (to: boolean) => {
    if (connected === to) return;
    connected = to;
    for (const watcher of watchers) watcher(to);
  };

  // Everybody without a queue, and one of each queue.
  const chosen = (subject: string): Listener[] => {
    const tokens = subject.split(".");
    const alone: Listener[] = [];
    const queues = new Map<string, Listener[]>();
    for (const listener of listeners) {
      if (!matchesSubject(listener.pattern, tokens)) continue;
      if (listener.queue === undefined) alone.push(listener);
      else queues.set(listener.queue, [...(queues.get(listener.queue) ?? []), listener]);
    }
    const picked = [...queues.values()].map((members) => members[Math.floor(Math.random() * members.length)]);
    return [...alone, ...picked.filter((member) => member !== undefined)];
  };

  const deliver = (listener: Listener, bytes: Uint8Array, answer: (bytes: Uint8Array) => void) => {
    for (const delayMs of fate()) {
      const copy = bytes.slice();
      const before = listener.last;
      listener.last = later(delayMs)
        .then(() => before)
        .then(() => {
          if (connected && listeners.has(listener)) listener.onMessage(copy, answer);
        });
    }
  };
  const spread = (subject: string, bytes: Uint8Array) => {
    if (!connected) throw away();
    for (const listener of chosen(subject)) deliver(listener, bytes, () => {});
  };

  const ask = (subject: string, bytes: Uint8Array, timeoutMs: number): Promise<Uint8Array> => {
    if (!connected) return Promise.reject(away());
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const [listener] = chosen(subject);
    if (listener === undefined) {
      setImmediate(() => reject(new HubError("BUS_NO_RESPONDERS")));
      return promise;
    }
    const timer = setTimeout(() => reject(new HubError("BUS_TIMEOUT")), timeoutMs);
    deliver(listener, bytes, (answer) => {
      const copy = answer.slice();
      for (const delayMs of fate()) {
        void later(delayMs).then(() => {
          if (!connected) return;
          clearTimeout(timer);
          resolve(copy);
        });
      }
    });
    return promise;
  };

  const store = async (subject: string, bytes: Uint8Array, id: string): Promise<void> => {
    if (!connected) throw away();
    // Kept first: what somebody has heard of must not be missing after a crash.
    await facts.append(subject, bytes, id);
    spread(subject, bytes);
    const [delayMs] = fate();
    await later(delayMs ?? 0);
    // The message may be out although its acknowledgement is lost: whoever publishes a fact has to repeat it.
    if (delayMs === undefined) throw new HubError("BUS_TIMEOUT");
    if (!connected) throw away();
  };

  const wire = (): Wire => {
    const own = new Set<Listener>();
    const ownWatchers = new Set<(connected: boolean) => void>();
    let open = true;
    return {
      get connected() {
        return open && connected;
      },
      onChange(watcher) {
        watchers.add(watcher);
        ownWatchers.add(watcher);
        return () => {
          watchers.delete(watcher);
          ownWatchers.delete(watcher);
        };
      },
      send(subject, bytes) {
        if (!open) throw away();
        spread(subject, bytes);
      },
      async store(subject, bytes, id) {
        if (!open) throw away();
        await store(subject, bytes, id);
      },
      async ask(subject, bytes, timeoutMs) {
        if (!open) throw away();
        return ask(subject, bytes, timeoutMs);
      },
      listen(pattern, queue, onMessage) {
        const listener: Listener = { pattern: pattern.split("."), queue, onMessage, last: Promise.resolve() };
        if (!open) return async () => {};
        listeners.add(listener);
        own.add(listener);
        return async () => {
          listeners.delete(listener);
          own.delete(listener);
        };
      },
      facts: {
        async span() {
          if (!open || !connected) throw away();
          return facts.span();
        },
        read: (options) => facts.read(options),
      },
      async close() {
        open = false;
        for (const listener of own) listeners.delete(listener);
        for (const watcher of ownWatchers) watchers.delete(watcher);
      },
    };
  };

  return { wire, down: () => change(false), up: () => change(true), close: () => facts.close() };
}
