const HUB_PREFIX = /^(JUPYTERHUB_|JPY_|ELARA_|LD_)/;
const OF_THE_ACCOUNT: ReadonlySet<string> = new Set(["PATH", "HOME", "USER", "LOGNAME", "SHELL"]);

/**
 * What is wrong with a variable that an authenticator wants in a server's environment; undefined when nothing is. What says
 * whose server it is and which programs run stays the hub's.
 */
export function serverVariableFault(name: string, value: unknown): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return "is no name of a variable";
  if (HUB_PREFIX.test(name) || OF_THE_ACCOUNT.has(name)) return "belongs to the hub";
  if (typeof value !== "string") return "is no string";
  return value.includes("\0") ? "has a NUL in it" : undefined;
}
