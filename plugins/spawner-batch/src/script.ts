import { Liquid } from "liquidjs";
import { Unfit } from "./schedulers/scheduler.ts";

/** Starts the server in the job; its folder is the one the job was submitted in. */
const launch = (submitDirVariable: string): string => `cd "\${${submitDirVariable}:-.}" || exit 1
exec {{ python }} -I -S ./launch.py < ./launch.json
`;

/** A login shell, so that PATH and modules are as users know them. */
export const DEFAULT_SCRIPT = `#!/bin/bash -l
{% render 'launch', python: python %}`;

/** What a script may speak of. No secrets: users and administrators can read scripts of jobs. */
export interface ScriptFacts {
  readonly python: string;
  /** Name in the hub, account at the batch system, name of the server. */
  readonly user: string;
  readonly account: string;
  readonly server: string;
  readonly options: Readonly<Record<string, unknown>>;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get in
const CONTROL = /[\u0000-\u001f\u007f]/;

/** One word of a POSIX shell. Quotes do not save a line that begins with `#SBATCH` from a newline: refused. */
export function shellWord(value: unknown): string {
  if (value === null || value === undefined) throw new Error("a value of the script is not set");
  if (typeof value === "object") throw new Error("a value of the script is a list or a table");
  const text = String(value);
  if (CONTROL.test(text)) throw new Error("a value of the script holds a control character");
  return `'${text.replaceAll("'", "'\\''")}'`;
}

const holdsControl = (value: unknown): boolean =>
  typeof value === "string"
    ? CONTROL.test(value)
    : typeof value === "object" && value !== null && Object.values(value).some(holdsControl);

/** Also of what a template puts in raw: a newline would end its line. */
function checkFacts({ options, ...facts }: ScriptFacts): void {
  for (const [name, value] of Object.entries(facts))
    if (holdsControl(value)) throw new Error(`\`${name}\` holds a control character`);
  for (const [name, value] of Object.entries(options))
    if (holdsControl(value)) throw new Unfit(name, `options.${name} holds a control character`);
}

/** LiquidJS says at the end where it is. */
function withLine<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    const [, what, line] = /^(.*?)(?:, file:.*?)?, line:(\d+), col:\d+$/s.exec(words) ?? [];
    throw new Error(line === undefined ? words : `line ${line}: ${what}`, { cause: error });
  }
}

/** What batch systems refuse whatever else is in it. */
function checkText(template: string): void {
  if (!template.startsWith("#!"))
    throw new Error("line 1: has to begin with `#!` and the path of a shell: `#!/bin/bash -l`");
  const dos = template.split("\n").findIndex((line) => line.endsWith("\r"));
  if (dos !== -1) throw new Error(`line ${dos + 1}: ends in CR LF, as on Windows; it has to be LF`);
}

/**
 * A job script from an administrator's template. Everything put in is one shell word unless the template says `| raw`.
 * What is wrong with it is told with its line.
 */
export function jobScript(template: string, submitDirVariable: string): (facts: ScriptFacts) => string {
  const engine = new Liquid({
    outputEscape: shellWord,
    ownPropertyOnly: true,
    strictVariables: true,
    strictFilters: true,
    jsTruthy: true,
    templates: { launch: launch(submitDirVariable) },
  });
  checkText(template);
  const parsed = withLine(() => engine.parse(template));
  return (facts) => {
    checkFacts(facts);
    return withLine(() => String(engine.renderSync(parsed, { ...facts })));
  };
}
