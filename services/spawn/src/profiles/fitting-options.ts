import { type Fault, faultsOf } from "@elara/runtime/config/faults";
import type { SpawnerPlugin } from "@elara/sdk";
import { Value } from "typebox/value";

type Options = Record<string, unknown>;

/** Options with defaults filled in, also of entries of lists, and the first fault the plugin's schema finds. */
export function fittingOptions(
  { options: schema }: Pick<SpawnerPlugin, "options">,
  given: Options,
): { readonly options: Options; readonly fault?: Fault } {
  const options: unknown = Value.Default(schema, structuredClone(given));
  const [fault] = faultsOf(schema, options);
  return { options: isObject(options) ? options : {}, ...(fault && { fault }) };
}

const isObject = (value: unknown): value is Options =>
  typeof value === "object" && value !== null && !Array.isArray(value);
