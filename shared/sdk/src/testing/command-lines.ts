import { Worker } from "node:worker_threads";

/** What stood on command lines of this machine while it was watched; arguments are parted by blanks. */
export interface CommandLines {
  /** How often all processes were looked at. */
  readonly samples: number;
  /** Each different one. */
  readonly lines: ReadonlySet<string>;
  /** Whether a text stood on one of them. */
  has(text: string): boolean;
}

/** Looks at every process until `stop`, from a thread of its own. */
export interface CommandLineWatch {
  stop(): Promise<CommandLines>;
}

/**
 * Watches the command lines of this machine. Resolves once it has looked a first time. A watch of minutes may pause
 * between two looks, so as not to take a core: programs live for some milliseconds at least.
 */
export async function watchCommandLines({ pauseMs = 0 } = {}): Promise<CommandLineWatch> {
  const worker = new Worker(new URL("./command-line-worker.ts", import.meta.url), { workerData: pauseMs });
  const next = <T>(): Promise<T> =>
    new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
  await next();
  // A check that fails before it stops the watch must not keep its process alive.
  worker.unref();
  return {
    async stop() {
      worker.ref();
      const seen = next<Pick<CommandLines, "samples" | "lines">>();
      worker.postMessage("stop");
      const { samples, lines } = await seen;
      await worker.terminate();
      return { samples, lines, has: (text) => [...lines].some((line) => line.includes(text)) };
    },
  };
}
