import { type Static, type TSchema, Type } from "typebox";
import { Value } from "typebox/value";
import { LaunchExit, LaunchState } from "./records.ts";

interface Place {
  /** Folder of claims; `~/…` lies in the home of the account that asks. */
  readonly runDir: string;
  /** Accounts with a lower uid are refused. */
  readonly minUid?: number;
}

/** Reads the records of many servers at once and which of their processes live; changes nothing. */
export type LookOrder = Place & { readonly action: "look"; readonly tags: readonly string[] };

/** The last lines of a server's output. */
export type LogOrder = Place & { readonly action: "log"; readonly tag: string; readonly lines: number };

/** A refusal: it could not be looked. Says nothing about the servers. */
export const LaunchRefusal = Type.Object({
  ok: Type.Literal(false),
  code: Type.String(),
  message: Type.String(),
  /** Absent or true: it may have done a part of what was asked. */
  begun: Type.Optional(Type.Boolean()),
});
export type LaunchRefusal = Static<typeof LaunchRefusal>;

/** What is seen of one tag. */
export const SeenServer = Type.Object({
  /** Its folder is there; without `state` a start has just claimed it, or died before it wrote anything. */
  claimed: Type.Boolean(),
  state: Type.Union([LaunchState, Type.Null()]),
  exit: Type.Union([LaunchExit, Type.Null()]),
  /** The server's process lives, on this boot of the machine. */
  alive: Type.Boolean(),
  /** Its launcher lives. */
  attended: Type.Boolean(),
  /** Without `state`: processes that carry its tag live all the same. */
  stray: Type.Optional(Type.Boolean()),
});
export type SeenServer = Static<typeof SeenServer>;

export const LookAnswer = Type.Union([
  Type.Object({
    ok: Type.Literal(true),
    bootId: Type.String(),
    /** The folder of claims is there. When it is not, that says nothing about servers that were in it. */
    runDir: Type.Boolean(),
    servers: Type.Record(Type.String(), SeenServer),
  }),
  LaunchRefusal,
]);
export type LookAnswer = Static<typeof LookAnswer>;

export const LogAnswer = Type.Union([
  Type.Object({ ok: Type.Literal(true), lines: Type.Array(Type.String()) }),
  LaunchRefusal,
]);

/**
 * An answer from the launcher's output: its last line, since the account's start-up files may have written before it.
 * What cannot be read is a refusal, `LAUNCHER_FAILED`.
 */
export function readAnswer<S extends TSchema>(
  schema: S,
  stdout: string,
  stderr: string,
): Static<S> | LaunchRefusal {
  try {
    const data: unknown = JSON.parse(stdout.slice(stdout.lastIndexOf("\n") + 1));
    if (Value.Check(schema, data)) return data;
  } catch {
    // told below
  }
  return { ok: false, code: "LAUNCHER_FAILED", message: stderr.trim().slice(-2000) || "no answer" };
}
