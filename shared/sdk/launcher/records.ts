import { type Static, type TSchema, Type } from "typebox";
import { Value } from "typebox/value";
import { readRecord } from "./record-file.ts";

/** As long as a text in a record may be. */
const Text = Type.String({ maxLength: 4096 });

/** A process: its pid, and its start time in ticks since boot, which tells it from a later one of the same pid. */
export const ProcessIdentity = Type.Object({ pid: Type.Integer(), start: Type.Integer() });
export type ProcessIdentity = Static<typeof ProcessIdentity>;

/** `state.json`: who runs, and where. */
export const LaunchState = Type.Object({
  v: Type.Literal(1),
  tag: Text,
  /** `claimed`: nothing runs yet. `starting`: the process runs. `running`: it listens on its port. */
  phase: Type.Union([
    Type.Literal("claimed"),
    Type.Literal("forked"),
    Type.Literal("starting"),
    Type.Literal("running"),
    Type.Literal("stopping"),
  ]),
  bootId: Text,
  startedAt: Text,
  launcher: ProcessIdentity,
  child: Type.Union([ProcessIdentity, Type.Null()]),
  uid: Type.Optional(Type.Integer()),
  host: Type.Optional(Text),
  port: Type.Optional(Type.Integer()),
  url: Type.Optional(Text),
  /** Raised when the port was lost to another program and the server was started again. */
  attempt: Type.Optional(Type.Integer()),
});
export type LaunchState = Static<typeof LaunchState>;

/** `exit.json`: how it ended. */
export const LaunchExit = Type.Object({
  v: Type.Literal(1),
  tag: Text,
  /** `stopped`: asked for. `failed`: never ran, `code` says why. `gone`: ended while its launcher was dead. */
  cause: Type.Union([
    Type.Literal("exited"),
    Type.Literal("signalled"),
    Type.Literal("stopped"),
    Type.Literal("failed"),
    Type.Literal("gone"),
  ]),
  exitCode: Type.Union([Type.Integer(), Type.Null()]),
  signal: Type.Union([Text, Type.Null()]),
  at: Text,
  code: Type.Union([Text, Type.Null()]),
  message: Text,
});
export type LaunchExit = Static<typeof LaunchExit>;

/** The record; undefined when there is none of this kind. Throws when it cannot be read. */
async function read<S extends TSchema>(folder: string, name: string, schema: S) {
  const data = await readRecord(folder, name);
  return Value.Check(schema, data) ? data : undefined;
}

/** Reads `state.json` of a claimed folder. */
export const readState = (folder: string): Promise<LaunchState | undefined> =>
  read(folder, "state.json", LaunchState);

/** Reads `exit.json` of a claimed folder. */
export const readExit = (folder: string): Promise<LaunchExit | undefined> =>
  read(folder, "exit.json", LaunchExit);
