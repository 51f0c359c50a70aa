import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Value } from "typebox/value";
import { GITHUB_ID_NAMES, GITHUB_SECRET_NAMES } from "../src/github/errors.ts";
import { options as githubOptions } from "../src/github/settings.ts";
import { GLOBUS_ID_NAMES, GLOBUS_SECRET_NAMES } from "../src/globus/errors.ts";
import { options as globusOptions } from "../src/globus/settings.ts";

const room = new URL("../", import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, room), "utf8");

interface Entry {
  readonly use: "github" | "globus";
  readonly options: { readonly clientSecret: unknown };
}

for (const file of ["docs/github.md", "docs/globus.md"])
  test(`the configuration in ${file} can be copied`, async () => {
    const [, block = ""] = /```ts\n([\s\S]*?)```/.exec(read(file)) ?? [];
    const [head = "", ...code] = block.split(/^\s*import .*;$/m);
    assert.match(head, /elara\.config\.ts/);
    const module = `const defineConfig = (config) => config;${code.join("")}`;
    const { default: config } = await import(`data:text/javascript,${encodeURIComponent(module)}`);
    for (const { use, options } of config.authenticators as Entry[]) {
      assert.deepEqual(Object.keys(Object(options.clientSecret)), ["file"]);
      const clear = { ...options, clientSecret: "x" };
      const schema = use === "github" ? githubOptions : globusOptions;
      assert.deepEqual([...Value.Errors(schema, Value.Default(schema, clear))], []);
    }
  });

test("every option stands in the README, and every variable that is read", () => {
  const text = read("README.md");
  const own = Object.keys({ ...githubOptions.properties, ...globusOptions.properties });
  for (const option of own) assert.ok(text.includes(`\`${option}\``), option);
  const source = ["src/github/settings.ts", "src/globus/settings.ts", "src/settings.ts"];
  const names = source.flatMap(
    (file) => read(file).match(/\b(GITHUB|OAUTH2?|GLOBUS|IDENTITY)_[A-Z_]+\b/g) ?? [],
  );
  const all = [
    ...names,
    ...GITHUB_ID_NAMES,
    ...GITHUB_SECRET_NAMES,
    ...GLOBUS_ID_NAMES,
    ...GLOBUS_SECRET_NAMES,
  ];
  for (const name of new Set(all.filter((name) => !name.endsWith("_NAMES"))))
    assert.ok(text.includes(name), name);
});
