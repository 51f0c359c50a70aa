import { HubError } from "@elara/contracts";
import type { Static, TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { MAX_MESSAGE_BYTES } from "./bus.ts";

interface Check {
  Check(value: unknown): boolean;
  Errors(value: unknown): { instancePath: string; message: string }[];
}

// Compiled on first use: a service uses few of all contracts.
const validators = new WeakMap<TSchema, Check>();

function validatorOf(schema: TSchema): Check {
  let validator = validators.get(schema);
  if (validator === undefined) {
    validator = Compile(schema);
    validators.set(schema, validator);
  }
  return validator;
}

const conforms = <S extends TSchema>(schema: S, value: unknown): value is Static<S> =>
  validatorOf(schema).Check(value);

/** The value, when it conforms; else BUS_MESSAGE_INVALID with the paths (never the values) that do not. */
export function checked<S extends TSchema>(schema: S, value: unknown, what: string): Static<S> {
  if (conforms(schema, value)) return value;
  const faults = validatorOf(schema)
    .Errors(value)
    .slice(0, 5)
    .map((fault) => `${fault.instancePath || "/"} ${fault.message}`);
  throw new HubError("BUS_MESSAGE_INVALID", { detail: { what, faults } });
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** JSON as bytes. Throws BUS_MESSAGE_TOO_LARGE above 256 KiB, BUS_MESSAGE_INVALID for what is no JSON. */
export function encode(value: unknown, what: string): Uint8Array {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new HubError("BUS_MESSAGE_INVALID", { detail: { what }, cause });
  }
  if (text === undefined) throw new HubError("BUS_MESSAGE_INVALID", { detail: { what } });
  const bytes = encoder.encode(text);
  if (bytes.length > MAX_MESSAGE_BYTES) {
    throw new HubError("BUS_MESSAGE_TOO_LARGE", { detail: { what, bytes: bytes.length } });
  }
  return bytes;
}

/** JSON from bytes, unchecked. Throws BUS_MESSAGE_INVALID. */
export function decode(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch (cause) {
    throw new HubError("BUS_MESSAGE_INVALID", { detail: { what }, cause });
  }
}
