import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HubError } from "@elara/contracts";
import { startOf } from "@elara/sdk/launcher";

/** A process and when it started: a pid alone may belong to somebody else by now. */
function identityOf(pid: number): string | undefined {
  const start = startOf(pid);
  return start === undefined ? undefined : `${pid} ${start}`;
}

/**
 * Makes this process the one cluster on a data directory; returns the way to give that up.
 * Throws CLUSTER_RUNNING while another one lives; what a killed one left is taken over.
 */
export function claimCluster(dataDir: string): () => void {
  const file = join(dataDir, "cluster.pid");
  const own = identityOf(process.pid) ?? `${process.pid}`;
  for (;;) {
    try {
      writeFileSync(file, own, { flag: "wx", mode: 0o600 });
      return () => rmSync(file, { force: true });
    } catch (cause) {
      let holder = "";
      try {
        holder = readFileSync(file, "utf8");
      } catch {
        throw cause;
      }
      if (identityOf(Number(holder.split(" ")[0])) === holder)
        throw new HubError("CLUSTER_RUNNING", {
          operator: `A cluster (pid ${holder.split(" ")[0]}) runs on ${dataDir} already. Stop it, or give another folder with --data.`,
        });
      rmSync(file, { force: true });
    }
  }
}
