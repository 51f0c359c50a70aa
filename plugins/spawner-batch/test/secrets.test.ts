import assert from "node:assert/strict";
import { createHash, randomBytes, randomInt } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { watchCommandLines } from "@elara/sdk/testing";
import { openStand, skip } from "./fixtures/stand.ts";

const stand = await openStand();

/** All files below a folder. */
const filesIn = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

describe("secrets of a server", { skip }, () => {
  test("stand neither in a process list nor in the job's record, script or the scheduler's files", async (t) => {
    const bench = stand.bench(t);
    const spawner = await bench.spawner();
    const watch = await watchCommandLines();
    // First one that waits, so that its record can be read before it runs.
    const queued = await (await stand.bench(t, { partition: "closed" })).spawner();
    const waiting = { ...bench.request(), options: { ...bench.options(), partition: "closed" } };
    const server = await bench.start(queued, waiting);
    const { jobId } = server.handle;
    const told = async (): Promise<string> => {
      const record = await stand.bed.run(["scontrol", "show", "job", "-d", jobId]);
      const script = await stand.bed.run(["scontrol", "write", "batch_script", jobId, "-"], {
        account: stand.account,
      });
      return record + script;
    };
    const whileQueued = await told();
    assert.match(whileQueued, /launch\.py/, "the script was read");
    assert.ok(!whileQueued.includes(bench.secret), "in the record of the queued job");

    const order = `${stand.folder(server.tag)}/order.json`;
    assert.ok(readFileSync(order, "utf8").includes(bench.secret), "here it waits for the job");
    assert.equal(statSync(order).mode & 0o777, 0o600);
    assert.equal(statSync(stand.folder(server.tag)).mode & 0o777, 0o700);
    await assert.rejects(stand.bed.run(["cat", order], { account: stand.stranger }), /Permission denied/);

    await stand.bed.run(["scontrol", "update", `jobid=${jobId}`, "partition=main"]);
    await bench.facts(await bench.untilRunning(spawner, server));
    assert.ok(!(await told()).includes(bench.secret), "in the record of the running job");
    for (const dir of [stand.bed.dir, stand.folder(server.tag)])
      for (const file of filesIn(dir))
        assert.ok(!readFileSync(file, "latin1").includes(bench.secret), `in ${file}`);
    const commandLines = await watch.stop();
    assert.ok(commandLines.has("sbatch"), "the watch saw no submit: this check is blind");
    for (const text of [bench.secret, "launch.json"]) assert.ok(!commandLines.has(text), "on a command line");
    await spawner.stop(server, { graceSeconds: 1, ...bench.call() });
    await bench.untilEnded(spawner, server, "a stopped server ends");
  });
});

describe("values", { skip }, () => {
  const parts = [
    "'",
    '"',
    "\\",
    "$(id)",
    "`id`",
    "$HOME",
    "\n",
    "\r",
    "\t",
    "%j",
    "%%",
    ";",
    "&&",
    "*",
    "~",
    "#SBATCH -p short\n",
    "ä",
    "€",
    "😀",
    "\u0001",
    " ",
    "=",
  ];
  const hostile = (): string =>
    Array.from({ length: randomInt(0, 12) }, () => parts[randomInt(parts.length)]).join("");

  test("of argv and environment come out of a real job as they went in, by the thousand", async (t) => {
    const bench = stand.bench(t);
    const spawner = await bench.spawner();
    const args = Array.from({ length: 1_000 }, hostile);
    const env = Object.fromEntries(args.map((_, at) => [`V${at}`, hostile()]));
    const code = `import hashlib, json, os, sys
values = [sys.argv[1:], [os.environ["V%d" % at] for at in range(1000)]]
print(hashlib.sha256(json.dumps(values, ensure_ascii=False).encode()).hexdigest())`;
    const request = bench.request(["/usr/bin/python3", "-X", "utf8", "-c", code, ...args]);
    const server = await bench.start(spawner, { ...request, env: { ...request.env, ...env } });
    const row = await bench.untilEnded(spawner, server, "a program that ends is ended");
    assert.equal(row?.end?.exitCode, 0);
    const log = (await spawner.logs?.(server, { lines: 1, ...bench.call() })) ?? [];
    // As Python writes JSON.
    const python = `[${[args, Object.values(env)].map((list) => `[${list.map((text) => JSON.stringify(text)).join(", ")}]`).join(", ")}]`;
    assert.deepEqual(log, [createHash("sha256").update(python).digest("hex")]);
  });

  test("of names and options chosen by users reach no shell", async (t) => {
    const mark = randomBytes(6).toString("hex");
    const harm = `'; touch /tmp/${mark}; echo '$(touch /tmp/${mark})\`touch /tmp/${mark}\``;
    const bench = stand.bench(t, {
      script:
        "#!/bin/sh\n# {{ user | raw }} {{ server | raw }}\necho {{ server }} {{ options.account }}\n{% render 'launch', python: python %}",
    });
    const spawner = await bench.spawner();
    const request = bench.request(["/usr/bin/true"]);
    const options = { ...request.options, account: harm, constraint: "" };
    const server = await bench.start(spawner, { ...request, server: harm, options });
    await bench.untilEnded(spawner, server, "a program that ends is ended");
    const log = (await spawner.logs?.(server, { lines: 5, ...bench.call() })) ?? [];
    assert.equal(log[0], `${harm} ${harm}`);
    assert.throws(() => statSync(`/tmp/${mark}`), { code: "ENOENT" });
  });
});
