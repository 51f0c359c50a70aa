import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Static, type TSchema, Type } from "typebox";
import { Value } from "typebox/value";

/** A process: its pid, and its start time in ticks since boot, which tells it from a later one of the same pid. */
export const ProcessIdentity = Type.Object({ pid: Type.Integer(), start: Type.Integer() });
export type ProcessIdentity = Static<typeof ProcessIdentity>;

/** `state.json`: who runs, and where. */
export const LaunchState = Type.Object({
  v: Type.Literal(1),
  tag: Type.String(),
  /** `claimed`: nothing runs yet. `starting`: the process runs. `running`: it listens on its port. */
  phase: Type.Union([
    Type.Literal("claimed"),
    Type.Literal("forked"),
    Type.Literal("starting"),
    Type.Literal("running"),
    Type.Literal("stopping"),
  ]),
  bootId: Type.String(),
  startedAt: Type.String(),
  launcher: ProcessIdentity,
  child: Type.Union([ProcessIdentity, Type.Null()]),
  uid: Type.Optional(Type.Integer()),
  host: Type.Optional(Type.String()),
  port: Type.Optional(Type.Integer()),
  url: Type.Optional(Type.String()),
  /** Raised when the port was lost to another program and the server was started again. */
  attempt: Type.Optional(Type.Integer()),
});
export type LaunchState = Static<typeof LaunchState>;

/** `exit.json`: how it ended. */
export const LaunchExit = Type.Object({
  v: Type.Literal(1),
  tag: Type.String(),
  /** `stopped`: asked for. `failed`: never ran, `code` says why. `gone`: ended while its launcher was dead. */
  cause: Type.Union([
    Type.Literal("exited"),
    Type.Literal("signalled"),
    Type.Literal("stopped"),
    Type.Literal("failed"),
    Type.Literal("gone"),
  ]),
  exitCode: Type.Union([Type.Integer(), Type.Null()]),
  signal: Type.Union([Type.String(), Type.Null()]),
  at: Type.String(),
  code: Type.Union([Type.String(), Type.Null()]),
  message: Type.String(),
});
export type LaunchExit = Static<typeof LaunchExit>;

const hasCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && "code" in error && codes.includes(String(error.code));

/** The record; undefined when there is none, or it is not whole. Throws when it cannot be read. */
async function read<S extends TSchema>(file: string, schema: S): Promise<Static<S> | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
  try {
    const data: unknown = JSON.parse(text);
    return Value.Check(schema, data) ? data : undefined;
  } catch {
    return undefined;
  }
}

/** Reads `state.json` of a claimed folder. */
export const readState = (folder: string): Promise<LaunchState | undefined> =>
  read(join(folder, "state.json"), LaunchState);

/** Reads `exit.json` of a claimed folder. */
export const readExit = (folder: string): Promise<LaunchExit | undefined> =>
  read(join(folder, "exit.json"), LaunchExit);

/** The last lines of the server's output, newest last. */
export async function readLog(folder: string, lines: number): Promise<string[]> {
  let text = "";
  for (const name of ["log.1", "log"]) {
    try {
      text += await readFile(join(folder, name), "utf8");
    } catch (error) {
      if (!hasCode(error, "ENOENT", "ENOTDIR")) throw error;
    }
  }
  const all = text.split("\n");
  if (all.at(-1) === "") all.pop();
  return lines > 0 ? all.slice(-lines) : [];
}
