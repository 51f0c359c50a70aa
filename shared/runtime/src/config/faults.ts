import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { Settings } from "typebox/system";
import { nearest } from "./nearest.ts";

// TypeBox stops at eight faults unless told otherwise; an administrator wants all of them at once.
Settings.Set({ maxErrors: 1000 });

/** One fault of a configuration or of options: where, and what to do. */
export interface Fault {
  /** Dotted path, `network.port`, `spawners[0].options.python`. */
  readonly path: string;
  readonly message: string;
}

interface Issue {
  readonly keyword: string;
  readonly instancePath: string;
  readonly schemaPath: string;
  readonly message: string;
  readonly params: object;
}

const dotted = (prefix: string, pointer: string): string => {
  const parts = pointer.split("/").slice(1);
  let path = prefix;
  for (const part of parts) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    path += /^\d+$/.test(key) ? `[${key}]` : path === "" ? key : `.${key}`;
  }
  return path;
};

/** The value and the (object) schema found at a JSON pointer. */
function at(
  schema: TSchema,
  value: unknown,
  pointer: string,
): { schema: TSchema | undefined; value: unknown } {
  let here: TSchema | undefined = schema;
  let found: unknown = value;
  for (const part of pointer.split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    const shape: { properties?: Record<string, TSchema>; items?: TSchema } = here ?? {};
    here = shape.properties?.[key] ?? shape.items;
    found = typeof found === "object" && found !== null ? Reflect.get(found, key) : undefined;
  }
  return { schema: here, value: found };
}

const show = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
};

const propertyNames = (schema: TSchema | undefined): string[] => {
  const shape: { properties?: Record<string, unknown> } = schema ?? {};
  return Object.keys(shape.properties ?? {});
};

/** What is meant, behind a pattern that few can read. */
const described = (schema: TSchema | undefined): string => {
  const { description }: { description?: string } = schema ?? {};
  return description ? `. ${description}` : "";
};

const choices = (schema: TSchema | undefined): string => {
  const shape: { anyOf?: { const?: unknown; type?: string }[] } = schema ?? {};
  return (shape.anyOf ?? [])
    .map((part) => ("const" in part ? JSON.stringify(part.const) : part.type))
    .join(" or ");
};

function sentence(issue: Issue, schema: TSchema, value: unknown): string {
  const here = at(schema, value, issue.instancePath);
  const params: { type?: string; allowedValues?: unknown[]; limit?: number; pattern?: string } = issue.params;
  switch (issue.keyword) {
    case "type":
      return `must be ${params.type ?? issue.message}, got ${show(here.value)}`;
    case "minimum":
    case "maximum":
    case "minLength":
    case "maxLength":
      return `${issue.message}, got ${show(here.value)}`;
    case "pattern":
      return `does not match ${String(params.pattern ?? "the pattern")}, got ${show(here.value)}${described(here.schema)}`;
    case "enum":
      return params.allowedValues?.length
        ? `must be one of ${params.allowedValues.map((allowed) => JSON.stringify(allowed)).join(", ")}, got ${show(here.value)}`
        : `has nothing to choose from now, got ${show(here.value)}`;
    case "anyOf":
      return `must be ${choices(here.schema)}, got ${show(here.value)}`;
    default:
      return `${issue.message}, got ${show(here.value)}`;
  }
}

/** Every fault of `value`, all at once, each with its path and what would be right; secrets are not shown. */
export function faultsOf(schema: TSchema, value: unknown, prefix = ""): Fault[] {
  const faults: Fault[] = [];
  const seen = new Set<string>();
  const add = (path: string, message: string) => {
    if (seen.has(path)) return;
    seen.add(path);
    faults.push({ path, message });
  };
  const issues: Issue[] = [...Compile(schema).Errors(value)];
  for (const issue of issues) {
    const path = dotted(prefix, issue.instancePath);
    if (issue.keyword === "additionalProperties") {
      const known = propertyNames(at(schema, value, issue.instancePath).schema);
      const params: { additionalProperties?: string[] } = issue.params;
      for (const key of params.additionalProperties ?? []) {
        const meant = nearest(key, known);
        const hint = meant ? `did you mean \`${meant}\`?` : `known here: ${known.join(", ")}`;
        add(path ? `${path}.${key}` : key, `unknown key; ${hint}`);
      }
    } else if (issue.keyword === "required") {
      const params: { requiredProperties?: string[] } = issue.params;
      for (const key of params.requiredProperties ?? []) add(path ? `${path}.${key}` : key, "is missing");
    } else if (issue.keyword !== "boolean" && issue.keyword !== "const") {
      const { schema: here, value: got } = at(schema, value, issue.instancePath);
      const secret = here !== undefined && "secret" in here;
      if (secret && typeof got === "string")
        add(path, "is a secret: give it as { env: NAME } or { file: PATH }, never inline");
      else if (secret) add(path, "must be { env: NAME } or { file: PATH }");
      else add(path || "(root)", sentence(issue, schema, value));
    }
  }
  return faults;
}
