import { readFileSync, statSync } from "node:fs";
import { HubError } from "@elara/contracts";
import { type TSchema, Type } from "typebox";

/** Where a secret comes from: an environment variable or a file that only its owner can read. Never inline. */
export const SecretRef = Type.Union(
  [
    Type.Object({ env: Type.String({ minLength: 1 }) }, { additionalProperties: false }),
    Type.Object({ file: Type.String({ minLength: 1 }) }, { additionalProperties: false }),
  ],
  { description: "A secret: `{ env: NAME }` or `{ file: PATH }`." },
);
export type SecretRef = { env: string } | { file: string };

export const isSecretRef = (value: unknown): value is SecretRef =>
  typeof value === "object" && value !== null && ("env" in value || "file" in value);

/** Schemas mark a secret with `secret: true`; administrators write a reference there. */
export const isSecretSchema = (schema: TSchema): boolean => "secret" in schema && schema.secret === true;

/** Refuses a secret file that group or others can read or change. Throws CONFIG_SECRET_READABLE. */
export function assertPrivate(file: string): void {
  const { mode } = statSync(file);
  if ((mode & 0o077) !== 0) {
    throw new HubError("CONFIG_SECRET_READABLE", {
      operator: `${file} can be read by others (mode ${(mode & 0o777).toString(8)}). Run: chmod 600 ${file}. Make a new secret if somebody may have read it.`,
    });
  }
}

/** The secret's text without its last line break. Throws CONFIG_SECRET_MISSING or CONFIG_SECRET_READABLE; both name `path`. */
export function readSecret(reference: SecretRef, path: string): string {
  let text: string | undefined;
  if ("env" in reference) {
    text = process.env[reference.env];
    if (!text) {
      throw new HubError("CONFIG_SECRET_MISSING", {
        operator: `${path}: the environment variable ${reference.env} is not set.`,
      });
    }
    return text;
  }
  try {
    assertPrivate(reference.file);
    text = readFileSync(reference.file, "utf8").replace(/\r?\n$/, "");
  } catch (cause) {
    if (cause instanceof HubError) throw cause;
    throw new HubError("CONFIG_SECRET_MISSING", {
      operator: `${path}: the file ${reference.file} cannot be read.`,
      cause,
    });
  }
  if (!text)
    throw new HubError("CONFIG_SECRET_MISSING", {
      operator: `${path}: the file ${reference.file} is empty.`,
    });
  return text;
}
