import type { ConfiguredSpawner } from "./service.ts";

/** Whether servers are processes of this machine: the local spawner, or a centre's own around it. */
export const isLocal = ({ plugin }: Pick<ConfiguredSpawner, "plugin">): boolean =>
  plugin.name === "local" || plugin.wraps === "local";

/**
 * What an operator is to know where log-ins by these authenticators bring variables into servers, and spawners of this
 * machine run everybody's servers as one account; undefined: nothing.
 */
export function sharedAccountWarning(
  bringing: readonly string[],
  spawners: readonly ConfiguredSpawner[],
): string | undefined {
  const shared = spawners.filter((spawner) => isLocal(spawner) && spawner.options.systemAccounts !== true);
  if (bringing.length === 0 || shared.length === 0) return undefined;
  const names = shared.map(({ name }) => name).join(", ");
  return `${bringing.join(", ")} brings tokens into the servers' environment, and ${names} runs all servers as one account: users can read each other's. Set the spawner's systemAccounts: true, or use one that keeps users apart.`;
}
