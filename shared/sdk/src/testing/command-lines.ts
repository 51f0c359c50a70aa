import { Worker } from "node:worker_threads";

/** Looks at every process while a start is under way, from a thread of its own. */
export interface CommandLineWatch {
  /** Which of the given texts stood on a command line since the watch began. */
  stop(): Promise<string[]>;
}

/** Watches for texts on any command line of this machine. Resolves once it has looked a first time. */
export async function watchCommandLines(texts: readonly string[]): Promise<CommandLineWatch> {
  const worker = new Worker(new URL("./command-line-worker.ts", import.meta.url), { workerData: texts });
  await new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  // A check that fails before it stops the watch must not keep its process alive.
  worker.unref();
  return {
    async stop() {
      worker.ref();
      const seen = new Promise<string[]>((resolve) => worker.once("message", resolve));
      worker.postMessage("stop");
      const found = await seen;
      await worker.terminate();
      return found;
    },
  };
}
