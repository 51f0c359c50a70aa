import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { dirname } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { startDocker } from "@elara/beds/docker";
import { ownerOf } from "@elara/beds/owner";
import { processes, wordsOf } from "@elara/beds/processes";
import { skip } from "./fixtures/docker.ts";

/** Processes, mounts and bridges that carry a bed's folder or the address of its networks. */
function traces(folder: string, addresses: readonly string[]): string[] {
  const lines = processes().map(({ pid }) => wordsOf(pid, "cmdline").join(" "));
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const own = Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).map(({ address }) => address),
  );
  return [
    ...[...lines, ...mounts].filter((line) => line.includes(folder)),
    ...own.filter((address) => addresses.includes(address)),
    ...(existsSync(folder) ? [folder] : []),
  ];
}

const container = ["run", "--detach", "--name", "left"] as const;

test("an engine of a test leaves nothing behind, with containers, and also stopped", { skip }, async () => {
  for (const isStopped of [false, true]) {
    const bed = await startDocker({ site: false });
    await bed.docker(...container, "--network", bed.network, bed.image, "sleep", "300");
    const folder = dirname(bed.socketPath);
    if (isStopped) await bed.stop();
    assert.ok(traces(folder, [bed.gateway]).length > 3);
    await bed.close();
    assert.deepEqual(traces(folder, [bed.gateway, bed.defaultGateway]), []);
  }
});

test("nor when the test that made it is killed", { skip }, async () => {
  const script = `
    import { startDocker } from "@elara/beds/docker";
    const bed = await startDocker({ site: false });
    await bed.docker(${JSON.stringify(container).slice(1, -1)}, bed.image, "sleep", "300");
    process.stdout.write(JSON.stringify([bed.socketPath, bed.gateway, bed.defaultGateway]));`;
  const { told, kill } = await ownerOf(script, import.meta.dirname);
  const [socketPath = "", ...addresses] = told;
  kill();
  const end = performance.now() + 30_000;
  while (traces(dirname(socketPath), addresses).length > 0 && performance.now() < end) await pause(100);
  assert.deepEqual(traces(dirname(socketPath), addresses), []);
});
