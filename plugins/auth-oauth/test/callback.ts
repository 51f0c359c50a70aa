import { walkAs } from "@elara/beds/providers/walk";
import type { LoginInput, RedirectStart } from "@elara/sdk/testing";

export const CALLBACK = "http://127.0.0.1:8000/hub/oauth_callback/test";

/** What a browser of this person brings back from a stand-in. */
export const backAs =
  (person: string, { deny = false } = {}) =>
  async ({ url }: Pick<RedirectStart, "url">): Promise<LoginInput> =>
    Object.fromEntries(new URL(await walkAs(url, person, { deny })).searchParams);

/** Each a name of its own, the same as long as none before it goes: a stand-in does not tell tokens themselves. */
export const named = (tokens: readonly object[]): string[] => {
  const seen = new Map<string, number>();
  return tokens.map((token) => {
    const kind = JSON.stringify(token);
    const number = (seen.get(kind) ?? 0) + 1;
    seen.set(kind, number);
    return `${kind} ${number}`;
  });
};
