import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test } from "node:test";
import { DEFAULT_SCRIPT, jobScript, type ScriptFacts, shellWord } from "../src/script.ts";

const SUBMIT_DIR = "SUBMITTED_IN";
const facts = (options: Record<string, unknown> = {}): ScriptFacts => ({
  ...{ python: "python3", user: "ada", account: "ada", server: "" },
  options,
});
const rendered = (template: string, options: Record<string, unknown> = {}) =>
  jobScript(`#!/bin/sh\n${template}`, SUBMIT_DIR)(facts(options)).replace("#!/bin/sh\n", "");

describe("a job script", () => {
  test("by default is a login shell that becomes the launcher", () => {
    assert.equal(
      jobScript(DEFAULT_SCRIPT, SUBMIT_DIR)({ ...facts(), python: "/opt/my python/bin/python3" }),
      `#!/bin/bash -l
cd "\${SUBMITTED_IN:-.}" || exit 1
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

  test("begins with #! and has no line breaks of DOS, or no batch system takes it", () => {
    for (const template of [
      "module load x\n",
      "\n#!/bin/sh\n",
      " #!/bin/sh\n",
      "{% comment %}x{% endcomment %}\n",
    ])
      assert.throws(() => jobScript(template, SUBMIT_DIR), /line 1: has to begin with `#!`/, template);
    assert.throws(() => jobScript("#!/bin/sh\ntrue\r\n", SUBMIT_DIR), /line 2: ends in CR LF/);
  });

  test("tells the line of what is wrong with it", () => {
    const wrong = (body: string) => () => rendered(`true\n${body}`, { list: [1] });
    assert.throws(wrong("{% if %}"), /^Error: line 3: invalid value expression/);
    assert.throws(wrong("{{ user | nofilter }}"), /^Error: line 3: undefined filter: nofilter$/);
    assert.throws(wrong("\n{{ options.modules }}"), /^Error: line 4: undefined variable: options.modules$/);
    assert.throws(wrong("{{ options.list }}"), /^Error: line 3: a value of the script is a list or a table$/);
  });

  test("names the value that holds a control character", () => {
    assert.throws(() => rendered("true", { module: "a\nb" }), /options\.module holds a control character/);
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
