import type { Collection, FieldType } from "@elara/contracts";
import type { TSchema } from "typebox";

/** A queryable field of one collection; `_id` is one of type string. */
export interface Field {
  readonly path: string;
  readonly type: FieldType;
}

/** How a field's path is split: dots go through fixed objects. */
export const segments = (path: string): string[] => path.split(".");

/** A declared field by its path, `_id` included; undefined when it is not declared. */
export function fieldOf(declaration: Collection, path: string): Field | undefined {
  if (path === "_id") return { path, type: "string" };
  const type = Object.hasOwn(declaration.fields, path) ? declaration.fields[path] : undefined;
  return type && { path, type };
}

/** Throws when a declaration breaks the store's rules. A programmer's fault: it shows at the first start. */
export function checkDeclaration(declaration: Collection): void {
  const wrong = (what: string) => new TypeError(`collection "${declaration.name}": ${what}`);
  if (!/^[a-z][a-z_]{0,40}$/.test(declaration.name))
    throw wrong("a name is lower-case letters and underscores");
  for (const [path, type] of Object.entries(declaration.fields)) {
    if (path === "_id" || path === "rev") throw wrong(`field "${path}" needs no declaration`);
    if (!/^[A-Za-z][A-Za-z0-9]*(\.[A-Za-z][A-Za-z0-9]*)*$/.test(path))
      throw wrong(`field "${path}" is no path`);
    const fault = faultOf(declaration.schema, segments(path), type);
    if (fault) throw wrong(`field "${path}" ${fault}`);
  }
  for (const index of declaration.indexes) {
    if (index.fields.length === 0) throw wrong("an index without fields");
    for (const path of index.fields) {
      const field = fieldOf(declaration, path);
      if (!field) throw wrong(`index field "${path}" is not declared`);
      if (field.type === "strings") throw wrong(`an index on the list "${path}"`);
    }
    if (!index.unique && index.fields.at(-1) !== "_id")
      throw wrong(`index ${index.fields} does not end in _id`);
  }
}

const has = (schema: unknown, key: string): boolean =>
  typeof schema === "object" && schema !== null && key in schema;

/** What is wrong with a declared path in the schema: it must be required all the way, and of the declared type. */
function faultOf(schema: TSchema, path: readonly string[], type: FieldType): string | undefined {
  let at: unknown = schema;
  for (const name of path) {
    if (!isObjectSchema(at)) return "does not go through fixed objects";
    if (!at.required?.includes(name)) return "is not required by the schema";
    at = at.properties[name];
  }
  const types = new Set(alternatives(at).map(jsonType));
  const expected = {
    string: "string",
    time: "time",
    number: "integer",
    boolean: "boolean",
    strings: "strings",
  };
  if (type === "string" && types.size === 1 && types.has("time")) return undefined;
  return types.size === 1 && types.has(expected[type]) ? undefined : `is no ${expected[type]} in the schema`;
}

interface ObjectSchema {
  readonly properties: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
}
const isObjectSchema = (schema: unknown): schema is ObjectSchema => has(schema, "properties");

const alternatives = (schema: unknown): unknown[] =>
  typeof schema === "object" && schema !== null && "anyOf" in schema && Array.isArray(schema.anyOf)
    ? schema.anyOf
    : [schema];

/** The one store type of a schema without alternatives. Numbers are integers: fractions compare differently when printed. */
function jsonType(schema: unknown): string {
  if (typeof schema !== "object" || schema === null) return "nothing";
  if ("const" in schema) return typeof schema.const === "number" ? "integer" : typeof schema.const;
  const type = "type" in schema && typeof schema.type === "string" ? schema.type : "nothing";
  if (type === "string")
    return "pattern" in schema && String(schema.pattern).includes("T\\d\\d:") ? "time" : type;
  if (type !== "array") return type;
  return "items" in schema && jsonType(schema.items) === "string" ? "strings" : type;
}
