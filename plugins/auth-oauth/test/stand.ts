import assert from "node:assert/strict";
import { inspect } from "node:util";
import type { AuthenticatedUser, Authenticator, AuthPlugin, LoginStart } from "@elara/sdk";
import { type TestHost, testHost } from "@elara/sdk/testing";
import type { TObject } from "typebox";
import { Value } from "typebox/value";
import { backAs, CALLBACK } from "./callback.ts";

/** A plugin set up with these options over its defaults. */
export async function stand<O extends TObject>(
  plugin: AuthPlugin<O>,
  options: object,
  given: Parameters<typeof testHost>[0] = {},
): Promise<Authenticator & { host: TestHost }> {
  const host = testHost(given);
  const full = Value.Parse(plugin.options, Value.Default(plugin.options, structuredClone(options)));
  return { ...(await plugin.setup(full, host)), host };
}

/** A log-in of somebody, there and back. */
export async function logIn(
  authenticator: Authenticator,
  person: string,
  change: (input: Record<string, string>) => Record<string, string> = (input) => input,
): Promise<AuthenticatedUser> {
  const start = await begin(authenticator);
  const input = change({ ...(await backAs(person)(start)) });
  const signal = AbortSignal.timeout(10_000);
  try {
    const user = await authenticator.finish({
      input,
      state: start.state ?? {},
      callbackUrl: CALLBACK,
      signal,
    });
    assert.ok(user);
    return user;
  } catch (error) {
    const shown = inspect(error, { depth: 9 });
    for (const secret of [input.code, input.state, ...Object.values(start.state ?? {})])
      assert.ok(typeof secret !== "string" || !shown.includes(secret), "a code or state stands in the error");
    throw error;
  }
}

/** Begins a log-in and gives back where the browser is sent. */
export async function begin(
  authenticator: Authenticator,
  wish: { otherAccount?: boolean } = {},
): Promise<LoginStart & { kind: "redirect" }> {
  const start = await authenticator.begin({ callbackUrl: CALLBACK, ...wish });
  assert.ok(start.kind === "redirect");
  return start;
}

/** Does with a refusal what the hub does: gives back what came with it, as the store would hand it over. */
export async function giveBack(
  authenticator: Authenticator,
  { authState }: Record<string, unknown>,
): Promise<void> {
  assert.ok(authState !== undefined, "the error carries what was given");
  const signal = AbortSignal.timeout(10_000);
  await authenticator.logout?.({ authState: JSON.parse(JSON.stringify(authState)), userName: "", signal });
}

/** What is thrown. */
export const refusalOf = async (work: Promise<unknown>): Promise<Record<string, unknown>> =>
  Object(
    await work.then(
      () => assert.fail("it was not refused"),
      (error: unknown) => error,
    ),
  );
