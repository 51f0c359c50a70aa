import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const UNITS = fileURLToPath(new URL("../../deploy/systemd/", import.meta.url));
const services = ["auth", "spawn", "proxy", "culler", "web"];
const installed = spawnSync("systemd-analyze", ["--version"]).status === 0;

test("there is one unit for each service, and one for all in one process", () => {
  const names = ["elara.service", ...services.map((name) => `elara-${name}.service`)];
  assert.deepEqual(readdirSync(UNITS).sort(), names.sort());
});

test("units with the spawn service leave servers alone when they are restarted", () => {
  for (const unit of ["elara-spawn.service", "elara.service"])
    assert.match(readFileSync(join(UNITS, unit), "utf8"), /^KillMode=process$/m, unit);
});

test("systemd accepts every unit", {
  skip: installed ? false : "no systemd-analyze: apt install systemd",
}, (t) => {
  const dir = mkdtempSync(join(tmpdir(), "elara-units-"));
  t.after(() => rmSync(dir, { recursive: true }));
  mkdirSync(join(dir, "bin"));
  const program = join(dir, "bin", "elara");
  writeFileSync(program, "#!/bin/sh\n");
  chmodSync(program, 0o755);
  for (const unit of readdirSync(UNITS)) {
    // The program's place is the only thing that is not on this machine; the accounts are not looked at.
    const text = readFileSync(join(UNITS, unit), "utf8").replaceAll("/opt/elara/bin/elara", program);
    writeFileSync(join(dir, unit), text);
    // Exit code 0 is not enough: an unknown key only prints a line.
    const { status, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", join(dir, unit)], {
      encoding: "utf8",
    });
    const lines = stderr.split("\n").filter((line) => line.includes(unit));
    assert.deepEqual([status, lines], [0, []], unit);
  }
});
