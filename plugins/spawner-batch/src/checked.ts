import type { Cluster } from "./cluster.ts";
import type { Desk } from "./desk.ts";
import type { Options } from "./options.ts";
import type { Scheduler } from "./schedulers/scheduler.ts";
import type { ScriptFacts } from "./script.ts";

/** What a check needs. */
export interface Checked {
  readonly config: Options;
  readonly scheduler: Scheduler;
  readonly cluster: Cluster;
  readonly desk: Desk;
  readonly script: (facts: ScriptFacts) => string;
  /** Ends the job of this tag and removes its folder; what is in the way is logged. */
  readonly takeBack: (tag: string, account: string) => Promise<void>;
  /** The hub's API as servers reach it. */
  readonly apiUrl: string;
}

/** What a script may speak of when nobody's server is started. */
export const factsOf = ({ script: _, ...options }: Options, account: string): ScriptFacts => ({
  ...{ python: options.python, user: account, account, server: "", options },
});
