import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { asking } from "../src/ask.ts";
import { pbs } from "../src/schedulers/pbs.ts";
import type { JobSpec } from "../src/schedulers/scheduler.ts";
import { localTransport } from "../src/transports/local.ts";

/** Composed by the documented formats of PBS Pro 22; not recorded on a real one. */
const recorded = (name: string): string =>
  readFileSync(new URL(`fixtures/pbs/${name}.txt`, import.meta.url), "utf8");
/** The same when all jobs have one name. */
const named = (name: string): string =>
  recorded(name).replaceAll(/"Job_Name":"(\\.|[^"\\])*"/g, '"Job_Name":"elara-x"');
const at = (text: string): number => Date.parse(text) / 1000;

describe("a listing of PBS", () => {
  const rows = new Map(pbs.parseList(recorded("qstat-jobs")).map((row) => [row.jobId, row]));

  test("gives owner, node and end of the allocation", () => {
    assert.deepEqual(rows.get("1234.pbs01"), {
      ...{ jobId: "1234.pbs01", owner: "ada", state: "running", node: "n7" },
      submittedAt: at("2026-11-22T21:22:46Z"),
      ...{ startsAt: at("2026-11-22T21:22:48Z"), endsAt: at("2026-11-22T23:22:48Z") },
    });
    assert.equal(rows.get("1238.pbs01")?.node, "n1", "of several nodes the first");
  });

  test("says why a job waits, what that means, and when it should start", () => {
    const { state, reason = "", startsAt } = rows.get("1236.pbs01") ?? {};
    assert.deepEqual([state, startsAt], ["queued", at("2026-11-22T23:30:00Z")]);
    assert.match(reason, /^Not Running: Insufficient/);
    assert.equal(pbs.adviceFor(reason), "It waits for free nodes");
    assert.match(pbs.adviceFor(rows.get("1235.pbs01")?.reason ?? "") ?? "", /never start/);
  });

  test("has the canonical states", () => {
    assert.deepEqual(
      [...rows.values()].map(({ state }) => state),
      ["running", "queued", "queued", "held", "stopping"],
    );
  });

  test("a name that looks like rows makes none", () => {
    assert.deepEqual(
      [...rows.keys()],
      ["1234.pbs01", "1235.pbs01", "1236.pbs01", "1237.pbs01", "1238.pbs01"],
    );
    assert.deepEqual([rows.get("1234.pbs01")?.state, rows.get("1235.pbs01")?.owner], ["running", "mallory"]);
  });

  test("without jobs is none; what is not PBS's is refused", () => {
    assert.deepEqual(pbs.parseList(recorded("qstat-none")), []);
    for (const text of [
      "",
      "Connection refused\n",
      "[]",
      "{}",
      '{"Jobs":[]}',
      recorded("qstat-jobs").slice(0, 900),
      '{"pbs_version":"1","Jobs":{"1.x":{"job_state":"R"}}}',
    ])
      assert.throws(() => pbs.parseList(text), { name: "Unreadable" }, text.slice(0, 40));
  });
});

test("ends have their causes", () => {
  assert.deepEqual(
    pbs
      .parseFinished(recorded("qstat-finished"))
      .map(({ jobId, cause, exitCode }) => [jobId, cause, exitCode]),
    [
      ["20.pbs01", "completed", 0],
      ["21.pbs01", "failed", 3],
      ["22.pbs01", "timeLimit", undefined],
      ["23.pbs01", "cancelled", undefined],
      ["24.pbs01", "outOfMemory", undefined],
      ["25.pbs01", "cancelled", undefined],
    ],
  );
});

test("nodes and queues", () => {
  assert.deepEqual(
    [...pbs.parseNodes(recorded("pbsnodes"))],
    [
      ["n7", "n7.cluster.example"],
      ["n8", "10.1.0.8"],
    ],
  );
  assert.deepEqual(pbs.parsePartitions(recorded("qstat-queues")), [
    { name: "workq", isDefault: false, isUp: true, maxMinutes: 1440 },
    { name: "maint", isDefault: false, isUp: false },
  ]);
});

describe("what is asked of PBS", () => {
  const spec: JobSpec = { name: "elara-x", output: "job.out", extra: [] };
  test("a submit names what was chosen, a reservation as its queue", () => {
    assert.deepEqual(pbs.argvForSubmit(spec), [
      ...["qsub", "-N", "elara-x", "-r", "n", "-j", "oe", "-o", "job.out", "-l", "select=1:ncpus=1"],
    ]);
    const more = {
      partition: "workq",
      reservation: "R12",
      account: "p",
      cpus: 4,
      memoryMiB: 512,
      gpus: 1,
      walltimeMinutes: 125,
    };
    assert.deepEqual(pbs.argvForSubmit({ ...spec, ...more, extra: ["-p=5"] }).slice(10), [
      ...["select=1:ncpus=4:mem=512mb:ngpus=1", "-q", "R12", "-A", "p", "-l", "walltime=2:05:00", "-p", "5"],
    ]);
  });
  test("a value cannot add a resource of its own", () => {
    for (const value of ["1:ncpus=99", "x,walltime=99:00:00", "a+1:mem=9tb"])
      assert.throws(() => pbs.argvForSubmit({ ...spec, constraint: value }), { field: "constraint" }, value);
    assert.throws(() => pbs.argvForSubmit({ ...spec, reservation: "R1@elsewhere" }), {
      field: "reservation",
    });
    assert.throws(() => pbs.argvForSubmit({ ...spec, partition: "work q" }), { field: "partition" });
    assert.ok(pbs.argvForSubmit({ ...spec, constraint: "host=n7" }).includes("select=1:ncpus=1:host=n7"));
  });
  test("answers are ids", () => {
    assert.equal(pbs.parseSubmit("1234.pbs01\n"), "1234.pbs01");
    assert.equal(pbs.parseSubmit("Project p has 5.5 hours left\n1234.pbs01\n"), "1234.pbs01");
    assert.throws(() => pbs.parseSubmit("1.pbs01\n2.pbs01\n"), { name: "Unreadable" });
    assert.throws(() => pbs.parseSubmit("qsub: would exceed limit\n"), { name: "Unreadable" });
  });
  test("of the jobs of a name those count that have not ended, with the time they were handed in", () => {
    const found = pbs.parseFind(named("qstat-jobs"), "elara-x");
    assert.deepEqual(
      found.map(({ jobId }) => jobId),
      ["1234.pbs01", "1235.pbs01", "1236.pbs01", "1237.pbs01"],
      "not the one in E",
    );
    assert.equal(found[0]?.submittedAt, at("2026-11-22T21:22:46Z"));
    assert.deepEqual(
      pbs.parseFind(named("qstat-finished"), "elara-x").map(({ jobId }) => jobId),
      ["26.pbs01"],
      "none in F",
    );
    assert.throws(() => pbs.parseFind(recorded("qstat-jobs"), "elara-x"), { name: "Unreadable" });
    assert.deepEqual(pbs.parseFind("", "elara-x"), [], "nothing printed is none");
    assert.throws(() => pbs.parseFind("--all\n", "elara-x"), { name: "Unreadable" });
  });
  describe("by its commands", () => {
    /** A way to ask PBS where these commands are scripts. */
    const over = async (t: TestContext, commands: Record<string, string>) => {
      const dir = await mkdtemp(join(tmpdir(), "elara-pbs-"));
      t.after(() => rm(dir, { recursive: true, force: true }));
      for (const [command, text] of Object.entries(commands))
        await writeFile(join(dir, command), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
      return asking(pbs, localTransport({ PATH: `${dir}:/usr/bin:/bin` }));
    };
    const finding = async (t: TestContext, qselect: string, qstat: string, name = "elara-x") => {
      const ask = await over(t, { qselect, qstat });
      return ask(pbs.argvForFind(name, "ada"), (text) => pbs.parseFind(text, name));
    };
    const cancelling = async (t: TestContext, qselect: string, qdel: string, jobId?: string) => {
      const ask = await over(t, { qselect, qdel });
      return ask(pbs.argvForCancel("x'; id; '", "ada", jobId), (text) => text);
    };
    const job = `printf '{"pbs_version":"22","Jobs":{"%s":{"Job_Owner":"ada@l","job_state":"R","ctime":"Sun Nov 22 21:22:46 2026"}}}' "$4"`;
    test("a job is found by name and owner, its record by its id", async (t) => {
      const name = "x'; echo 9.evil; '";
      const mine = `[ "$*" = "-N ${name} -u ada" ] && echo 1.pbs01`;
      const [found] = await finding(t, mine, `[ "$TZ" = UTC ] && ${job}`, name);
      assert.deepEqual([found?.jobId, found?.submittedAt], ["1.pbs01", at("2026-11-22T21:22:46Z")]);
    });
    test("without one qstat is not asked: it would tell of all", async (t) => {
      assert.deepEqual(await finding(t, "true", "exit 9"), []);
    });
    test("one that ends meanwhile is none; a server that does not answer is away", async (t) => {
      assert.deepEqual(
        await finding(t, "echo 1.pbs01", "echo 'qstat: Unknown Job Id 1.pbs01' >&2; exit 153"),
        [],
      );
      const away = "echo 'Connection refused' >&2; exit 111";
      await assert.rejects(finding(t, away, "true"), { code: "BATCH_SCHEDULER_AWAY" });
      await assert.rejects(cancelling(t, away, "true"), { code: "BATCH_SCHEDULER_AWAY" });
    });
    test("a cancel is of all jobs of the name that are not ending yet, and of nothing without one", async (t) => {
      const both = `[ "$*" = "-s BHMQRSTUW -N x'; id; ' -u ada" ] && printf '1.a\\n2.a\\n'`;
      assert.equal(await cancelling(t, both, 'echo "$*"'), "1.a 2.a\n");
      assert.equal(await cancelling(t, "true", "exit 9"), "");
      assert.equal(await cancelling(t, both, 'echo "$*"', "2.a"), "1.a 2.a\n");
      assert.equal(await cancelling(t, "true", 'echo "$*"', "3.a"), "3.a\n");
    });
  });
  test("flags that change who, where or what runs are not allowed", () => {
    for (const flag of [
      "-W",
      "-u",
      "-v",
      "-V",
      "-S",
      "-o",
      "-e",
      "-N",
      "-J",
      "-C",
      "-I",
      "-X",
      "-z",
      "-l",
      "-q",
    ])
      assert.ok(!pbs.allowedFlags.includes(flag), flag);
  });
});

describe("what PBS's commands say when they fail", () => {
  const cases: [exitCode: number, stderr: string, kind: string, field?: string][] = [
    [153, "qstat: Unknown Job Id 9.pbs01", "notFound"],
    [35, "qdel: Job has finished 9.pbs01", "notFound"],
    [111, "Connection refused\nqstat: cannot connect to server pbs01 (errno=111)", "transient"],
    [15031, "qstat: End of File", "transient"],
    [1, "", "transient"],
    [170, "qsub: Unknown queue", "invalid", "partition"],
    [183, "qsub: Queue is not enabled", "denied", "partition"],
    [159, "qsub: Unauthorized Request", "denied"],
    [188, "qsub: Job violates queue and/or server resource limits", "invalid"],
    [38, "qsub: would exceed complex's per-user limit of jobs in 'Q' state", "denied"],
    [2, "qsub: illegal -l value\nusage: qsub", "invalid"],
    [2, "qsub: invalid option -- 'y'", "invalid", "extraArguments"],
    [188, "qsub: Job exceeds queue resource limits Resource_List.mem", "invalid", "memoryMiB"],
    [188, "qsub: Job exceeds queue resource limits Resource_List.ncpus", "invalid", "cpus"],
    [172, "qsub: Unknown resource: ngpus", "invalid", "gpus"],
    [168, "qsub: Illegal attribute or resource value Resource_List.walltime", "invalid", "walltimeMinutes"],
    [188, "qsub: Unauthorized Request, project p", "denied"],
  ];
  for (const [exitCode, stderr, kind, field] of cases)
    test(`${exitCode} ${stderr}`, () =>
      assert.deepEqual(pbs.classifyError(exitCode, "", stderr), {
        kind,
        ...(field !== undefined && { field }),
      }));
});
