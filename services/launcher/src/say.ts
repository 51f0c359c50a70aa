import { codeOf, HubError } from "@elara/contracts";

// Whoever reads may have read enough (`elara plugins | head`): no failure, and no reason to end a hub.
process.stdout.on("error", (error) => {
  if (codeOf(error) !== "EPIPE") throw error;
});

/** What a person reads on the terminal, lines of one piece at once; the log goes to standard error. */
export const say = (...lines: string[]): void => void process.stdout.write(`${lines.join("\n")}\n`);

/** A failure as one block: code, what is wrong, what to do; the stack only for what the hub did not expect. */
export function explain(error: unknown): string {
  if (error instanceof HubError) return `elara: ${error.code}: ${error.operator || error.message}\n`;
  const code = codeOf(error);
  // What the operating system refused is no fault of the hub: its sentence names file and reason.
  const isSystem = error instanceof Error && "syscall" in error;
  const text = error instanceof Error ? (!isSystem && error.stack) || error.message : String(error);
  return `elara: ${code && !text.startsWith(code) ? `${code}: ` : ""}${text}\n`;
}
