import { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** A peer that is gone without a word is noticed by TCP's own probes, the first after this long. */
const KEEP_ALIVE_MS = 60_000;

/**
 * Carries bytes both ways until both sides have ended. Each side may end its half alone; a slow reader slows the
 * writer; one side broken breaks the other. There is no idle limit.
 */
export function splice(a: Duplex, b: Duplex, onBytes: () => void): void {
  carry(a, b, onBytes);
  carry(b, a, onBytes);
}

function carry(from: Duplex, to: Duplex, onBytes: () => void): void {
  if (from instanceof Socket) {
    from.setTimeout(0);
    from.setNoDelay(true);
    from.setKeepAlive(true, KEEP_ALIVE_MS);
  }
  from.on("data", (bytes: Buffer) => {
    onBytes();
    if (!to.write(bytes)) from.pause();
  });
  to.on("drain", () => from.resume());
  from.on("end", () => to.end());
  from.on("error", () => to.destroy());
  from.on("close", () => {
    // What it had sent before still goes out.
    if (from.readableEnded) to.end(() => to.destroy());
    else to.destroy();
  });
}
