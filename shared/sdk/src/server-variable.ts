const OF_THE_HUB = /^(JUPYTERHUB_|JPY_|ELARA_|JUPYTER_CONFIG_|JUPYTER_PATH$)/;
const OF_THE_ACCOUNT: ReadonlySet<string> = new Set(["PATH", "HOME", "USER", "LOGNAME", "SHELL"]);
/** By these a program loads code before its own: dynamic linker, shells, Python, Node. */
const LOADS_CODE =
  /^(LD_|PYTHON(PATH|STARTUP|HOME|USERBASE|INSPECT|BREAKPOINT)$|NODE_OPTIONS$|NODE_PATH$|BASH_ENV$|ENV$|IPYTHONDIR$)/;
/** Linux takes so much for one variable, with its name, `=` and an end. */
const MAX_BYTES = 128 * 1024 - 2;

/**
 * What is wrong with a variable that an authenticator wants in a server's environment; undefined when nothing is. What says
 * whose server it is, which programs run and what they load stays the hub's.
 */
export function serverVariableFault(name: string, value: unknown): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return "is no name of a variable";
  if (OF_THE_HUB.test(name) || OF_THE_ACCOUNT.has(name)) return "belongs to the hub";
  if (LOADS_CODE.test(name)) return "would make programs load other code";
  if (typeof value !== "string") return "is no string";
  if (value.includes("\0")) return "has a NUL in it";
  return Buffer.byteLength(name) + Buffer.byteLength(value) > MAX_BYTES
    ? "is longer than a variable can be (128 KiB)"
    : undefined;
}
