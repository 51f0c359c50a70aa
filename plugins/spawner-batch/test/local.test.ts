import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { slurmMissing, startSlurm } from "@elara/beds/slurm";
import { spawnerConformance } from "@elara/sdk/testing";
import plugin from "../src/index.ts";

const missing = slurmMissing();
if (missing) spawnerConformance(plugin, { skip: missing });
else {
  const bed = await startSlurm();
  const runDir = mkdtempSync(join(tmpdir(), "elara-run-"));
  after(async () => {
    await bed.close();
    rmSync(runDir, { recursive: true, force: true });
  });
  // Everybody's servers as the hub's own account, which here is root.
  spawnerConformance(plugin, {
    away: { options: { environment: { PATH: "/nonexistent" } } },
    options: { transport: "local", user: "root", runDir, environment: { ...bed.env } },
  });
}
