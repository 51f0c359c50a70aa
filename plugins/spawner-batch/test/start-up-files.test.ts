import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Ssh, shellLine } from "@elara/ssh";
import { Value } from "typebox/value";
import { asking } from "../src/ask.ts";
import { openDesk } from "../src/desk.ts";
import { options as schema } from "../src/options.ts";
import { slurm } from "../src/schedulers/slurm.ts";
import { localTransport } from "../src/transports/local.ts";
import { sshTransport } from "../src/transports/ssh.ts";

const local = localTransport({});

/** A login node whose accounts have start-up files that print before every command. */
const loginNode = (startUp: string, environment: Record<string, string> = {}) => {
  const ssh: Ssh = {
    run: (_, { argv, ...rest }) =>
      local.run({ ...rest, argv: ["sh", "-c", `${startUp}\n${shellLine(argv)}`] }),
    connect: async () => {},
    forward: () => assert.fail("nothing is forwarded"),
    close: async () => {},
  };
  return sshTransport(ssh, { host: "login", port: 22, account: "hub", environment });
};
const config = Value.Parse(schema, Value.Default(schema, { transport: "local" }));
const row = "7|1002|RUNNING|5|5|9|n1|None";
const listing = (transport: ReturnType<typeof loginNode>) =>
  asking(slurm, transport)(["printf", "%s\n", row], (text) => slurm.parseList(text));

describe("what start-up files print before a command, as ssh runs them,", () => {
  for (const [what, startUp] of Object.entries({
    "is left out": "echo 'Welcome!'; echo '9|1002|RUNNING|5|5|9|n1|None'",
    "is left out without an end of line, too": "printf 'Welcome '",
    "is left out when it shows the command itself": 'cat /proc/$$/cmdline; echo "$0"',
  }))
    test(what, async () => {
      assert.deepEqual(
        (await listing(loginNode(startUp))).map(({ jobId }) => jobId),
        ["7"],
      );
      const { records } = await openDesk(config, loginNode(startUp))("ada", { action: "records", tags: [] });
      assert.deepEqual(records, {});
    });

  test("on stderr is not taken for words of the scheduler", async () => {
    const transport = loginNode("echo 'Invalid user: try module load' >&2");
    const asked = asking(slurm, transport)(["sh", "-c", "echo away >&2; exit 1"], (text) =>
      slurm.parseList(text),
    );
    await assert.rejects(asked, { code: "BATCH_SCHEDULER_AWAY" });
  });

  test("leaves a refusal of the desk what it is", async () => {
    const desk = openDesk({ ...config, transport: "ssh", minUid: 2 ** 31 - 1 }, loginNode("echo Welcome"));
    await assert.rejects(desk("ada", { action: "records", tags: [] }), { code: "BATCH_ACCOUNT_REFUSED" });
  });
});

test("an answer of the desk is its last line, whoever printed before", async () => {
  const stdout = `Welcome!\n{}\n${JSON.stringify({ ok: true, lines: ["a"] })}`;
  const desk = openDesk(config, { run: async () => ({ exitCode: 0, stdout, stderr: "" }) });
  assert.deepEqual((await desk("ada", { action: "tail", tag: "x", lines: 1 })).lines, ["a"]);
});

describe("a program that a login node does not have", () => {
  const away = loginNode("", { PATH: "/nonexistent" });
  test("is told as missing when it is the scheduler's", () =>
    assert.rejects(listing(away), { code: "BATCH_SCHEDULER_MISSING" }));
  for (const [where, transport] of Object.entries({
    there: away,
    here: localTransport({ PATH: "/nonexistent" }),
  }))
    test(`is told as the desk's when it is Python, ${where}`, () =>
      assert.rejects(openDesk(config, transport)("ada", { action: "tail", tag: "x", lines: 1 }), {
        code: "BATCH_PYTHON_MISSING",
      }));
});
