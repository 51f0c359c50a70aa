import type { AuthenticatedUser, Authenticator, AuthenticatorHost } from "@elara/sdk";
import { Value } from "typebox/value";
import pam from "../src/index.ts";

/** The plugin set up with these options over its defaults. */
export async function authenticator(options: Record<string, unknown>): Promise<Authenticator> {
  const silent = () => {};
  const host: AuthenticatorHost = {
    log: { debug: silent, info: silent, warn: silent, error: silent },
    dataDir: "/nonexistent",
    hubId: "test",
    callbackPaths: ["/hub/oauth_callback/pam"],
    publicUrl: "",
    now: () => Date.now(),
    onClose: silent,
  };
  return pam.setup(Value.Parse(pam.options, Value.Default(pam.options, structuredClone(options))), host);
}

/** One log-in; plugins are kept per options, so that a pool is shared. */
export async function finish(
  options: Record<string, unknown>,
  input: Record<string, string>,
  signal = AbortSignal.timeout(20_000),
): Promise<AuthenticatedUser | undefined> {
  const key = JSON.stringify(options);
  const plugin = plugins.get(key) ?? authenticator(options);
  plugins.set(key, plugin);
  return (await plugin).finish({ input, state: {}, callbackUrl: "", signal });
}
const plugins = new Map<string, Promise<Authenticator>>();
