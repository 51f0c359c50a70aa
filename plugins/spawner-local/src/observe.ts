import { access } from "node:fs/promises";
import { dirname } from "node:path";
import type { Row } from "@elara/sdk";
import { bootId, isAlive, type LaunchExit, readExit, readState } from "@elara/sdk/launcher";
import { codeOf, errors } from "./errors.ts";
import { HANDLE_VERSION, type Handle } from "./handle.ts";

/** What to do about a server besides telling of it. */
export interface Look {
  readonly row: Row;
  /** Its launcher was killed: nobody watches it. */
  readonly unattended?: boolean;
}

function reasonOf(exit: LaunchExit): string {
  if (exit.code !== null) return errors[codeOf(exit.code)].user;
  if (exit.cause === "stopped") return "stopped";
  if (exit.signal !== null) return `ended by signal ${exit.signal}`;
  if (exit.exitCode !== null) return `ended with exit code ${exit.exitCode}`;
  return exit.message || "ended";
}

const ended = (tag: string, exit: LaunchExit): Row => ({
  tag,
  state: "ended",
  reason: reasonOf(exit),
  end: {
    ...(exit.exitCode !== null && { exitCode: exit.exitCode }),
    ...(exit.signal !== null && { signal: exit.signal }),
    ...(exit.code !== null && { code: codeOf(exit.code) }),
  },
});

/** What the records and /proc say of one server. Throws when they cannot be read. */
export async function look(tag: string, handle: Handle): Promise<Look> {
  const { dir } = handle;
  if (handle.v !== HANDLE_VERSION)
    return { row: { tag, state: "unknown", reason: `handle of version ${handle.v} is not understood` } };
  // State first: what it names alive may end before the next line, and then `exit.json` is there.
  const state = await readState(dir);
  const alive = state?.child ? isAlive(state.child, state.bootId) : false;
  const attended = state ? isAlive(state.launcher, state.bootId) : false;
  const exit = await readExit(dir);
  if (exit) return { row: ended(tag, exit) };
  if (handle.bootId !== bootId())
    return {
      row: {
        tag,
        state: "ended",
        reason: errors.LOCAL_MACHINE_RESTARTED.user,
        end: { code: "LOCAL_MACHINE_RESTARTED" },
      },
    };
  if (!state) {
    // A folder of claims that is not there (not mounted) says nothing about the servers in it.
    await access(dirname(dir));
    return { row: { tag, state: "lost", reason: "its records are gone" } };
  }
  if (!alive && !attended)
    return {
      row: { tag, state: "lost", reason: "ended together with its launcher, nothing is known of how" },
    };
  const unattended = !attended;
  // Attended but not alive: its end is being written down.
  if (state.phase === "stopping" || (state.child && !alive))
    return { row: { tag, state: "stopping" }, unattended };
  if (state.phase === "running" && state.url)
    return { row: { tag, state: "running", url: state.url }, unattended };
  return { row: { tag, state: state.child ? "starting" : "submitting" }, unattended };
}
