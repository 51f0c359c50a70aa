import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { HubError } from "@elara/contracts";
import { findConfig } from "@elara/runtime/config/load";
import { authenticators, spawners } from "../built-ins.ts";
import { elaraCommand, shellWord } from "../elara-command.ts";
import { makeFolderOf } from "../make-folder.ts";
import { say } from "../say.ts";

const template = (file: string): string => readFileSync(new URL(`../new/${file}`, import.meta.url), "utf8");

/** Options without which a new authenticator does not load, as the steps print them. */
const formOptions = "{ users: {} }";
const redirectOptions = (secret: string): string => {
  const at = "https://id.example.org";
  const addresses = ["authorize", "token", "user", "revoke"].map((name) => `${name}Url: "${at}/${name}"`);
  return `{ issuer: "${at}", ${addresses.join(", ")}, clientId: "hub", clientSecret: { env: "${secret}" } }`;
};

/**
 * `elara new spawner NAME`, `elara new authenticator NAME` (with a form; `--redirect`: at a provider): a plugin in one file
 * and its test. Never overwrites.
 */
export function create(
  kind: "spawner" | "authenticator",
  name: string,
  options: { dir: string; redirect?: boolean },
): void {
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(name)) {
    throw new HubError("FIELD_INVALID", {
      operator: `"${name}" is no plugin name: lower-case letters, digits and hyphens, beginning with a letter, at most 31.`,
    });
  }
  if (Object.hasOwn(kind === "spawner" ? spawners : authenticators, name))
    throw new HubError("FIELD_INVALID", {
      operator: `The ${kind} "${name}" comes with the hub. Choose another name.`,
    });
  const folder = resolve(options.dir);
  const from = options.redirect ? `${kind}-redirect` : kind;
  const files = [
    { path: join(folder, `${name}.ts`), text: template(`${from}.ts.txt`) },
    { path: join(folder, `${name}.test.ts`), text: template(`${from}.test.ts.txt`) },
  ];
  const taken = files.find(({ path }) => existsSync(path));
  if (taken)
    throw new HubError("CONFIG_EXISTS", {
      operator: `${taken.path} exists and is left as it is. Choose another name or --dir.`,
    });
  makeFolderOf("--dir", folder);
  const constant = name.toUpperCase().replaceAll("-", "_");
  for (const { path, text } of files) {
    writeFileSync(path, text.replaceAll("__NAME__", name).replaceAll("__CODE__", constant), { flag: "wx" });
    say(`Wrote ${path}`);
  }
  const [plugin, test] = files.map(({ path }) => path);
  const elara = elaraCommand();
  const config = findConfig(undefined) ?? resolve("elara.config.ts");
  const use = relative(dirname(config), plugin ?? "");
  const entry = JSON.stringify(use.startsWith("..") ? use : `./${use}`);
  say(`\nRun its test:     ${elara} test ${shellWord(test ?? "")}`);
  const isForm = kind === "authenticator" && !options.redirect;
  const secret = options.redirect ? `${constant}_CLIENT_SECRET` : "";
  const given = isForm ? formOptions : secret && redirectOptions(secret);
  say(`Use it:           ${kind}s: [{ use: ${entry}${given && `, options: ${given}`} }] in ${config}`);
  if (!existsSync(config)) say(`                  which \`${elara} init\` writes`);
  if (isForm)
    say(
      `Its passwords:    ${elara} hash-password\n                  prints what stands in users: { ada: "scrypt:…" }`,
    );
  if (secret) say("                  with the addresses of your provider, and the id it gave the hub");
  say(`Then:             ${secret && `env ${secret}=its-secret `}${elara} check`);
}
