import { strict as assert } from "node:assert";
import { type EventContract, HubError, type OrderContract } from "@elara/contracts";
import { Type } from "typebox";
import type { Bus } from "../bus.ts";
import { envelope } from "../envelope.ts";

/** What an adapter's test brings. */
export interface BusBench {
  /** A bus of its own, as another process would have; closed by the suite. */
  connect(): Promise<Bus>;
  /** Takes the server away, as by kill -9, and brings it back at the same place. */
  down(): Promise<void>;
  up(): Promise<void>;
  close(): Promise<void>;
}

/** What the suite's parts work with. */
export interface SuiteBench extends Omit<BusBench, "close"> {
  /** Resolves when everything subscribed so far on these buses is in place. */
  settled(...buses: Bus[]): Promise<void>;
}

const Data = Type.Object({ n: Type.Integer(), text: Type.String() });
let serial = 0;
// Contracts of a test's own, so that tests can share a server and run side by side.
const own = () => `suite.t${process.pid}x${++serial}`;

/** A new event contract. */
export const event = (kind: "fact" | "notice"): EventContract<typeof Data> => ({
  type: own(),
  kind,
  summary: "",
  data: Data,
});

/** A new order contract. */
export const order = (): OrderContract<typeof Data, typeof Data> => ({
  type: own(),
  summary: "",
  request: Data,
  answer: Data,
});

/** Data that conforms to all contracts of the suite. */
export const data = (n: number, text = "") => ({ n, text });

/** An event of the contract. */
export const cloud = (contract: EventContract<typeof Data>, n: number, text = "") =>
  envelope(contract, data(n, text), {
    source: "suite",
    subject: "suite",
    actor: "suite",
    at: Date.now(),
    partitionKey: "-",
  });

/** Checks an error's code, for `assert.rejects`. */
export const refusal = (code: string) => (error: unknown) => {
  assert.ok(error instanceof HubError);
  assert.equal(error.code, code);
  return true;
};

const PATIENCE_MS = 10_000;

/** Resolves when the condition holds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > end) assert.fail(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Subscribes to a probe on each bus and waits for it: what was subscribed before it is in place too. */
export async function settled(...buses: Bus[]): Promise<void> {
  const probe = event("notice");
  for (const bus of buses) {
    let heard = 0;
    const subscription = bus.subscribe(probe, () => {
      heard += 1;
    });
    await until(() => {
      if (heard === 0) bus.notify(probe, data(0), {});
      return heard > 0;
    }, "a probe to itself");
    await subscription.close();
  }
}
