import { type Logger, pino } from "pino";
import { currentTraceparent } from "./telemetry/tracer.ts";

/** Paths that never reach a log line, whoever logs them. */
const REDACTED = [
  "req.headers.authorization",
  "req.headers.cookie",
  "*.password",
  "*.token",
  "*.secret",
  "*.env",
];

export interface LogSettings {
  level: "debug" | "info" | "warn" | "error";
  format: "auto" | "json" | "pretty";
}

/** The process's logger: JSON lines on standard error, or readable ones on a terminal. */
export async function createLog(settings: LogSettings): Promise<Logger> {
  const pretty = settings.format === "pretty" || (settings.format === "auto" && process.stderr.isTTY);
  const options = {
    level: settings.level,
    redact: { paths: REDACTED, censor: "…" },
    base: { pid: process.pid },
    mixin: traceFields,
  };
  if (!pretty) return pino(options, pino.destination({ dest: 2, sync: true }));
  const { default: prettify } = await import("pino-pretty");
  return pino(
    options,
    prettify({ destination: 2, sync: true, ignore: "pid,hostname", translateTime: "SYS:HH:MM:ss" }),
  );
}

/** By these a line is found from its trace, and the trace from the line. */
function traceFields(): Record<string, string> {
  const [, traceId, spanId] = currentTraceparent().split("-");
  return traceId === undefined || spanId === undefined ? {} : { traceId, spanId };
}
