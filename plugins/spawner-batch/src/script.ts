import { Liquid } from "liquidjs";

/** Starts the server in the job; its folder is the one the job was submitted in. */
const LAUNCH = `cd "\${SLURM_SUBMIT_DIR:-\${PBS_O_WORKDIR:-.}}" || exit 1
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

/** A job script from an administrator's template. Everything put in is one shell word unless the template says `| raw`. */
export function jobScript(template: string): (facts: ScriptFacts) => string {
  const engine = new Liquid({
    outputEscape: shellWord,
    ownPropertyOnly: true,
    strictVariables: true,
    strictFilters: true,
    jsTruthy: true,
    templates: { launch: LAUNCH },
  });
  const parsed = engine.parse(template);
  return (facts) => {
    // Also of what a template puts in raw: a newline would end its line.
    JSON.stringify(facts, (_key, value: unknown) => {
      if (typeof value === "string" && CONTROL.test(value))
        throw new Error("a value of the script holds a control character");
      return value;
    });
    return String(engine.renderSync(parsed, { ...facts }));
  };
}
