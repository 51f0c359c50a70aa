/** All values of a field of a query, in order; empty when it is not there. */
export function fieldsOf(source: unknown, name: string): string[] {
  if (typeof source !== "object" || source === null || !Object.hasOwn(source, name)) return [];
  const value: unknown = Reflect.get(source, name);
  return (Array.isArray(value) ? value : [value]).filter((each) => typeof each === "string");
}
