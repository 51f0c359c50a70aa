import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { chmod, copyFile, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { checkCall } from "@elara/sdk/testing";
import { errors } from "../src/errors.ts";
import { authorityOf, benchOn, folderOf, running, skip, theBed, until } from "./fixtures/bed.ts";

const idOf = (flag: string, account: string) =>
  Number(execFileSync("id", [flag, account], { encoding: "utf8" }));

describe("a server on another machine", { skip }, () => {
  test("is its account's own: uid, home, name, PATH; nothing of the log-in's environment", async (t) => {
    const bed = await theBed();
    const [, name = ""] = bed.accounts;
    const bench = await benchOn(t, {
      account: "{username}",
      ssh: authorityOf(bed),
      path: "/opt/bin:/usr/bin",
    });
    const request = { ...bench.request(), user: { id: "u1", name } };
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, request);
    const facts = await bench.facts(await bench.untilRunning(spawner, server));
    const home = `/home/${name}`;
    assert.deepEqual(
      { uid: facts.uid, gid: facts.gid, home: facts.home, cwd: facts.cwd, user: facts.user },
      { uid: idOf("-u", name), gid: idOf("-g", name), home, cwd: home, user: name },
    );
    const environment = await readFile(`/proc/${facts.pid}/environ`, "utf8");
    const names = environment.split("\0").map((entry) => entry.split("=")[0]);
    assert.ok(environment.includes("PATH=/opt/bin:/usr/bin\0"));
    assert.ok(!names.some((each) => each?.startsWith("SSH_")), names.join(" "));
  });

  test("leaves no secret in its records, and others cannot read them", async (t) => {
    const bench = await benchOn(t);
    const { server } = await running(bench, "login1");
    const folder = folderOf(server);
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    const names = await readdir(folder);
    assert.ok(names.includes("state.json") && names.includes("log"));
    for (const name of names) {
      assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600, name);
      assert.ok(!(await readFile(join(folder, name), "utf8")).includes(bench.secret), name);
    }
  });

  test("gives its last lines", async (t) => {
    const bench = await benchOn(t);
    const { server, spawner } = await running(bench, "login2", "--print", "500");
    const tail = async () => (await spawner.logs?.(server, { lines: 3, ...bench.call() })) ?? [];
    await until(
      async () => (await tail()).at(-1)?.startsWith("line 500 ") ?? false,
      "the last line is there",
    );
    assert.deepEqual(
      (await tail()).map((line) => line.split(" ")[1]),
      ["498", "499", "500"],
    );
  });

  test("comes up although the account's start-up files print and are slow", async (t) => {
    const bed = await theBed();
    const file = `/home/${bed.accounts[0]}/.bashrc`;
    const before = await readFile(file, "utf8");
    t.after(() => writeFile(file, before));
    await writeFile(file, `echo '{"ok":true} Welcome!'; sleep 0.2; echo warning >&2\n${before}`);
    const { server } = await running(await benchOn(t), "login1");
    assert.ok(server.handle.pid > 0);
  });

  test("keeps its records while it runs", async (t) => {
    const bench = await benchOn(t);
    const { server, spawner } = await running(bench, "login1");
    await assert.rejects(async () => spawner.cleanup?.(server, bench.call()), { code: "SSH_STILL_RUNNING" });
  });
});

describe("what cannot be started is told, and leaves nothing", { skip }, () => {
  const refused = async (t: TestContext, change: object, told: object, userName?: string) => {
    const bench = await benchOn(t, change);
    const spawner = await bench.spawner();
    const plain = bench.request();
    const request = userName === undefined ? plain : { ...plain, user: { id: "u1", name: userName } };
    await assert.rejects(bench.start(spawner, request), told, JSON.stringify(change));
    return { bench, spawner, request };
  };

  test("hostile names of users never reach a machine", async (t) => {
    const odd = [
      "root",
      "../root",
      "-oProxyCommand=x",
      "a b",
      "a\nb",
      "$(id)",
      "a/b",
      "",
      "a\0b",
      "ä",
      "a;b",
      "..",
    ];
    for (const name of odd) {
      const told = { code: "SSH_ACCOUNT_REFUSED", status: 403 };
      const { spawner, request, bench } = await refused(t, { account: "{username}" }, told, name);
      assert.equal(await spawner.locate(request, bench.call()), undefined);
    }
  });

  test("an account with a low uid is refused by a look at the machine, by whatever order", async (t) => {
    const { bench, spawner, request } = await refused(t, { minUid: 60_000 }, { code: "SSH_ACCOUNT_REFUSED" });
    await assert.rejects(spawner.locate(request, bench.call()), { code: "SSH_ACCOUNT_REFUSED" });
  });

  test("an account the machine does not let in", async (t) => {
    const name = `elara-none${randomBytes(3).toString("hex")}`;
    await refused(t, { account: "{username}" }, { code: "SSH_LOGIN_REFUSED", status: 403 }, name);
  });

  test("a key that is not there", async (t) => {
    const ssh = { knownHosts: (await theBed()).knownHostsFile, privateKey: "/nonexistent/key" };
    await refused(t, { ssh }, { code: "SSH_CREDENTIAL", operator: /\/nonexistent\/key/ });
  });

  test("no Python, one too old, a command that is not there", async (t) => {
    await refused(t, { python: "elara-no-python" }, { code: "SSH_PYTHON_MISSING" });
    const bench = await benchOn(t);
    const old = join("/home", (await theBed()).accounts[0] ?? "", "old-python");
    // As Python 3.8 answers the bootstrap.
    await writeFile(
      old,
      `#!/bin/sh\nexec python3 -c "import sys;sys.version_info=(3,8)\n$(printf '%s' "$4")"\n`,
    );
    await chmod(old, 0o755);
    await refused(t, { python: old }, { code: "SSH_PYTHON_MISSING" });
    await assert.rejects(bench.start(await bench.spawner(), bench.request(["elara-no-such-command"])), {
      code: "SSH_COMMAND_NOT_FOUND",
      message: /is not installed on login\d/,
    });
  });

  test("a home that is not there, or cannot be written", async (t) => {
    const bed = await theBed();
    const home = `/home/${bed.accounts[0]}`;
    await rename(home, `${home}-away`);
    try {
      await refused(t, {}, { code: "SSH_RUN_DIR_UNUSABLE", retryable: true, nothingMade: true });
    } finally {
      await rename(`${home}-away`, home);
    }
    await refused(t, { runDir: "/proc/elara" }, { code: "SSH_RUN_DIR_UNUSABLE" });
  });

  test("no port, an address that is not the machine's", async (t) => {
    const { host } = (await theBed()).hosts[0] ?? {};
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "0.0.0.0", resolve));
    t.after(() => taken.close());
    const address = taken.address();
    const port = typeof address === "object" && address ? address.port : 0;
    await refused(t, { portRange: [port, port] }, { code: "SSH_NO_PORT", status: 503 });
    const hosts = [{ ...(await theBed()).hosts[0], host, bind: "192.0.2.1" }];
    await refused(t, { hosts }, { code: "SSH_BIND_UNUSABLE" });
  });
});

describe("elara check", { skip }, () => {
  const check = async (t: TestContext, change: object, program = "true") =>
    (await (await benchOn(t, change)).spawner()).check?.(...checkCall([program]));

  test("is content with machines that work, and says what that proves", async (t) => {
    const bed = await theBed();
    const [account = ""] = bed.accounts;
    const unproved = "log-in, Python, `runDir` and the command are not proved without `checkAccount`";
    assert.equal(
      await check(t, { account: "{username}" }, "true"),
      `login1, login2 answer with their right keys; ${unproved}`,
    );
    const ssh = { knownHosts: bed.knownHostsFile, privateKey: "/keys/{username}" };
    const unasked = String(await check(t, { account: "{username}", ssh }, "true"));
    assert.ok(unasked.startsWith("nobody asked login1, login2") && unasked.endsWith(unproved), unasked);
    for (const change of [{}, { account: "{username}", checkAccount: account }, { connect: "forward" }])
      assert.equal(
        await check(t, { runDir: "~/elara-checked", ...change }, "sleep"),
        `${account} starts sleep on login1, login2, with records in ~/elara-checked`,
      );
    for (const host of ["login1", "login2"]) {
      const names = await readdir(join("/home", account, "elara-checked", host));
      assert.deepEqual(
        names.filter((name) => name.startsWith("check")),
        [],
        "no record is left",
      );
    }
  });

  test("starts nothing once it is given up", async (t) => {
    const [server] = checkCall();
    const spawner = await (await benchOn(t, {})).spawner();
    const given = { signal: AbortSignal.abort(new Error("given up")) };
    await assert.rejects(async () => spawner.check?.(server, given), /given up/);
  });

  test("tries runDir and the command where they are to be, and names the machine", async (t) => {
    const bed = await theBed();
    const at = { operator: /^login1: / };
    await assert.rejects(check(t, {}, "elara-no-such-command"), { code: "SSH_COMMAND_NOT_FOUND", ...at });
    await assert.rejects(check(t, { path: "/nonexistent" }, "sleep"), {
      code: "SSH_COMMAND_NOT_FOUND",
      ...at,
    });
    await assert.rejects(check(t, { runDir: "/proc/elara" }, "true"), {
      // Not its own, so operators do not read the question that users are asked.
      message: errors.SSH_RUN_DIR_UNUSABLE.user,
      code: "SSH_RUN_DIR_UNUSABLE",
      ...at,
    });
    await assert.rejects(check(t, { minUid: 60_000 }, "true"), { code: "SSH_ACCOUNT_REFUSED", ...at });
    const [first, second] = bed.hosts;
    const hosts = [
      { name: "login1", ...first },
      { name: "login2", ...second, bind: "192.0.2.1" },
    ];
    const bind = { code: "SSH_BIND_UNUSABLE", operator: /^login2: / };
    await assert.rejects(check(t, { hosts }, "true"), bind);
    const key = join(mkdtempSync(join(tmpdir(), "elara-key-")), "key");
    t.after(() => rm(dirname(key), { recursive: true }));
    await copyFile(bed.privateKeyFile, key);
    await chmod(key, 0o640);
    await assert.rejects(check(t, { ssh: { knownHosts: bed.knownHostsFile, privateKey: key } }), {
      code: "SSH_CREDENTIAL",
      operator: new RegExp(`^login1: .*\`privateKey\`.*chmod go= ${key}$`),
    });
  });

  test("names what does not", async (t) => {
    const bed = await theBed();
    await assert.rejects(check(t, { ssh: { knownHosts: "/nonexistent", privateKey: bed.privateKeyFile } }), {
      code: "SSH_HOST_KEY",
      operator: /add to \/nonexistent: /,
    });
    await assert.rejects(
      check(t, { account: "{username}", ssh: { knownHosts: bed.knownHostsFile, privateKey: "/no/key" } }),
      {
        code: "SSH_CREDENTIAL",
      },
    );
    await assert.rejects(check(t, { python: "elara-no-python" }), { code: "SSH_PYTHON_MISSING" });
    await assert.rejects(check(t, { hosts: [{ host: "127.0.0.4", port: 1 }] }), { code: "SSH_UNREACHABLE" });
    await assert.rejects(check(t, { hosts: [{ host: "192.0.2.1" }] }), { code: "SSH_HUB_UNREACHABLE" });
  });

  test("hands servers the address of the hub that is configured for them", async (t) => {
    const bench = await benchOn(t, { apiUrl: "https://hub.example.org/hub/api" });
    assert.equal(await (await bench.spawner()).apiUrl?.(), "https://hub.example.org/hub/api");
    assert.equal(await (await (await benchOn(t)).spawner()).apiUrl?.(), bench.host.apiUrl);
  });
});
