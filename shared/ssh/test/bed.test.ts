import assert from "node:assert/strict";
import { dirname } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { ownerOf } from "@elara/beds/owner";
import { sshMissing, startSsh } from "@elara/beds/ssh";
import { traces } from "@elara/beds/traces";

const skip = sshMissing();

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
    process.stdout.write(JSON.stringify([bed.knownHostsFile, ...bed.accounts]));`;
  const { told, kill } = await ownerOf(script, import.meta.dirname);
  const [file = "", ...accounts] = told;
  const folder = dirname(file);
  assert.ok(traces(folder, accounts).length > 6);
  kill();
  const end = performance.now() + 30_000;
  while (traces(folder, accounts).length > 0 && performance.now() < end) await pause(100);
  assert.deepEqual(traces(folder, accounts), []);
});
