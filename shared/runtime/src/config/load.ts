import { fork } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { HubError } from "@elara/contracts";
import { Type } from "typebox";
import { Value } from "typebox/value";

const Answer = Type.Union([
  Type.Object({ value: Type.Unknown() }),
  Type.Object({ faults: Type.Array(Type.String()) }),
]);

/** The configuration file to use: the one given, else `./elara.config.ts`, else none. Throws CONFIG_NOT_FOUND. */
export function findConfig(given: string | undefined): string | undefined {
  const file = resolve(given ?? "elara.config.ts");
  if (!existsSync(file)) {
    if (given === undefined) return undefined;
    throw new HubError("CONFIG_NOT_FOUND", {
      operator: `--config: there is no file ${file}. Make one with \`elara init ${given}\`.`,
    });
  }
  try {
    accessSync(file, constants.R_OK);
  } catch (cause) {
    throw new HubError("CONFIG_NOT_FOUND", { operator: `--config: ${file} cannot be read.`, cause });
  }
  return file;
}

/** Evaluates a configuration in a child process and returns its plain data. Throws CONFIG_INVALID. */
export async function evaluateConfig(file: string): Promise<unknown> {
  const script = fileURLToPath(new URL("./evaluate.ts", import.meta.url));
  const child = fork(script, [file], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const answer = await new Promise<unknown>((done) => {
    child.once("message", done);
    child.once("exit", (code) => done({ faults: [`evaluating it ended with exit code ${code}`] }));
  });
  if (!Value.Check(Answer, answer)) throw new HubError("CONFIG_INVALID", { detail: answer });
  if ("faults" in answer) throw configInvalid(file, answer.faults);
  return answer.value;
}

/** CONFIG_INVALID with every fault on a line of its own. */
export const configInvalid = (file: string, faults: readonly string[]): HubError =>
  new HubError("CONFIG_INVALID", {
    operator: `${file} has ${faults.length === 1 ? "a fault" : `${faults.length} faults`}:\n${faults.map((fault) => `  ${fault}`).join("\n")}`,
  });
