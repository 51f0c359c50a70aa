import type { Spawner } from "../spawner.ts";

type Check = NonNullable<Spawner<unknown, unknown>["check"]>;

/** What `check` of a spawner is called with, for a hub whose servers are this command. */
export const checkCall = (argv: readonly string[] = ["true"]): Parameters<Check> => [
  { argv, env: {} },
  { signal: new AbortController().signal },
];
