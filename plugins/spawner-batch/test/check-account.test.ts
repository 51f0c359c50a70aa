import assert from "node:assert/strict";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { checkCall, SpawnerBench } from "@elara/sdk/testing";
import plugin from "../src/index.ts";

const PROGRAMS = ["/bin/sh", "/usr/bin/env"];

/** What a check says where nothing is in PATH but these commands, which are scripts. */
async function checked(t: TestContext, options: object, commands: Record<string, string> = {}) {
  const dir = await mkdtemp(join(tmpdir(), "elara-check-"));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const nodes = "echo 'NodeName=n1 NodeAddr=10.0.0.1 Port=1 '";
  const sinfo = "echo 'main*|up|infinite|2|2000'; echo 'night|down|10:00|2|2000'";
  const all = { ...{ sinfo, scontrol: nodes, squeue: ":", sbatch: ":", scancel: ":" }, ...commands };
  for (const [name, text] of Object.entries(all))
    if (text !== "") await writeFile(join(dir, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  for (const program of PROGRAMS) await symlink(program, join(dir, program.split("/").at(-1) ?? ""));
  const where = { transport: "local", environment: { PATH: dir }, runDir: join(dir, "run") };
  const bench = new SpawnerBench(t, plugin, {
    options: { ...where, python: "/usr/bin/python3", ...options },
  });
  return (await bench.spawner()).check?.(...checkCall());
}
const me = userInfo().username;

describe("check says what it saw and what it did not try", () => {
  test("without an account: nothing was run as a user", async (t) => {
    const said = String(await checked(t, { transport: "sudo" }));
    assert.match(said, /^slurm answers; partitions up: main; /);
    assert.match(said, /not tried: .*as a user.*`runDir`.*`checkAccount`/);
  });
  test("one account for all, or the hub's own, needs no `checkAccount`", async (t) => {
    for (const options of [{}, { user: me }]) {
      const said = String(await checked(t, options));
      assert.ok(said.includes(`${me} reaches sbatch, squeue, scancel and writes \`runDir\``), said);
      assert.match(said, /not tried: a job, .*on nodes.*`checkJob`/);
    }
  });
});

describe("check fails, and names what is in the way:", () => {
  for (const name of ["sbatch", "scancel"])
    test(`no ${name} where users are`, (t) =>
      assert.rejects(checked(t, {}, { [name]: "" }), (error: Error & { code: string; detail: unknown }) => {
        assert.equal(error.code, "BATCH_SCHEDULER_MISSING");
        assert.equal(error.detail, `as ${me}: exit code 127, not in PATH: ${name}`);
        return true;
      }));
  for (const [python, code] of Object.entries({
    python9: "BATCH_PYTHON_MISSING",
    "/nonexistent/python3": "BATCH_PYTHON_MISSING",
    "/bin/false": "BATCH_DESK_FAILED",
  }))
    test(`${python} for Python under sudo, in words`, (t) => {
      const sudo = { transport: "sudo", checkAccount: me, python };
      return assert.rejects(
        checked(t, sudo, {
          sudo: "shift 5; case $1 in /bin/*) exec $1;; esac; echo sudo: $1: command not found >&2; exit 1",
        }),
        (error: Error & { code: string; detail: unknown }) => {
          assert.equal(error.code, code);
          assert.match(String(error.detail), new RegExp(`^as ${me}: exit code 1, `));
          return true;
        },
      );
    });
  test("a folder that the account cannot write", (t) =>
    assert.rejects(checked(t, { runDir: "/proc/nowhere" }), { code: "BATCH_RUN_DIR_UNUSABLE" }));
  test("nodes that the scheduler does not tell", (t) =>
    assert.rejects(checked(t, {}, { scontrol: "echo away >&2; exit 1" }), { code: "BATCH_SCHEDULER_AWAY" }));
  test("a job without an account to run it", (t) =>
    assert.rejects(checked(t, { transport: "sudo", checkJob: true }), {
      code: "BATCH_OPTIONS_INVALID",
      field: "checkAccount",
    }));
});
