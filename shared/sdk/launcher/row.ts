import type { PluginErrors } from "../src/errors.ts";
import type { Row } from "../src/spawner.ts";
import type { SeenServer } from "./look.ts";
import { plain } from "./record-file.ts";
import type { LaunchExit } from "./records.ts";

/** How a plugin names what the launcher's records say: its sentence for each code. */
export interface Wording {
  /** The plugin's own code for one of the launcher, never a text of the record. */
  codeOf(launcher: string): string;
  readonly errors: PluginErrors;
  /** Code for: the machine was restarted. */
  readonly restarted: string;
}

const sentenceOf = (code: string, { errors }: Wording): string => errors[code]?.user ?? code;

function reasonOf(exit: LaunchExit, wording: Wording): string {
  if (exit.code !== null) return sentenceOf(wording.codeOf(exit.code), wording);
  if (exit.cause === "stopped") return "stopped";
  if (exit.signal !== null) return `ended by signal ${plain(exit.signal)}`;
  if (exit.exitCode !== null) return `ended with exit code ${exit.exitCode}`;
  return plain(exit.message) || "ended";
}

const ended = (tag: string, exit: LaunchExit, wording: Wording): Row => ({
  tag,
  state: "ended",
  reason: reasonOf(exit, wording),
  end: {
    ...(exit.exitCode !== null && { exitCode: exit.exitCode }),
    ...(exit.signal !== null && { signal: plain(exit.signal) }),
    ...(exit.code !== null && { code: wording.codeOf(exit.code) }),
  },
});

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
  if (exit && !alive && !attended && !stray) return over(ended(tag, exit, wording));
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
