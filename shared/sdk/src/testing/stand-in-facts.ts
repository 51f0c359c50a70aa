import { createHash } from "node:crypto";
import { type Static, Type } from "typebox";

/** What the stand-in tells of itself. */
export const StandInFacts = Type.Object({
  /** Drawn at its start: pids are the same in every container. */
  id: Type.String(),
  pid: Type.Integer(),
  tokenDigest: Type.String(),
  /** Of the variables that begin with ELARA_VALUE_. */
  envDigests: Type.Record(Type.String(), Type.String()),
  cwd: Type.String(),
  uid: Type.Integer(),
  gid: Type.Integer(),
  groups: Type.Array(Type.Integer()),
  home: Type.String(),
  user: Type.String(),
  args: Type.Array(Type.String()),
});
export type StandInFacts = Static<typeof StandInFacts>;

/** What is known of a server that is no stand-in. */
export const nobody: StandInFacts = {
  id: "",
  pid: 0,
  tokenDigest: "",
  envDigests: {},
  cwd: "",
  uid: 0,
  gid: 0,
  groups: [],
  home: "",
  user: "",
  args: [],
};

/** A value as the stand-in tells of it. */
export const digestOf = (value: string): string => createHash("sha256").update(value).digest("hex");
