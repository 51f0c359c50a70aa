import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { CloudEvent, dataSchema, type EventContract, events } from "./events.ts";

const folder = new URL("../schemas/", import.meta.url);
const DIALECT = "https://json-schema.org/draft/2020-12/schema";

/** JSON Schemas for subscribers in other languages, by file name: of each fact's data, and of the envelope. */
export function schemaFiles(): Map<string, string> {
  const all: readonly EventContract[] = Object.values(events);
  const facts = all.filter(({ kind }) => kind === "fact");
  const text = (id: string, title: string, description: string, schema: object): string =>
    `${JSON.stringify({ $schema: DIALECT, $id: id, title, description, ...schema }, null, 2)}\n`;
  return new Map([
    [
      "cloud-event.json",
      text(
        "urn:elara:schema:cloud-event",
        "CloudEvent",
        "The envelope of every event; `dataschema` names the schema of `data`. Streams add `sequence`, the position.",
        CloudEvent,
      ),
    ],
    ...facts.map((fact): [string, string] => [
      `${fact.type}.v1.json`,
      text(dataSchema(fact), fact.type, fact.summary, fact.data),
    ]),
  ]);
}

/** The files as they are. */
export async function schemaFilesOnDisk(): Promise<Map<string, string>> {
  const names = await readdir(folder);
  return new Map(
    await Promise.all(
      names.map(
        async (name): Promise<[string, string]> => [name, await readFile(new URL(name, folder), "utf8")],
      ),
    ),
  );
}

/** Writes them; a file that belongs to no event goes. */
export async function writeSchemaFiles(): Promise<void> {
  const wanted = schemaFiles();
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) if (!wanted.has(name)) await rm(new URL(name, folder));
  for (const [name, text] of wanted) await writeFile(new URL(name, folder), text);
}
