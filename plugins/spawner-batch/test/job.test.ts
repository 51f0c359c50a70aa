import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { newTag } from "@elara/sdk/testing";
import { Value } from "typebox/value";
import { accountOf, jobOrder } from "../src/job.ts";
import { type Options, options as schema } from "../src/options.ts";
import { checkLimits, checkValues } from "../src/options-check.ts";
import type { Partition } from "../src/schedulers/scheduler.ts";
import { slurm } from "../src/schedulers/slurm.ts";

const given = (more: Partial<Options> = {}): Options =>
  Value.Parse(schema, Value.Default(schema, { ...more }));
const PARTITIONS: Partition[] = [
  { name: "main", isDefault: true, isUp: true, maxMinutes: 480 },
  { name: "short", isDefault: false, isUp: true, maxMinutes: 1 },
  { name: "free", isDefault: false, isUp: true },
];
const request = (more: Partial<Options> = {}) => ({
  ...{ tag: newTag(), user: { id: "u1", name: "ada" }, server: "" },
  ...{ options: given(more), argv: ["true"], env: { A: "b" }, servicePrefix: "/user/ada/" },
});
const limits = (more: Partial<Options>) => checkLimits(given(more), PARTITIONS);

describe("what a job is asked for", () => {
  test("time above the partition's limit is refused at its field, because Slurm would let it wait for ever", () => {
    const wrong = (field: string) => ({ code: "BATCH_OPTIONS_INVALID", status: 400, field });
    assert.throws(() => limits({ partition: "short", walltimeMinutes: 2 }), wrong("walltimeMinutes"));
    assert.throws(() => limits({ walltimeMinutes: 481 }), wrong("walltimeMinutes"));
    assert.throws(() => limits({ partition: "nope" }), wrong("partition"));
    limits({ partition: "short", walltimeMinutes: 1 });
    limits({ partition: "free", walltimeMinutes: 100_000 });
  });

  test("arguments that are not allowed are refused, also after an equals sign", () => {
    for (const argument of ["--wrap=id", "--uid=0", "--chdir=/", "--export=ALL,X=1", "-M", "--output"])
      assert.throws(
        () => checkValues(given({ extraArguments: [argument] }), slurm),
        { field: "extraArguments" },
        argument,
      );
    checkValues(given({ extraArguments: ["--nice=100", "--exclusive"] }), slurm);
  });

  test("ports the wrong way round are refused", () => {
    assert.throws(() => checkValues(given({ portRange: [9, 8] }), slurm), { field: "portRange" });
  });

  test("control characters fit no option that reaches a command or the script", () => {
    for (const name of [
      "partition",
      "account",
      "qos",
      "reservation",
      "constraint",
      "python",
      "runDir",
    ] as const)
      for (const value of ["a\nb", "a\0b", "a\u001bb", "a\u007fb"])
        assert.ok(!Value.Check(schema, { ...given(), [name]: value }), `${name} ${JSON.stringify(value)}`);
    assert.ok(!Value.Check(schema, { ...given(), extraArguments: ["--nice=1\n#SBATCH -p x"] }));
  });

  test("amounts are whole numbers, with their unit in the name, and not without end", () => {
    for (const [name, most] of Object.entries({
      cpus: 4096,
      gpus: 64,
      memoryMiB: 16_777_216,
      walltimeMinutes: 525_600,
    })) {
      for (const value of [-1, 1.5, "512", most + 1, Number.MAX_SAFE_INTEGER])
        assert.ok(!Value.Check(schema, { ...given(), [name]: value }), `${name} ${value}`);
      assert.ok(Value.Check(schema, { ...given(), [name]: most }));
    }
  });

  test("names in the environment of commands are names, so that `env` takes none for a flag", () => {
    for (const name of ["-u", "A B", "A-B", "1A", "", "A=B", "$(id)"])
      assert.ok(!Value.Check(schema, { ...given(), environment: { [name]: "x" } }), name);
    assert.ok(Value.Check(schema, { ...given(), environment: { SLURM_CONF: "/etc/slurm.conf", _a1: "" } }));
  });

  test("the order has the environment, the script has not", () => {
    const { options, ...rest } = request();
    assert.deepEqual(jobOrder(options, { options, ...rest }).env, { A: "b" });
  });
});

describe("the account of a user", () => {
  test("is made by the option's template", () => {
    assert.equal(accountOf(given(), "ada.l@x.org"), "ada.l@x.org");
    assert.equal(accountOf(given({ user: "hub-{username}" }), "ada"), "hub-ada");
  });
  test("is never what a command takes for a flag, a path or two words", () => {
    for (const name of ["-u", "--", "", "a b", "a/b", "a\nb", "a;b", "ä", "#0", "a,root", "$(id)"])
      assert.throws(() => accountOf(given(), name), { code: "BATCH_ACCOUNT_REFUSED" }, JSON.stringify(name));
  });
});
