import assert from "node:assert/strict";
import { test } from "node:test";
import type { TObject } from "typebox";
import { watchCommandLines } from "./command-lines.ts";
import type { SpawnerKit } from "./spawner-kit.ts";
import { standInCommand, standInPath } from "./stand-in-command.ts";
import { digestOf } from "./stand-in-facts.ts";

/** Each would be changed by a shell, a template, a table of lines, or a narrow character set. */
const VALUES: Readonly<Record<string, string>> = {
  BLANKS: "  two  blanks, and one at the end ",
  QUOTES: "it's \"quoted\" with `backticks` and ''",
  SHELL: `$(exit 3) \${HOME} $HOME ; & | > < * ? ~ ! # \\ \\n %h %% {user} {{ 1 }}`,
  UMLAUTS: "Grüße, 世界 🙂",
  LINES: "one\ntwo\r\n\tthree\n",
  EQUALS: "A=B=",
  FLAG: "--flag=1",
  EMPTY: "",
};

/** What the hub hands over arrives as it is, and secrets are seen by nobody else. */
export function valuePromises<O extends TObject, H extends TObject>({
  given,
  bench,
  ownCommand,
}: SpawnerKit<O, H>): void {
  test("hands over environment and arguments unchanged, whatever is in them", {
    skip: ownCommand,
  }, async (t) => {
    const b = bench(t);
    const spawner = await b.spawner();
    const plain = b.request(standInCommand("--", ...Object.values(VALUES)));
    const values = Object.entries(VALUES).map(([name, value]) => [`ELARA_VALUE_${name}`, value]);
    const request = {
      ...plain,
      // An account must be one; a label may be anything.
      user: given.request?.user ?? { id: "u1", name: 'ada o\'neil "$(exit 3)" ü' },
      server: "my server's $(exit 3) ü",
      env: { ...plain.env, ...Object.fromEntries(values) },
    };
    const server = await b.start(spawner, request);
    const { args, envDigests } = await b.facts(await b.untilRunning(spawner, server));
    for (const [name, value] of Object.entries(VALUES))
      assert.equal(
        envDigests[`ELARA_VALUE_${name}`],
        digestOf(value),
        `an environment value did not arrive unchanged: ${JSON.stringify(value)}`,
      );
    assert.deepEqual(args, ["--", ...Object.values(VALUES)], "the arguments did not arrive unchanged");
  });

  test("shows no secret: command lines, handle, log", { skip: ownCommand }, async (t) => {
    const b = bench(t);
    const watch = await watchCommandLines();
    const spawner = await b.spawner();
    const request = b.request();
    const server = await b.start(spawner, request);
    await b.facts(await b.untilRunning(spawner, server));
    const commandLines = await watch.stop();
    assert.ok(commandLines.has(standInPath), "the watch saw no process: this check is blind");
    assert.ok(!commandLines.has(b.secret), "the token stood on a command line");
    assert.ok(!JSON.stringify(server).includes(b.secret), "the token stands in the handle");
    assert.ok(!JSON.stringify(b.host.lines).includes(b.secret), "the token stands in the log");
  });
}
