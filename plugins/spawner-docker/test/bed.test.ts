import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { dirname } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { startDocker } from "@elara/beds/docker";
import { skip } from "./fixtures/docker.ts";

/** Processes, mounts and bridges that carry a bed's folder or the address of its networks. */
function traces(folder: string, addresses: readonly string[]): string[] {
  const lines = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")];
      } catch {
        return [];
      }
    });
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
    process.stdout.write(JSON.stringify([bed.socketPath, bed.gateway, bed.defaultGateway]));
    setInterval(() => {}, 60_000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: import.meta.dirname,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [told] = await child.stdout.setEncoding("utf8").take(1).toArray();
  const [socketPath = "", ...addresses]: string[] = JSON.parse(told);
  child.kill("SIGKILL");
  const end = performance.now() + 30_000;
  while (traces(dirname(socketPath), addresses).length > 0 && performance.now() < end) await pause(100);
  assert.deepEqual(traces(dirname(socketPath), addresses), []);
});
