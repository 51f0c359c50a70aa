import type { Row } from "./spawner.ts";

/** The row of a server whose handle another version of the plugin wrote: nobody can say what it means. */
export const foreignHandle = (tag: string, version: unknown): Row => ({
  tag,
  state: "unknown",
  reason: `handle of version ${String(version)} is not understood`,
});
