/** `hub.ev.v1.{entity}.{action}.{userId}.{objectId}`. */
const TOKENS = 7;

/** Matches no event. No filter at all would match each. */
export const NO_EVENT: readonly string[] = ["hub.ev.v1.-.-.-.-"];

/** A pattern with its seven tokens, `>` written out; undefined when it can match no event, or is no pattern. */
function tokensOf(pattern: string): string[] | undefined {
  const tokens = pattern.split(".");
  if (tokens.at(-1) === ">") {
    tokens.pop();
    while (tokens.length < TOKENS) tokens.push("*");
  }
  const isWell = tokens.every((token) => token === "*" || /^[A-Za-z0-9_-]+$/.test(token));
  return tokens.length === TOKENS && isWell ? tokens : undefined;
}

const covers = (wide: readonly string[], narrow: readonly string[]): boolean =>
  wide.every((token, index) => token === "*" || token === narrow[index]);

function both(a: readonly string[], b: readonly string[]): string[] | undefined {
  const common: string[] = [];
  for (const [index, token] of a.entries()) {
    const other = b[index] ?? "";
    if (token !== "*" && other !== "*" && token !== other) return undefined;
    common.push(token === "*" ? other : token);
  }
  return common;
}

/** Whether it is a pattern that events can match. */
export const isEventPattern = (pattern: string): boolean => tokensOf(pattern) !== undefined;

/** What both lists of patterns match, none covered by another: JetStream refuses those. Sorted. */
export function commonFilters(wish: readonly string[], allowed: readonly string[]): string[] {
  const [left, right] = [wish, allowed].map((list) =>
    list.flatMap((pattern) => {
      const tokens = tokensOf(pattern);
      return tokens ? [tokens] : [];
    }),
  );
  return withoutCovered(
    (left ?? []).flatMap((a) =>
      (right ?? []).flatMap((b) => {
        const common = both(a, b);
        return common ? [common] : [];
      }),
    ),
  )
    .map((tokens) => tokens.join("."))
    .sort();
}

const withoutCovered = (patterns: readonly string[][]): string[][] =>
  patterns.filter(
    (pattern, index) =>
      !patterns.some(
        (other, at) => at !== index && covers(other, pattern) && (at < index || !covers(pattern, other)),
      ),
  );
