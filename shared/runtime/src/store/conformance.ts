import { after, before, describe } from "node:test";
import { concurrency } from "./conformance/concurrency.ts";
import { documents } from "./conformance/documents.ts";
import { outbox } from "./conformance/outbox.ts";
import { paging } from "./conformance/paging.ts";
import type { Opened, StoreBench } from "./conformance/probe.ts";
import { queries } from "./conformance/queries.ts";
import { randomised } from "./conformance/randomised.ts";
import { refusals } from "./conformance/refusals.ts";
import { writes } from "./conformance/writes.ts";

export type { StoreBench } from "./conformance/probe.ts";

export interface ConformanceOptions {
  /** Why the store cannot be had here; the suite is skipped with this reason. */
  readonly skip?: string | undefined;
  /** Start of the randomised test; it stands in the test's name. Default: another one each time. */
  readonly seed?: number;
  /** How many random queries; default 250. */
  readonly queries?: number;
}

/** The one suite of the store port: every adapter passes it, a broken one does not. */
export function storeConformance(
  name: string,
  open: () => Promise<StoreBench>,
  { skip, ...random }: ConformanceOptions = {},
): void {
  describe(`store conformance: ${name}`, { ...(skip !== undefined && { skip }) }, () => {
    let bench: StoreBench | undefined;
    const opened: Opened = () => {
      if (!bench) throw new Error("the store was not opened");
      return bench;
    };
    before(async () => {
      bench = await open();
    });
    after(() => bench?.close());

    describe("writes", () => writes(opened));
    describe("documents", () => documents(opened));
    describe("queries", () => queries(opened));
    describe("paging", () => paging(opened));
    describe("refusals", () => refusals(opened));
    describe("outbox", () => outbox(opened));
    describe("concurrency", () => concurrency(opened));
    describe("randomised", () => randomised(opened, random));
  });
}
