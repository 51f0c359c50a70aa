import { Type } from "@elara/sdk";
import type { LaunchState } from "@elara/sdk/launcher";
import type { Static } from "typebox";

/** Version of the handles this plugin writes. */
export const HANDLE_VERSION = 1;

/** What the hub stores. Only `dir` and `bootId` are relied on; the rest is for people. */
export const handle = Type.Object({
  v: Type.Integer(),
  /** The claimed folder, absolute. */
  dir: Type.String({ minLength: 1 }),
  bootId: Type.String(),
  pid: Type.Integer(),
  port: Type.Integer(),
});
export type Handle = Static<typeof handle>;

/** The handle of a started server. */
export const handleOf = (dir: string, state: Pick<LaunchState, "bootId" | "child" | "port">): Handle => ({
  v: HANDLE_VERSION,
  dir,
  bootId: state.bootId,
  pid: state.child?.pid ?? 0,
  port: state.port ?? 0,
});
