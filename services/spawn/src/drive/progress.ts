import { timestamp } from "@elara/runtime/clock";
import type { ServerDoc } from "../decision.ts";
import { hasHandle } from "../ledger.ts";
import type { Drive } from "./drive.ts";

const MOST = 200;
/** The submit clock is wound up again at most so often. */
const WIND_MS = 5_000;

/**
 * A plugin's own steps, one after the other, and never more than a page can show. Each is a sign of life of the submit:
 * its clock begins anew.
 */
export function progressOf({ parts, backend, isOwn }: Drive, doc: ServerDoc) {
  const { clock, ledger, log, steps } = parts;
  const submitMs = backend.clocks.submitSeconds * 1000;
  let chain: Promise<void> = Promise.resolve();
  let told = 0;
  let woundAt = clock.now();
  let isOver = false;

  const wind = async (): Promise<void> => {
    const now = clock.now();
    if (isOver || now - woundAt < Math.min(WIND_MS, submitMs / 4)) return;
    woundAt = now;
    const deadlineAt = timestamp(now + submitMs);
    await ledger.change(doc._id, (current) => {
      const isUnderWay =
        current.phase === "requested" && current.desired === "running" && !hasHandle(current);
      if (!isUnderWay || !isOwn(current) || current.generation !== doc.generation) return undefined;
      const isLonger = (current.submitUntil ?? "") > deadlineAt;
      return { set: { deadlineAt, ...(isLonger ? {} : { submitUntil: deadlineAt }) } };
    });
  };

  return {
    add(step: string, message: string, progress = 20): void {
      const isShown = ++told <= MOST;
      chain = chain
        .then(wind)
        .then(() =>
          isShown ? steps.addOther(doc, { step, message, progress: 10 + progress * 0.4 }) : undefined,
        )
        .catch((error: unknown) => log.warn({ serverId: doc._id, err: error }, "step not kept"));
    },
    settled: () => chain,
    /** The submit has ended: what is told later winds nothing up. */
    close(): void {
      isOver = true;
    },
  };
}
