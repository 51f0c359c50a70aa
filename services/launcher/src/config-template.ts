import { configSchema, isSection } from "@elara/runtime/config/schema";
import { isSecretSchema } from "@elara/runtime/config/secret";
import type { ServiceDefinition } from "@elara/runtime/service";
import type { TSchema } from "typebox";

const WIDTH = 110;

const descriptionOf = (schema: TSchema): string =>
  "description" in schema && typeof schema.description === "string" ? schema.description : "";

/** A comment, wrapped. */
function comment(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line && indent.length + line.length + word.length > WIDTH - 4) {
      lines.push(line);
      line = "";
    }
    line = line ? `${line} ${word}` : word;
  }
  if (line) lines.push(line);
  return lines.map((part) => `${indent}// ${part}`);
}

/** A JavaScript literal, keys unquoted where they may be. */
export function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const parts = Object.entries(value).map(
    ([key, part]) => `${/^[A-Za-z_]\w*$/.test(key) ? key : JSON.stringify(key)}: ${literal(part)}`,
  );
  return parts.length > 0 ? `{ ${parts.join(", ")} }` : "{}";
}

const EXAMPLES: Readonly<Record<string, string>> = {
  tls: '{ certificate: "/etc/elara/tls/certificate.pem", key: "/etc/elara/tls/key.pem" }',
  authenticators: '["pam"]',
  spawners:
    '["local", { use: "docker", options: { images: ["quay.io/jupyter/base-notebook"] }, clocks: { submitSeconds: 600 } }]',
  profiles:
    '[{ slug: "large", title: "Large", spawner: "docker", options: { memory: "16G" }, fields: { image: true } }]',
};

/** Whether it makes no sense as it stands: it is left out, or somebody fills it in. */
const isToFill = (schema: TSchema): boolean =>
  isSection(schema) &&
  Object.entries(schema.properties).some(
    ([key, property]) => schema.required?.includes(key) && !("default" in property) && !isSection(property),
  );

function entry(key: string, schema: TSchema, indent: string): string[] {
  const lines = comment(descriptionOf(schema), indent);
  if (isToFill(schema)) {
    lines.push(`${indent}// e.g. ${key}: ${EXAMPLES[key] ?? "{ … }"},`);
  } else if (isSection(schema)) {
    lines.push(`${indent}${key}: {`);
    for (const [name, property] of Object.entries(schema.properties))
      lines.push(...entry(name, property, `${indent}  `));
    lines.push(`${indent}},`);
  } else if (isSecretSchema(schema)) {
    lines.push(`${indent}// ${key}: { file: "/etc/elara/${key}" },`);
  } else {
    const value = "default" in schema ? literal(schema.default) : undefined;
    lines.push(value === undefined ? `${indent}// ${key}: …,` : `${indent}${key}: ${value},`);
    if (EXAMPLES[key]) lines.push(`${indent}// e.g. ${key}: ${EXAMPLES[key]},`);
  }
  return lines;
}

/** `elara.config.ts` with every option, its default and meaning, from the schemas. */
export function configTemplate(services: readonly ServiceDefinition[]): string {
  const schema = configSchema(services);
  const body: string[] = [];
  for (const [key, section] of Object.entries<TSchema>(schema.properties))
    body.push("", ...entry(key, section, "  "));
  return [
    "// Configuration of Elara. Every option stands here with its default; what you delete keeps its default.",
    '// Secrets are never written here: give them as { env: "NAME" } or { file: "/path" }, the file with mode 600.',
    "// `elara check` tells what is wrong; `elara plugins` lists the options of authenticators and spawners.",
    'import { defineConfig } from "@elara/launcher";',
    "",
    "export default defineConfig({",
    ...body.slice(1),
    "});",
    "",
  ].join("\n");
}
