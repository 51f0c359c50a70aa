import { readdirSync, readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";

// The thread behind watchCommandLines: looks again and again until told to stop.
const pauseMs: number = workerData;
const lines = new Set<string>();
let samples = 0;
let isOver = false;

function look(): void {
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      lines.add(readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " "));
    } catch {
      // it ended
    }
  }
  samples += 1;
}

function round(): void {
  look();
  if (isOver) parentPort?.postMessage({ samples, lines });
  else setTimeout(round, pauseMs);
}

parentPort?.on("message", () => {
  isOver = true;
});
look();
parentPort?.postMessage("looking");
round();
