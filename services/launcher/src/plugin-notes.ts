import { inspect } from "node:util";
import { type Logger, pino } from "pino";

/** What a plugin warns of while it is looked at, in words. */
export interface PluginNotes {
  readonly log: Logger;
  /** What came since it was asked last. */
  taken(): string[];
}

/** Collects the warnings and errors of plugins; what is less than that is dropped. */
export function pluginNotes(): PluginNotes {
  const notes: string[] = [];
  const write = (line: string): void => {
    const { level: _, msg, ...fields }: { level: number; msg?: unknown } = JSON.parse(line);
    const more = Object.entries(fields).map(([key, value]) => `${key}: ${wordsOf(value)}`);
    notes.push(`${String(msg)}${more.length > 0 ? ` (${more.join("; ")})` : ""}`);
  };
  return {
    log: pino({ level: "warn", base: null, timestamp: false }, { write }),
    taken: () => notes.splice(0),
  };
}

function wordsOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(wordsOf).join(", ");
  const { message }: { message?: unknown } = Object(value);
  return typeof message === "string"
    ? message
    : inspect(value, { depth: 3, breakLength: Number.POSITIVE_INFINITY });
}
