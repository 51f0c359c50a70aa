import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { sshMissing, startSsh } from "@elara/beds/ssh";

const skip = sshMissing();

/** Processes, accounts and files that carry a bed's folder or the name of one of its accounts. */
function traces(folder: string, accounts: readonly string[]): string[] {
  const lines = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")];
      } catch {
        return [];
      }
    });
  const known = readFileSync("/etc/passwd", "utf8").split("\n");
  const words = [folder, ...accounts];
  return [
    ...[...lines, ...known].filter((line) => words.some((word) => line.includes(word))),
    ...[folder, ...accounts.map((account) => `/home/${account}`)].filter((path) => existsSync(path)),
  ];
}

test("hosts of a test leave nothing behind, also one that is down", { skip }, async () => {
  const bed = await startSsh();
  const folder = dirname(bed.knownHostsFile);
  assert.ok(traces(folder, bed.accounts).length > 6);
  await bed.stop("127.0.0.2");
  await bed.close();
  assert.deepEqual(traces(folder, bed.accounts), []);
});

test("nor when the test that made them is killed while servers run", { skip }, async () => {
  const script = `
    import { execFileSync } from "node:child_process";
    import { startSsh } from "@elara/beds/ssh";
    const bed = await startSsh();
    const [{ host, port }] = bed.hosts;
    const options = ["UserKnownHostsFile=" + bed.knownHostsFile, "BatchMode=yes"].flatMap((each) => ["-o", each]);
    const to = ["-F", "none", "-p", String(port), "-i", bed.privateKeyFile, ...options, bed.accounts[0] + "@" + host];
    execFileSync("ssh", [...to, "setsid sleep 600 </dev/null >/dev/null 2>&1 &"], { stdio: "ignore" });
    process.stdout.write(JSON.stringify([bed.knownHostsFile, ...bed.accounts]));
    setInterval(() => {}, 60_000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: import.meta.dirname,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [told] = await child.stdout.setEncoding("utf8").take(1).toArray();
  const [file = "", ...accounts]: string[] = JSON.parse(told);
  const folder = dirname(file);
  assert.ok(traces(folder, accounts).length > 6);
  child.kill("SIGKILL");
  const end = performance.now() + 30_000;
  while (traces(folder, accounts).length > 0 && performance.now() < end) await pause(100);
  assert.deepEqual(traces(folder, accounts), []);
});
