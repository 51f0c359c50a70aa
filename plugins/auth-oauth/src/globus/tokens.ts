import type { AuthState } from "@elara/sdk";

/** A token as oauthenticator keeps it: absent attributes are null, as notebooks look for the keys. */
export interface ServiceToken {
  readonly access_token: string | null;
  readonly refresh_token: string | null;
  readonly expires_in: number | null;
  /** As globus_sdk has it: seconds since the epoch. */
  readonly expires_at_seconds: number | null;
  readonly resource_server: string;
  readonly scope: string | null;
  readonly token_type: string | null;
}

type Raw = Readonly<Record<string, unknown>>;

const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);
const othersIn = ({ other_tokens: others }: Raw): Raw[] =>
  Array.isArray(others) ? others.map((each: unknown) => ({ ...Object(each) })) : [];

/** Every token of an answer by its resource server: the answer's own one is that of Globus Auth. */
export function tokensByServer(answer: Raw, nowMs: number): Record<string, ServiceToken> {
  const tokens: Record<string, ServiceToken> = {};
  for (const raw of [...othersIn(answer), answer]) {
    const server = text(raw.resource_server);
    if (server === null) continue;
    const seconds = typeof raw.expires_in === "number" ? raw.expires_in : null;
    tokens[server] = {
      access_token: text(raw.access_token),
      refresh_token: text(raw.refresh_token),
      expires_in: seconds,
      expires_at_seconds: seconds === null ? null : Math.floor(nowMs / 1000) + seconds,
      resource_server: server,
      scope: text(raw.scope),
      token_type: text(raw.token_type),
    };
  }
  return tokens;
}

/** The tokens without those of some resource servers. */
export const withoutServers = (
  tokens: Readonly<Record<string, ServiceToken>>,
  excluded: readonly string[],
): Record<string, ServiceToken> =>
  Object.fromEntries(Object.entries(tokens).filter(([server]) => !excluded.includes(server)));

/** The answer without tokens of those resource servers: what a notebook may see of it. */
export function answerWithout(answer: Raw, excluded: readonly string[]): Raw {
  const isOut = (raw: Raw): boolean => excluded.includes(String(raw.resource_server));
  const { access_token: _, refresh_token: __, id_token: ___, ...bare } = answer;
  return {
    ...(isOut(answer) ? bare : answer),
    ...(answer.other_tokens === undefined
      ? {}
      : { other_tokens: othersIn(answer).filter((raw) => !isOut(raw)) }),
  };
}

/** Every access and refresh token the provider gave, each once: those of `tokens` and of the whole answer. */
export function allTokens({ tokens, token_response: answer }: AuthState): string[] {
  const raws: Raw[] = [
    ...Object.values(Object(tokens)).map((each: unknown) => ({ ...Object(each) })),
    { ...Object(answer) },
    ...othersIn({ ...Object(answer) }),
  ];
  const found = raws.flatMap((raw) => [text(raw.refresh_token), text(raw.access_token)]);
  return [...new Set(found.filter((token) => token !== null))];
}
