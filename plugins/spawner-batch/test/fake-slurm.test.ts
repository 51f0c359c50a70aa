import assert from "node:assert/strict";
import { access, chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { SpawnerBench } from "@elara/sdk/testing";
import { newHandle } from "../src/handle.ts";
import plugin from "../src/index.ts";
import { keyOf } from "./fixtures/key.ts";
import { linesOf } from "./fixtures/stand.ts";

/** What the fake `squeue` prints for a job: to a search with its name, which is the one that was asked for. */
const job = (fields: string): string =>
  `row='${fields}'; while [ $# -gt 0 ]; do [ "$1" = -n ] && row="$row|$2"; shift; done; echo "$row"`;

/** A spawner over commands that are scripts, with nothing of a batch system behind them. */
async function bench(t: TestContext, squeue: string) {
  const dir = await mkdtemp(join(tmpdir(), "elara-fake-"));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const scancel = `echo "$*" >> ${dir}/cancelled; : > ${dir}/gone`;
  for (const [name, text] of Object.entries({
    ...{ squeue: `[ -e ${dir}/gone ] || { ${squeue}; }`, scancel },
    sinfo: "echo 'main*|up|infinite|2|2000'",
    id: "echo 7",
    scontrol: `[ -e ${dir}/listless ] || { echo 'Invalid job id specified' >&2; exit 1; }`,
  })) {
    await writeFile(join(dir, name), `#!/bin/sh\n${text}\n`);
    await chmod(join(dir, name), 0o755);
  }
  const options = { transport: "local", user: "ada", runDir: join(dir, "run") };
  const environment = { PATH: `${dir}:/usr/bin:/bin` };
  const made = new SpawnerBench(t, plugin, { options: { ...options, environment } });
  return { bench: made, spawner: await made.spawner(), runDir: join(dir, "run"), dir };
}

describe("a search that fails", () => {
  for (const words of ["squeue: error: Access denied", "squeue: error: Invalid partition", "what?"])
    test(`at a start is no refusal of the job: ${words}`, async (t) => {
      const { bench: made, spawner } = await bench(t, `echo '${words}' >&2; exit 1`);
      await assert.rejects(made.start(spawner, made.request()), { code: "BATCH_SCHEDULER_AWAY" });
    });
});

test("a scheduler without a command on the desk's PATH is told as that", async (t) => {
  const { bench: made, spawner } = await bench(t, "exit 127");
  await assert.rejects(made.start(spawner, made.request()), { code: "BATCH_SCHEDULER_MISSING" });
});

describe("the records of a server", () => {
  const row = job("1|7|RUNNING|5|5|9|n1|None");
  const forgetting = async (
    t: TestContext,
    squeue: string,
    files: Record<string, string>,
    hasHandle = true,
  ) => {
    const { bench: made, spawner, runDir, dir } = await bench(t, squeue);
    const request = made.request();
    const folder = join(runDir, request.tag);
    await mkdir(folder, { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const handle = newHandle(request.tag, { jobId: "1", owner: "7", account: "ada", submittedAt: 5 });
    const server = hasHandle ? made.stored(request, handle) : keyOf(request);
    const done = spawner.cleanup?.(server, made.call()) ?? assert.fail();
    const isKept = () =>
      access(folder).then(
        () => true,
        () => false,
      );
    const cancelled = () => linesOf(join(dir, "cancelled"));
    return { done, isKept, cancelled, tag: request.tag };
  };
  const claim = '{"jobId":"1"}';

  test("are kept while its job runs", async (t) => {
    const { done, isKept } = await forgetting(t, row, { claim });
    await assert.rejects(done, { code: "BATCH_STILL_RUNNING", status: 409 });
    assert.ok(await isKept());
  });
  const exit =
    '{"v":1,"tag":"t","cause":"exited","exitCode":0,"signal":null,"at":"","code":null,"message":""}';
  test("are kept while its job runs, whatever end its owner wrote", async (t) => {
    const { done, isKept } = await forgetting(t, row, { claim, "exit.json": exit });
    await assert.rejects(done, { code: "BATCH_STILL_RUNNING" });
    assert.ok(await isKept());
  });
  test("go when its job is over, with the job that was handed in twice and waits still", async (t) => {
    const { done, isKept, cancelled, tag } = await forgetting(t, job("2|7|PENDING|5||||Priority"), {
      claim,
    });
    await done;
    assert.ok(!(await isKept()));
    assert.deepEqual(await cancelled(), [`--name=elara-${tag} --user=ada`]);
  });
  test("are kept while nobody knows", async (t) => {
    const { done, isKept } = await forgetting(t, "exit 1", { claim });
    await assert.rejects(done, { code: "BATCH_SCHEDULER_AWAY" });
    assert.ok(await isKept());
  });
  for (const state of ["PENDING|5|||", "RUNNING|5|5|9|n1"])
    test(`are kept while its job, which has not begun with it, is there: ${state}`, async (t) => {
      const { done, isKept, cancelled } = await forgetting(t, job(`1|7|${state}|Priority`), {});
      await assert.rejects(done, { code: "BATCH_STILL_RUNNING" });
      assert.ok(await isKept());
      assert.deepEqual(await cancelled(), []);
    });
  for (const state of ["PENDING|5||||Priority", "PENDING|5||||JobHeldUser"])
    test(`whose handle was lost go with the job that waits still: ${state}`, async (t) => {
      const { done, isKept, cancelled, tag } = await forgetting(t, job(`1|7|${state}`), {}, false);
      await done;
      assert.ok(!(await isKept()));
      assert.deepEqual(await cancelled(), [`--name=elara-${tag} --user=ada`]);
    });
  test("whose handle was lost are kept while its job runs", async (t) => {
    const { done, isKept, cancelled } = await forgetting(t, row, {}, false);
    await assert.rejects(done, { code: "BATCH_STILL_RUNNING" });
    assert.ok(await isKept());
    assert.deepEqual(await cancelled(), []);
  });
  test("are kept while no listing shows its job, but the batch system knows it", async (t) => {
    const { bench: made, spawner, dir } = await bench(t, "true");
    await writeFile(join(dir, "listless"), "");
    const request = made.request();
    const handle = newHandle(request.tag, { jobId: "1", owner: "7", account: "ada", submittedAt: 5 });
    const done = spawner.cleanup?.(made.stored(request, handle), made.call()) ?? assert.fail();
    await assert.rejects(done, { code: "BATCH_STILL_RUNNING" });
  });
  test("go when its job is over", async (t) => {
    const { done, isKept } = await forgetting(t, "true", { claim });
    await done;
    assert.ok(!(await isKept()));
  });
});

describe("a search that is answered with what was not asked for tells nothing", () => {
  for (const [what, squeue] of Object.entries({
    "a job of another owner": job("1|1005|RUNNING|1|1|2|n1|None"),
    "a job of another name": "echo '1|7|RUNNING|5|5|9|n1|None|elara-other'",
    "a job without a name": "echo '1|7|RUNNING|5|5|9|n1|None'",
  }))
    test(what, async (t) => {
      const { bench: made, spawner } = await bench(t, squeue);
      const request = made.request();
      const unreadable = { code: "BATCH_UNREADABLE" };
      await assert.rejects(spawner.locate(keyOf(request), made.call()), unreadable);
      const handle = newHandle(request.tag, { jobId: "1", owner: "7", account: "ada", submittedAt: 5 });
      const done = spawner.cleanup?.(made.stored(request, handle), made.call()) ?? assert.fail();
      await assert.rejects(done, unreadable);
    });

  test("its own job is found", async (t) => {
    const { bench: made, spawner } = await bench(t, job("1|7|RUNNING|5|5|9|n1|None"));
    const request = made.request();
    const { jobId, owner } = (await spawner.locate(keyOf(request), made.call())) ?? {};
    assert.deepEqual([jobId, owner], ["1", "7"]);
  });
});

describe("commands that end with 0 although nobody answered", () => {
  const words = "slurm_load_jobs error: Unable to contact slurm controller (connect failure)";
  test("end nothing and find nothing", async (t) => {
    const { bench: made, spawner, dir } = await bench(t, `echo '${words}' >&2`);
    const request = made.request();
    const away = { code: "BATCH_SCHEDULER_AWAY" };
    await assert.rejects(spawner.locate(keyOf(request), made.call()), away);
    await writeFile(join(dir, "scancel"), `#!/bin/sh\necho '${words}' >&2\n`);
    const server = { ...keyOf(request), generation: 1, url: "" };
    const handle = newHandle(request.tag, { jobId: "", owner: "7", account: "ada", submittedAt: 0 });
    await assert.rejects(spawner.stop({ ...server, handle }, { graceSeconds: 0, ...made.call() }), away);
  });
});

describe("a job that its owner gave another name", () => {
  const listed = (submittedAt: number) =>
    `case "$*" in *" -n "*) ;; *) echo '1|7|RUNNING|${submittedAt}|5|9|n1|None';; esac`;
  const handleOf = (tag: string) =>
    newHandle(tag, { jobId: "1", owner: "7", account: "ada", submittedAt: 5 });

  test("is stopped by its id, and its records are kept until it is over", async (t) => {
    const { bench: made, spawner, dir } = await bench(t, listed(5));
    const request = made.request();
    const server = made.stored(request, handleOf(request.tag));
    const done = spawner.cleanup?.(server, made.call()) ?? assert.fail();
    await assert.rejects(done, { code: "BATCH_STILL_RUNNING" });
    await spawner.stop(server, { graceSeconds: 0, ...made.call() });
    const byName = `--name=elara-${request.tag} --user=ada`;
    assert.deepEqual(await linesOf(join(dir, "cancelled")), ["--user=ada 1", byName]);
  });
  test("is left alone when its id is another job's by now", async (t) => {
    const { bench: made, spawner, dir } = await bench(t, listed(6));
    const request = made.request();
    await spawner.stop(made.stored(request, handleOf(request.tag)), { graceSeconds: 0, ...made.call() });
    assert.deepEqual(await linesOf(join(dir, "cancelled")), [`--name=elara-${request.tag} --user=ada`]);
  });
});
