import { foreignHandle, type Row } from "@elara/sdk";
import { bootId, isAlive, livingTags, readExit, readState, rowOf, type Wording } from "@elara/sdk/launcher";
import { codeOf, errors } from "./errors.ts";
import { HANDLE_VERSION, type Handle } from "./handle.ts";

/** What to do about a server besides telling of it. */
export interface Look {
  readonly row: Row;
  /** Its launcher was killed: nobody watches it. */
  readonly unattended?: boolean;
}

const wording: Wording = { codeOf, errors, restarted: "LOCAL_MACHINE_RESTARTED" };

/** The tags that live at one moment, looked up when first asked for. */
export function livingOnce(): () => Set<string> {
  let tags: Set<string> | undefined;
  return () => {
    tags ??= livingTags();
    return tags;
  };
}

/** What the records and /proc say of one server. Throws when they cannot be read. */
export async function look(tag: string, handle: Handle, living = livingOnce()): Promise<Look> {
  const { dir } = handle;
  if (handle.v !== HANDLE_VERSION) return { row: foreignHandle(tag, handle.v) };
  // State first: what it names alive may end before the next line, and then `exit.json` is there.
  const state = await readState(dir);
  const alive = state?.child ? isAlive(state.child, state.bootId) : false;
  const attended = state ? isAlive(state.launcher, state.bootId) : false;
  const exit = await readExit(dir);
  const isOtherBoot = handle.bootId !== bootId();
  // A record that somebody removed, or that is out of reach, says nothing: its processes do.
  const stray = !state && !isOtherBoot && living().has(tag);
  const seen = { state: state ?? null, exit: exit ?? null, alive, attended, stray };
  return rowOf(tag, seen, { isOtherBoot, wording });
}
