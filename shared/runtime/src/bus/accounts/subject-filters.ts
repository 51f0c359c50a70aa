import { events } from "@elara/contracts";

/** `hub.ev.v1.{entity}.{action}.{userId}.{objectId}`. */
const TOKENS = 7;
const ENTITY = 3;

/** Entities of the facts there are. */
const ENTITIES = [
  ...new Set(
    Object.values(events)
      .filter(({ kind }) => kind === "fact")
      .map(({ type }) => type.split(".", 1)[0] ?? ""),
  ),
];

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

const patternOf = (tokens: readonly string[]): string => tokens.join(".");

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

/** What both lists of patterns match. */
export function commonFilters(wish: readonly string[], allowed: readonly string[]): string[] {
  const [left, right] = [wish, allowed].map((list) =>
    list.flatMap((pattern) => {
      const tokens = tokensOf(pattern);
      return tokens ? [tokens] : [];
    }),
  );
  return apart(
    (left ?? []).flatMap((a) =>
      (right ?? []).flatMap((b) => {
        const common = both(a, b);
        return common ? [common] : [];
      }),
    ),
  );
}

/** The same set in patterns of which no two match one subject: JetStream refuses others. Sorted. */
function apart(patterns: readonly string[][]): string[] {
  const plain = withoutCovered(patterns);
  const cross = plain.some((a, index) => plain.some((b, other) => other > index && both(a, b)));
  if (!cross) return plain.map(patternOf).sort();
  const spelled = plain.flatMap((tokens) =>
    tokens[ENTITY] === "*" ? ENTITIES.map((entity) => tokens.with(ENTITY, entity)) : [tokens],
  );
  return withoutCovered(spelled).map(patternOf).sort();
}

const withoutCovered = (patterns: readonly string[][]): string[][] =>
  patterns.filter(
    (pattern, index) =>
      !patterns.some(
        (other, at) => at !== index && covers(other, pattern) && (at < index || !covers(pattern, other)),
      ),
  );
