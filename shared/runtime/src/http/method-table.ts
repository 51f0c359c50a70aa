/** Which methods a path has, to tell 405 from 404. Filled as routes are registered. */
export interface MethodTable {
  add(pattern: string, methods: readonly string[]): void;
  /** Methods registered for the path (no query), sorted; empty when nothing is there. Patterns may be left out. */
  methodsFor(path: string, counts?: (pattern: string) => boolean): string[];
}

interface Row {
  readonly pattern: string;
  readonly regex: RegExp;
  readonly isWildcard: boolean;
  readonly methods: Set<string>;
}

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** `:name` matches within one segment, a final `*` anything. */
function regexOf(pattern: string): RegExp {
  const parts = pattern.split(/(:[A-Za-z0-9_]+|\*)/);
  const source = parts.map((part) => (part === "*" ? ".*" : part.startsWith(":") ? "[^/]*" : literal(part)));
  return new RegExp(`^${source.join("")}$`);
}

export function methodTable(): MethodTable {
  const rows = new Map<string, Row>();
  return {
    add(pattern, methods) {
      const row = rows.get(pattern) ?? {
        pattern,
        regex: regexOf(pattern),
        isWildcard: pattern.endsWith("*"),
        methods: new Set<string>(),
      };
      for (const method of methods) row.methods.add(method);
      rows.set(pattern, row);
    },
    methodsFor(path, counts = () => true) {
      const matching = [...rows.values()].filter((row) => counts(row.pattern) && row.regex.test(path));
      const exact = matching.filter((row) => !row.isWildcard);
      // Nothing but catch-alls: the closest one speaks for the path.
      const closest = matching.reduce<Row[]>(
        (best, row) => (best[0] && best[0].pattern.length >= row.pattern.length ? best : [row]),
        [],
      );
      const methods = new Set((exact.length > 0 ? exact : closest).flatMap((row) => [...row.methods]));
      return [...methods].sort();
    },
  };
}
