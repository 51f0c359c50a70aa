import type { PluginErrors } from "../src/errors.ts";
import type { Row } from "../src/spawner.ts";
import type { SeenServer } from "./look.ts";
import { plain } from "./record-file.ts";
import type { LaunchExit } from "./records.ts";

/** How a plugin names what the launcher's records say: its sentence for each code. */
export interface Wording {
  /** The plugin's own code for one of the launcher, never a text of the record. Undefined: its message has to do. */
  codeOf(launcher: string): string | undefined;
  readonly errors: PluginErrors;
  /** Code for: the machine was restarted. */
  readonly restarted: string;
}

const sentenceOf = (code: string, { errors }: Pick<Wording, "errors">): string => errors[code]?.user ?? code;

/** What is told of an end: only the codes of the plugin. */
type Ends = Omit<Wording, "restarted">;

function reasonOf(exit: LaunchExit, code: string | undefined, wording: Ends): string {
  if (code !== undefined) return sentenceOf(code, wording);
  if (exit.code !== null) return plain(exit.message) || "ended";
  if (exit.cause === "stopped") return "stopped";
  if (exit.signal !== null) return `ended by signal ${plain(exit.signal)}`;
  if (exit.exitCode !== null) return `ended with exit code ${exit.exitCode}`;
  return plain(exit.message) || "ended";
}

/** The row of a server whose launcher wrote down its end. */
export function endedRow(tag: string, exit: LaunchExit, wording: Ends): Row {
  const code = exit.code === null ? undefined : wording.codeOf(exit.code);
  const end = {
    ...(exit.exitCode !== null && { exitCode: exit.exitCode }),
    ...(exit.signal !== null && { signal: plain(exit.signal) }),
    ...(code !== undefined && { code }),
  };
  return { tag, state: "ended", reason: reasonOf(exit, code, wording), end };
}

/**
 * What the records and processes of one server mean. `isOtherBoot`: its handle is of another boot of the machine.
 * `unattended`: its launcher was killed and nobody watches it, an order `attend` is due.
 */
export function rowOf(
  tag: string,
  { state, exit, alive, attended, stray }: Omit<SeenServer, "claimed">,
  { isOtherBoot, wording }: { readonly isOtherBoot: boolean; readonly wording: Wording },
): { readonly row: Row; readonly unattended: boolean } {
  const over = (row: Row) => ({ row, unattended: false });
  const { restarted } = wording;
  // An end beside a process that lives is none: its owner can write one. Who attends it writes the true one soon.
  if (exit && !alive && !attended && !stray) return over(endedRow(tag, exit, wording));
  if (isOtherBoot)
    return over({ tag, state: "ended", reason: sentenceOf(restarted, wording), end: { code: restarted } });
  if (!state && stray) {
    const reason = "its records are gone although it runs; it can be stopped and started anew";
    return over({ tag, state: "unknown", reason });
  }
  if (!state) return over({ tag, state: "lost", reason: "its records are gone, and so are its processes" });
  if (!alive && !attended) {
    const reason = "ended together with its launcher, nothing is known of how";
    return over({ tag, state: "lost", reason });
  }
  const unattended = !attended;
  // Attended but not alive: its end is being written down.
  if (state.phase === "stopping" || (state.child && !alive))
    return { row: { tag, state: "stopping" }, unattended };
  if (state.phase === "running" && state.url)
    return { row: { tag, state: "running", url: state.url }, unattended };
  return { row: { tag, state: state.child ? "starting" : "submitting" }, unattended };
}
