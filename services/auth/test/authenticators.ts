import { randomBytes } from "node:crypto";
import { HubError } from "@elara/contracts";
import type { Configured } from "@elara/runtime/service";
import { type AuthenticatedUser, type AuthPlugin, authPlugin, Type } from "@elara/sdk";

type Ask = (
  input: Readonly<Record<string, string>>,
  signal: AbortSignal,
) => Promise<AuthenticatedUser | undefined>;

const nameAndPassword = (input: Readonly<Record<string, string>>): AuthenticatedUser | undefined => {
  const name = input.username ?? "";
  if (input.password !== `${name.toLowerCase()}-secret`) return undefined;
  return { issuer: "book:", subject: name.toLowerCase(), name };
};

/** Lets everybody in whose password is `{name}-secret`; counts how often it was asked. */
export function book({
  name = "book",
  ask = async (input) => nameAndPassword(input),
}: {
  name?: string;
  ask?: Ask;
} = {}): Configured<AuthPlugin> & { readonly asked: string[] } {
  const asked: string[] = [];
  const plugin = authPlugin({
    name: "book",
    label: `the ${name}`,
    options: Type.Object({}),
    errors: {},
    setup: () => ({
      begin: () => ({
        kind: "form",
        fields: [
          { name: "username", label: "Username", type: "text", autocomplete: "username" },
          { name: "password", label: "Password", type: "password" },
        ],
      }),
      finish: ({ input, signal }) => {
        asked.push(input.username ?? "");
        return ask(input, signal);
      },
    }),
  });
  return { name, plugin, options: {}, asked };
}

/** A provider to which browsers are sent; `code` in the callback is who they are there. */
export function provider({ name = "provider", away = false } = {}): Configured<AuthPlugin> {
  const plugin = authPlugin({
    name: "provider",
    label: "the Provider",
    options: Type.Object({}),
    errors: {},
    setup: () => ({
      begin: ({ callbackUrl }) => {
        if (away) throw new HubError("LOGIN_UNAVAILABLE");
        const state = randomBytes(8).toString("hex");
        const query = new URLSearchParams({ state, redirect_uri: callbackUrl });
        return {
          kind: "redirect",
          url: `https://idp.test/authorize?${query}`,
          state: { verifier: `v-${state}` },
        };
      },
      finish: async ({ input, state }) => {
        if (state.verifier !== `v-${input.state}`) throw new HubError("LOGIN_STATE_INVALID");
        if (input.code === undefined) return undefined;
        return { issuer: "https://idp.test", subject: `sub-${input.code}`, name: input.code };
      },
    }),
  });
  return { name, plugin, options: {} };
}
