import { randomBytes } from "node:crypto";
import { HubError } from "@elara/contracts";
import type { Configured, ConfiguredAuthenticator } from "@elara/runtime/service";
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
  rules = {},
}: {
  name?: string;
  ask?: Ask;
  rules?: Rules;
} = {}): Configured<AuthPlugin> & Rules & { readonly asked: string[] } {
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
  return { name, plugin, options: {}, asked, ...rules };
}

type Rules = Pick<ConfiguredAuthenticator, "allowAll" | "allowedUsers" | "adminUsers">;

/** What a provider's log-in does otherwise than by default. */
export interface ProviderOptions {
  readonly name?: string;
  readonly away?: boolean;
  /** Who the holder of this code is, over the defaults; may throw. */
  readonly who?: (code: string) => Partial<AuthenticatedUser> | Promise<Partial<AuthenticatedUser>>;
  /** A token for each log-in is kept; `logout` gets it, and may throw. */
  readonly logout?: (token: string, signal: AbortSignal) => Promise<void>;
  /** The hub is told of the token before `who` is asked; `alone`: and not again in the answer. */
  readonly holds?: boolean | "alone";
  /** The token is kept. */
  readonly preSpawn?: (login: {
    readonly token: string;
    readonly userName: string;
  }) => Promise<Record<string, string>>;
  readonly rules?: Rules;
}

/** A provider to which browsers are sent; `code` in the callback is who they are there. */
export function provider({
  name = "provider",
  away = false,
  who,
  logout,
  holds = false,
  preSpawn,
  rules = {},
}: ProviderOptions = {}): ConfiguredAuthenticator & {
  /** How often somebody came back; whether another account was asked for; the tokens that were given. */
  readonly seen: { finished: number; others: boolean[]; readonly tokens: string[] };
} {
  const seen = { finished: 0, others: [] as boolean[], tokens: [] as string[] };
  const isKept = logout !== undefined || preSpawn !== undefined;
  const plugin = authPlugin({
    name: "provider",
    label: "the Provider",
    options: Type.Object({}),
    errors: {},
    setup: () => ({
      begin: ({ callbackUrl, otherAccount = false }) => {
        if (away) throw new HubError("LOGIN_UNAVAILABLE");
        seen.others.push(otherAccount);
        const state = randomBytes(8).toString("hex");
        const query = new URLSearchParams({ state, redirect_uri: callbackUrl });
        return {
          kind: "redirect",
          url: `https://idp.test/authorize?${query}`,
          state: { verifier: `v-${state}` },
        };
      },
      finish: async ({ input, state, hold }) => {
        seen.finished += 1;
        if (state.verifier !== `v-${input.state}`) throw new HubError("LOGIN_STATE_INVALID");
        if (input.code === undefined) return undefined;
        const token = `token-${randomBytes(8).toString("hex")}`;
        if (isKept) seen.tokens.push(token);
        if (holds) await hold?.({ access_token: token });
        return {
          issuer: "https://idp.test",
          subject: `sub-${input.code}`,
          name: input.code,
          ...(isKept && holds !== "alone" ? { authState: { access_token: token, of: input.code } } : {}),
          ...(await who?.(input.code)),
        };
      },
      ...(logout
        ? { logout: ({ authState, signal }) => logout(String(authState.access_token), signal) }
        : {}),
      ...(preSpawn
        ? {
            preSpawn: ({ authState, userName }) =>
              preSpawn({ token: String(authState.access_token), userName }),
          }
        : {}),
    }),
  });
  return { name, plugin, options: {}, seen, ...rules };
}
