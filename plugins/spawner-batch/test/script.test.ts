import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test } from "node:test";
import { DEFAULT_SCRIPT, jobScript, type ScriptFacts, shellWord } from "../src/script.ts";

const facts = (options: Record<string, unknown> = {}): ScriptFacts => ({
  ...{ python: "python3", user: "ada", account: "ada", server: "" },
  options,
});
const rendered = (template: string, options: Record<string, unknown> = {}) =>
  jobScript(template)(facts(options));

describe("a job script", () => {
  test("by default is a login shell that becomes the launcher", () => {
    assert.equal(
      jobScript(DEFAULT_SCRIPT)({ ...facts(), python: "/opt/my python/bin/python3" }),
      `#!/bin/bash -l
cd "\${SLURM_SUBMIT_DIR:-\${PBS_O_WORKDIR:-.}}" || exit 1
exec '/opt/my python/bin/python3' -I -S ./launch.py < ./launch.json
`,
    );
  });

  test("quotes what is put in, unless the template says raw", () => {
    const options = { module: "a'; rm -rf $HOME; '" };
    assert.equal(rendered("load {{ options.module }}", options), `load 'a'\\''; rm -rf $HOME; '\\'''`);
    assert.equal(rendered("{% assign x = options.module | upcase %}{{ x }}", { module: "a b" }), "'A B'");
    assert.equal(rendered("# {{ options.module | raw }}", { module: "gcc" }), "# gcc");
  });

  test("any text without control characters is one word of the shell, as it was", () => {
    const texts = [
      "",
      "'",
      "''",
      '"',
      "\\",
      "$HOME",
      "$(id)",
      "`id`",
      "*",
      "~",
      "#x",
      "-n",
      "a  b",
      "ä€😀",
      "!!",
      "&|;<>(){}[]?",
    ];
    const echo = (text: string) =>
      execFileSync("/bin/sh", ["-c", `printf %s ${shellWord(text)}`], { encoding: "utf8" });
    for (const text of texts) assert.equal(echo(text), text);
  });

  test("refuses control characters, also where a template puts them in raw", () => {
    for (const value of ["x\n#SBATCH --uid=0", "a\rb", "a\0b", "a\tb"]) {
      assert.throws(() => rendered("{{ options.v }}", { v: value }), /control character/);
      assert.throws(() => rendered("{{ options.v | raw }}", { v: value }), /control character/);
      assert.throws(() => shellWord(value), /control character/);
    }
  });

  test("an empty choice and a zero count as not chosen", () => {
    const template = "{% if options.module %}load{% else %}no{% endif %}";
    assert.equal(rendered(template, { module: "" }), "no");
    assert.equal(rendered(template, { module: 0 }), "no");
    assert.equal(rendered(template, { module: "x" }), "load");
  });

  test("knows nothing but its facts", () => {
    for (const template of [
      "{{ nothing }}",
      "{{ options.nothing }}",
      "{{ options.constructor }}",
      "{{ user.constructor.constructor }}",
      "{{ options.__proto__ }}",
      "{{ options }}",
      "{{ user | nofilter }}",
      "{% include '/etc/passwd' %}",
      "{% render '../secret' %}",
    ])
      assert.throws(() => rendered(template), template);
  });
});
