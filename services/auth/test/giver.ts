import { type ProviderOptions, provider } from "./authenticators.ts";
import { type Stand, until } from "./stand.ts";

/** A provider that notes what it got back; `fails` says how often it refuses before that. */
export function giver({ fails = 0, ...more }: { fails?: number } & ProviderOptions = {}) {
  const calls: string[] = [];
  const returned: string[] = [];
  let left = fails;
  const way = provider({
    ...more,
    logout: async (token) => {
      calls.push(token);
      if (left-- > 0) throw new Error("provider away");
      returned.push(token);
    },
  });
  return { way, calls, returned };
}

export const isReturned = (what: { returned: string[] }, count = 1) =>
  until("the tokens are given back", () => what.returned.length >= count || undefined);
export const isEmpty = (stand: Stand) =>
  until("nothing is kept", async () => (await stand.records.authStates.count()) === 0 || undefined);
