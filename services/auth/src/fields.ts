/** All values of a field of a form or query, in order; empty when it is not there. */
export function fieldsOf(source: unknown, name: string): string[] {
  if (typeof source !== "object" || source === null || !Object.hasOwn(source, name)) return [];
  const value: unknown = Reflect.get(source, name);
  return (Array.isArray(value) ? value : [value]).filter((each) => typeof each === "string");
}

/** The one value of a field; undefined when it is not there, or there twice. */
export function textOf(source: unknown, name: string): string | undefined {
  const values = fieldsOf(source, name);
  return values.length === 1 ? values[0] : undefined;
}
