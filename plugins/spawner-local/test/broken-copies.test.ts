import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const copy = fileURLToPath(new URL("./fixtures/broken-copy.ts", import.meta.url));

/** Runs those checks of the kit whose names match on a copy that is broken this way. */
async function kitOn(broken: string, checks: string): Promise<{ exitCode: number | null; output: string }> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const flags = ["--test", "--test-reporter=tap", `--test-name-pattern=${checks}`];
  const child = spawn(process.execPath, [...flags, copy], { env: { ...env, BROKEN: broken } });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const output = await text(child.stdout);
  return { exitCode: await ended, output };
}

describe("the conformance kit fails on a spawner that breaks a promise", { concurrency: 2 }, () => {
  test("and passes on the same copy unbroken", async () => {
    const { exitCode, output } = await kitOn(
      "nothing",
      "lives|started twice|cancelled|shows no secret|handles|started again|unchanged|away|cleans up",
    );
    assert.equal(exitCode, 0, output);
    assert.match(output, /^# pass 12$/m, "the checks have other names now");
  });

  test("and skips, with the reason, what cannot be seen where no steps are told", async () => {
    const { exitCode, output } = await kitOn("start tells no step", "at its first step");
    assert.equal(exitCode, 0, output);
    assert.match(output, /# SKIP the spawner tells no step/);
  });

  const cases: [broken: string, checks: string, message: RegExp][] = [
    ["stop does nothing", "lives", /a stopped server ends: not within 2 s/],
    ["start is not idempotent", "started twice", /two starts with one tag gave two servers/],
    [
      "start with another token is another",
      "lives",
      /start again with the same tag must give the same server/,
    ],
    ["start with another token is another", "started twice", /two starts with one tag gave two servers/],
    [
      "start ignores its signal",
      "cancelled beforehand",
      /start must throw when its signal is aborted already/,
    ],
    ["start ignores its signal", "cancelled on the way", /start resolved although it was cancelled/],
    // And comes to an end all the same.
    ["start always throws", "shows no secret", /no room/],
    [
      "start ignores its signal towards the end",
      "cancelled on the way",
      /start resolved although it was cancelled after \d+ of \d+ ms/,
    ],
    [
      "start takes back what another start made",
      "cancelled, a start leaves",
      /a start that was cancelled ended the server of another one/,
    ],
    [
      "start forgets what another start made",
      "cancelled, a start leaves",
      /a start that was cancelled took away what is known of a server that has ended/,
    ],
    [
      "start makes a new one of what has ended",
      "started again after its end",
      /start must start nothing for a tag whose server has ended: not within 2 s/,
    ],
    [
      "observe takes what it cannot see for gone",
      "away",
      /observe says \\?"absent from a complete look\\?" of a server nobody can see/,
    ],
    ["an unknown handle counts as ended", "away", /observe says \\?"ended\\?" of a server nobody can see/],
    [
      "locate finds nothing where it cannot look",
      "away",
      /locate must throw when the backend cannot be asked/,
    ],
    ["arguments meet a shell", "unchanged", /the arguments did not arrive unchanged/],
    [
      "environment goes through a file of lines",
      "unchanged",
      /an environment value did not arrive unchanged: .*three/,
    ],
    [
      "environment goes through a narrow character set",
      "unchanged",
      /an environment value did not arrive unchanged: .*Gr/,
    ],
    ["the user's name is a shell word", "unchanged", /unexpected token/],
    ["cleanup does nothing", "lives", /cleanup must forget the server's output too/],
    ["cleanup needs a handle", "cleans up", /cleanup without a handle must forget the server's output too/],
    ["observe always says running", "lives", /a stopped server ends: not within 2 s/],
    ["locate finds nothing", "lives", /locate must find a running server by its tag/],
    ["locate finds what has ended", "lives", /locate must not find an ended server/],
    ["the token is an argument", "shows no secret", /the token stood on a command line/],
    ["the environment is lost", "lives", /the server did not get JUPYTERHUB_API_TOKEN/],
    ["an unknown handle counts as ended", "handles", /a version it does not understand must be unknown/],
  ];
  for (const [broken, checks, message] of cases) {
    test(`${broken}: told by "${checks}"`, async () => {
      const { exitCode, output } = await kitOn(broken, checks);
      assert.notEqual(exitCode, 0, `the kit passed although ${broken}`);
      assert.match(output, message);
    });
  }
});
