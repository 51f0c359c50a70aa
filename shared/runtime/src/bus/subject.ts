/** Whether a subject matches a pattern, as on NATS: `*` is one token, `>` at the end one or more. */
export function matchesSubject(pattern: readonly string[], subject: readonly string[]): boolean {
  const isOpen = pattern.at(-1) === ">";
  const fixed = isOpen ? pattern.slice(0, -1) : pattern;
  return (
    (isOpen ? subject.length > fixed.length : subject.length === fixed.length) &&
    fixed.every((token, index) => token === "*" || token === subject[index])
  );
}

/** Tells whether a subject matches one of the patterns. */
export function subjectMatcher(patterns: readonly string[]): (subject: string) => boolean {
  const split = patterns.map((pattern) => pattern.split("."));
  return (subject) => {
    const tokens = subject.split(".");
    return split.some((pattern) => matchesSubject(pattern, tokens));
  };
}
