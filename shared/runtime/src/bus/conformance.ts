import { after, before, describe, it } from "node:test";
import type { Bus } from "./bus.ts";
import { type BusBench, type SuiteBench, settled } from "./conformance/bench.ts";
import { eventPromises } from "./conformance/events.ts";
import { orderPromises } from "./conformance/orders.ts";
import { outagePromises } from "./conformance/outage.ts";
import { readingOutagePromises, readingPromises } from "./conformance/reading.ts";

export type { BusBench } from "./conformance/bench.ts";

/**
 * The one suite of the bus port: every adapter passes it, a broken one does not. `missing` says why the adapter's server
 * cannot be had here: the suite is skipped with it.
 */
export function busConformance(name: string, open: () => Promise<BusBench>, missing?: string): void {
  if (missing !== undefined) {
    it(`bus conformance: ${name}`, { skip: missing });
    return;
  }
  describe(`bus conformance: ${name}`, () => {
    let bench: BusBench;
    const buses: Bus[] = [];
    before(async () => {
      bench = await open();
    });
    after(async () => {
      await Promise.all(buses.map((bus) => bus.close()));
      await bench.close();
    });
    const suite: SuiteBench = {
      async connect() {
        const bus = await bench.connect();
        buses.push(bus);
        return bus;
      },
      settled,
      down: () => bench.down(),
      up: () => bench.up(),
    };
    describe("side by side", { concurrency: true }, () => {
      eventPromises(suite);
      orderPromises(suite);
      readingPromises(suite);
    });
    describe("when the server goes and comes back", () => {
      outagePromises(suite);
      readingOutagePromises(suite);
    });
  });
}
