import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JobSpec } from "../src/schedulers/scheduler.ts";
import { slurm } from "../src/schedulers/slurm.ts";

const line = (
  more: Partial<Record<"id" | "uid" | "state" | "reason" | "start" | "end" | "node", string>> = {},
) => {
  const { id = "7", uid = "1002", state = "RUNNING", reason = "None" } = more;
  const { start = "1795382567", end = "1795384367", node = "n1" } = more;
  return `${id}|${uid}|${state}|1795382566|${start}|${end}|${node}|${reason}\n`;
};
const one = (more: Parameters<typeof line>[0]) => slurm.parseList(line(more))[0];

describe("a listing of Slurm", () => {
  test("gives address, owner, submit time, node and end of the allocation", () => {
    assert.deepEqual(one({}), {
      ...{ jobId: "7", owner: "1002", submittedAt: 1795382566, state: "running", node: "n1" },
      ...{ startsAt: 1795382567, endsAt: 1795384367 },
    });
  });

  test("shows why a job waits, and when it should start", () => {
    assert.deepEqual(one({ state: "PENDING", reason: "Resources", end: "N/A", node: "n/a" }), {
      ...{ jobId: "7", owner: "1002", submittedAt: 1795382566, state: "queued" },
      ...{ reason: "Resources", startsAt: 1795382567 },
    });
  });

  for (const [state, canonical] of [
    ["PENDING", "queued"],
    ["CONFIGURING", "starting"],
    ["SUSPENDED", "suspended"],
    ["COMPLETING", "stopping"],
    ["SIGNALING", "stopping"],
    ["REQUEUE_HOLD", "held"],
    ["A_STATE_OF_LATER", "unknown"],
  ] as const)
    test(`${state} is ${canonical}`, () => assert.equal(one({ state })?.state, canonical));

  test("a pending job that is held is held", () =>
    assert.equal(one({ state: "PENDING", reason: "JobHeldAdmin" })?.state, "held"));

  for (const [state, cause] of [
    ["COMPLETED", "completed"],
    ["FAILED", "failed"],
    ["TIMEOUT", "timeLimit"],
    ["DEADLINE", "timeLimit"],
    ["OUT_OF_MEMORY", "outOfMemory"],
    ["NODE_FAIL", "nodeFailed"],
    ["BOOT_FAIL", "nodeFailed"],
    ["PREEMPTED", "preempted"],
    ["CANCELLED", "cancelled"],
  ] as const)
    test(`${state} is an end by ${cause}`, () => {
      const { state: canonical, cause: why } = one({ state }) ?? {};
      assert.deepEqual([canonical, why], ["ended", cause]);
    });

  test("holds arrays and parts of others' jobs without stumbling", () => {
    const ids = ["7_3", "7_[1-10%2]", "7+1", "7_[1,3-5]"];
    assert.deepEqual(
      slurm.parseList(ids.map((id) => line({ id })).join("")).map(({ jobId }) => jobId),
      ids,
    );
  });

  test("an empty one is no jobs", () => assert.deepEqual(slurm.parseList(""), []));

  test("an end before its start, or before its submit, is none", () => {
    assert.equal(one({ start: "1795382567", end: "1795382567" })?.endsAt, undefined);
    assert.equal(one({ start: "N/A", end: "2" })?.endsAt, undefined);
  });

  for (const [what, text] of Object.entries({
    "is cut off in a line": line() + line().slice(0, 30),
    "is cut off at a line's end": line().slice(0, -1),
    "is an error on stdout": "slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n",
    "has a header of several clusters": `CLUSTER: one\n${line()}`,
    "has times of another format": line().replace("1795382566", "2026-11-22T21:22:46"),
    "has too few fields": "7|1002|RUNNING\n",
    "has an owner by name": line({ uid: "ada" }),
    "has an empty line": `${line()}\n`,
  }))
    test(`that ${what} is refused as a whole`, () =>
      assert.throws(() => slurm.parseList(text), { name: "Unreadable" }));

  test("asks for nothing that a user can write", () => {
    const argv = slurm.argvForList(["1002", "1001"]);
    const format = argv[argv.indexOf("-o") + 1] ?? "";
    assert.deepEqual(format.match(/%\w/g), ["%i", "%U", "%T", "%V", "%S", "%e", "%B", "%r"]);
    // Job name, comment, working folder, command, features, licences, project and group names.
    assert.doesNotMatch(format, /%[jkZofWagwE]/);
    const find = slurm.argvForFind("elara-x", "ada");
    assert.equal(find[find.indexOf("-o") + 1], `${format}|%j`, "of a search the name that was asked for");
    assert.deepEqual(find.slice(find.indexOf("-n"), find.indexOf("-n") + 4), ["-n", "elara-x", "-u", "ada"]);
  });
});

describe("a submit to Slurm", () => {
  const spec: JobSpec = { name: "elara-x", output: "job.out", extra: [] };

  test("names what was chosen, each in one element, and nothing else", () => {
    const fixed = slurm.argvForSubmit(spec);
    assert.deepEqual(fixed.slice(0, 3), ["sbatch", "--parsable", "--no-requeue"]);
    assert.ok(fixed.includes("--job-name=elara-x") && fixed.includes("--output=job.out"));
    const more = slurm.argvForSubmit({
      ...spec,
      ...{ partition: "main", account: "proj", qos: "high", reservation: "r", constraint: "a&b" },
      ...{ cpus: 2, memoryMiB: 512, gpus: 1, gpuType: "a100", walltimeMinutes: 90, extra: ["--nice=5"] },
    });
    assert.deepEqual(more.slice(fixed.length), [
      ...["--partition=main", "--account=proj", "--qos=high", "--reservation=r", "--constraint=a&b"],
      ...["--cpus-per-task=2", "--mem=512M", "--gres=gpu:a100:1", "--time=90", "--nice=5"],
    ]);
  });

  test("a value that looks like a flag stays the value of its own", () => {
    const argv = slurm.argvForSubmit({ ...spec, partition: "--wrap=id", account: "x --uid=0; $(id)" });
    assert.deepEqual(argv.slice(-2), ["--partition=--wrap=id", "--account=x --uid=0; $(id)"]);
  });

  test("flags that change who, where or what runs are not allowed", () => {
    for (const flag of [
      "--wrap",
      "--uid",
      "--gid",
      "--export",
      "--export-file",
      "--output",
      "--chdir",
      "-M",
      "--clusters",
      "--get-user-env",
      "--job-name",
      "--array",
    ])
      assert.ok(!slurm.allowedFlags.includes(flag), flag);
  });

  test("its answer is an id, also of one of several clusters", () => {
    assert.equal(slurm.parseSubmit("539\n"), "539");
    assert.equal(slurm.parseSubmit("539;cluster-a\n"), "539");
    // Centres wrap it: their news come first.
    assert.equal(slurm.parseSubmit("--------\nWelcome to 2 new nodes!\n--> ok\n539\n"), "539");
    for (const text of ["", "Submitted batch job 539\n", "539\n540\n", "x539\n"])
      assert.throws(() => slurm.parseSubmit(text), { name: "Unreadable" }, text);
  });
});

describe("what Slurm's commands say when they fail", () => {
  const cases: [stderr: string, kind: string, field?: string][] = [
    ["slurm_load_jobs error: Unable to contact slurm controller (connect failure)", "transient"],
    [
      "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)",
      "transient",
    ],
    ["squeue: error: slurm_receive_msg: Socket timed out on send/recv operation", "transient"],
    ["sbatch: error: Batch job submission failed: Invalid authentication credential", "transient"],
    ["squeue: error: If munged is up, restart with --num-threads=10", "transient"],
    ["something nobody has seen", "transient"],
    ["", "transient"],
    ["slurm_load_jobs error: Invalid job id specified", "notFound"],
    ["squeue: error: Invalid user: nobody-here", "notFound"],
    [
      "sbatch: error: invalid partition specified: nope\nsbatch: error: Batch job submission failed: Invalid partition name specified",
      "invalid",
      "partition",
    ],
    [
      "sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified",
      "denied",
      "account",
    ],
    ["sbatch: error: Batch job submission failed: Invalid qos specification", "denied", "qos"],
    [
      "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)",
      "denied",
    ],
    [
      "sbatch: error: Batch job submission failed: Requested time limit is invalid (missing or exceeds some limit)",
      "invalid",
      "walltimeMinutes",
    ],
    ["sbatch: error: Memory specification can not be satisfied", "invalid", "memoryMiB"],
    [
      "sbatch: error: Batch job submission failed: Invalid generic resource (gres) specification",
      "invalid",
      "gpus",
    ],
    ["sbatch: error: CPU count per node can not be satisfied", "invalid", "cpus"],
    ["sbatch: error: Batch job submission failed: Invalid feature specification", "invalid", "constraint"],
    [
      "sbatch: error: Batch job submission failed: Requested reservation is invalid",
      "invalid",
      "reservation",
    ],
    ["sbatch: error: Batch job submission failed: Requested node configuration is not available", "invalid"],
    ["sbatch: unrecognized option '--foo'", "invalid", "extraArguments"],
    ["sbatch: error: Invalid --nice value", "invalid", "extraArguments"],
    [
      "sbatch: error: Batch job submission failed: Invalid license specification",
      "invalid",
      "extraArguments",
    ],
    ["sbatch: error: Batch job submission failed: Invalid node name specified", "invalid", "extraArguments"],
    ["sbatch: error: --gres-flags: unknown value", "invalid", "extraArguments"],
    ['sbatch: error: Invalid numeric value "99999" for --cpus-per-task.', "invalid", "cpus"],
    [
      "sbatch: error: Batch job submission failed: More processors requested than permitted",
      "invalid",
      "cpus",
    ],
    ["sbatch: error: Invalid --mem specification", "invalid", "memoryMiB"],
    ["sbatch: error: Invalid --time specification", "invalid", "walltimeMinutes"],
    [
      "sbatch: error: Batch job submission failed: User's group not permitted to use this partition",
      "denied",
      "partition",
    ],
    [
      "sbatch: error: Batch job submission failed: Invalid Trackable RESource (TRES) specification",
      "invalid",
      "gpus",
    ],
    [
      "sbatch: error: This does not look like a batch script.  The first\nsbatch: error: line must start with #! followed by the path to an interpreter.",
      "invalid",
      "script",
    ],
    ["sbatch: error: Batch script contains DOS line breaks (\\r\\n)", "invalid", "script"],
  ];
  for (const [stderr, kind, field] of cases)
    test(`${kind}${field === undefined ? "" : `, ${field}`}: ${stderr.slice(0, 100)}`, () =>
      assert.deepEqual(slurm.classifyError(1, "", stderr), { kind, ...(field !== undefined && { field }) }));
});

test("nodes have the address the controller uses", () => {
  const node =
    "NodeName=n1 Arch=x86_64 CoresPerSocket=1 Gres=(null) NodeAddr=127.0.0.11 NodeHostName=vm Port=1 ";
  const down =
    "NodeName=n2 CPUAlloc=0 NodeAddr=n2.cluster NodeHostName=n2 State=DOWN Comment=x NodeAddr=6.6.6.6 ";
  const nodes = slurm.parseNodes(`${node}\n${down}\nNodeName=cloud7 State=CLOUD\n`);
  assert.deepEqual(
    [...nodes],
    [
      ["n1", "127.0.0.11"],
      ["n2", "n2.cluster"],
    ],
  );
});

test("partitions have their limits, those of nodes by the largest kind", () => {
  const partitions = slurm.parsePartitions(
    "main*|up|8:00:00|4|2000\nmain*|up|8:00:00|64|1000\nshort|up|1:00|4|2000\nlong|up|3-12:00:00|4+|2000+\nfree|up|infinite|4|1\nold|down|10:00|4|1\n",
  );
  assert.deepEqual(
    partitions.map(({ name, isDefault, isUp, maxMinutes, maxCpus, maxMemoryMiB }) => [
      ...[name, isDefault, isUp, maxMinutes, maxCpus, maxMemoryMiB],
    ]),
    [
      ["main", true, true, 480, 64, 2000],
      ["short", false, true, 1, 4, 2000],
      ["long", false, true, 5040, undefined, undefined],
      ["free", false, true, undefined, 4, 1],
      ["old", false, false, 10, 4, 1],
    ],
  );
});

test("the books tell of jobs that are over only", () => {
  const text =
    "7|1002|CANCELLED by 1002|1795382566|0:15\n8|1002|TIMEOUT|1795382566|0:0\n9|1002|RUNNING|1795382566|0:0\n10|1002|FAILED|1795382566|3:0\n";
  assert.deepEqual(
    slurm.parseFinished(text).map(({ jobId, cause, exitCode }) => [jobId, cause, exitCode]),
    [
      ["7", "cancelled", 0],
      ["8", "timeLimit", 0],
      ["10", "failed", 3],
    ],
  );
});

test("a reason is explained by its begin, the longer word first", () => {
  assert.match(slurm.adviceFor("PartitionTimeLimit") ?? "", /never start/);
  assert.match(slurm.adviceFor("QOSMaxCpuPerUserLimit") ?? "", /You have reached/);
  assert.match(slurm.adviceFor("ReqNodeNotAvail,_UnavailableNodes:n1") ?? "", /maintenance/);
  assert.match(slurm.adviceFor("AssocGrpCpuLimit") ?? "", /project/);
  assert.equal(slurm.adviceFor("SomethingNew"), undefined);
});
