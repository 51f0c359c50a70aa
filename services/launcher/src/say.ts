import { codeOf, HubError } from "@elara/contracts";

/** What a person reads on the terminal; the log goes to standard error. */
export const say = (text = ""): void => void process.stdout.write(`${text}\n`);

/** A failure as one block: code, what is wrong, what to do; the stack only for what the hub did not expect. */
export function explain(error: unknown): string {
  if (error instanceof HubError) return `elara: ${error.code}: ${error.operator || error.message}\n`;
  const code = codeOf(error);
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `elara: ${code ? `${code}: ` : ""}${text}\n`;
}
