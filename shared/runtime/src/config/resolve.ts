import { dirname, resolve } from "node:path";
import type { TSchema } from "typebox";
import { isList, isSection } from "./schema.ts";
import { isSecretRef, isSecretSchema, readSecret, type SecretRef } from "./secret.ts";

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `written` with every default of the schema filled in; secrets stay references. */
export function withDefaults(schema: TSchema, written: unknown): unknown {
  if (isList(schema) && Array.isArray(written))
    return written.map((entry) => withDefaults(schema.items, entry));
  if (!isSection(schema)) {
    if (written !== undefined || !("default" in schema)) return written;
    return structuredClone(schema.default);
  }
  const given = isRecord(written) ? written : {};
  const filled: Record<string, unknown> = {};
  for (const [key, property] of Object.entries(schema.properties)) {
    // To leave an optional section out says something else than to write it empty.
    if (given[key] === undefined && isSection(property) && !schema.required?.includes(key)) continue;
    const value = withDefaults(property, given[key]);
    if (value !== undefined) filled[key] = value;
  }
  return filled;
}

/** `{ file }` relative to the configuration's folder. */
const anchored = (reference: SecretRef, file: string): SecretRef =>
  "file" in reference ? { file: resolve(dirname(file), reference.file) } : reference;

/** Replaces every secret's reference by its text. Throws CONFIG_SECRET_MISSING or CONFIG_SECRET_READABLE with the path. */
export function withSecrets(schema: TSchema, value: unknown, configFile: string, path: string): unknown {
  if (isSecretSchema(schema) && isSecretRef(value)) return readSecret(anchored(value, configFile), path);
  if (isList(schema) && Array.isArray(value))
    return value.map((entry, at) => withSecrets(schema.items, entry, configFile, `${path}[${at}]`));
  if (!isSection(schema) || !isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => {
      const property = schema.properties[key];
      return [key, property ? withSecrets(property, part, configFile, path ? `${path}.${key}` : key) : part];
    }),
  );
}
