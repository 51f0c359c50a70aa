import { constants, copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { countKept, type KeptCount } from "@elara/auth";
import { codeOf, HubError } from "@elara/contracts";
import type { Store } from "@elara/runtime/store/store";
import { pino } from "pino";
import { Type } from "typebox";
import { Value } from "typebox/value";
import { askHub } from "./control-socket.ts";
import { cryptKeyNames, type Settings, sqliteFile, storeSettings } from "./settings.ts";

const log = pino({ level: "silent" });
const Counted = Type.Object({ all: Type.Integer(), closed: Type.Integer() });

/**
 * What is kept of log-ins, in words; `runs`: the hub runs beside this command. Throws AUTH_STATE_UNREADABLE for what the
 * keys configured now do not open.
 */
export async function keptNote(settings: Settings, runs: boolean): Promise<string> {
  const kids = cryptKeyNames(settings);
  const counted = await count(settings, kids, runs);
  if (!counted) return "not counted: the running hub keeps its database to itself, and did not answer";
  const { all, closed } = counted;
  if (closed === 0) return all === 0 ? "none" : `${all}, and the configured keys open all`;
  const none =
    kids.length === 0 ? "there is none; a start would make a new key, which opens none of them" : "";
  throw new HubError("AUTH_STATE_UNREADABLE", {
    operator: `${closed} of ${all} kept log-ins cannot be opened with the keys of secrets.cryptKey (JUPYTERHUB_CRYPT_KEY, crypt_key)${none && `: ${none}`}. Put the older key behind the new one, after a \`;\`, until the hub has encrypted them anew. Is it lost, their tokens reach no server and are not given back: those users log out and in again.`,
  });
}

/** Writes nothing: MongoDB is only asked, an embedded database copied. Undefined when the running hub holds it and says nothing. */
async function count(
  settings: Settings,
  kids: readonly string[],
  runs: boolean,
): Promise<KeptCount | undefined> {
  const { use, uri, database, file } = storeSettings(settings);
  if (use === "mongo") {
    const { mongoStore } = await import("@elara/runtime/store/mongo");
    return counting(await mongoStore({ uri, database, log, looksOnly: true }), kids);
  }
  try {
    const { body } = await askHub(settings.hub.dataDir, "/kept", { kids });
    return Value.Check(Counted, body) ? body : undefined;
  } catch (error) {
    if (codeOf(error) !== "HUB_NOT_RUNNING") throw error;
  }
  return runs ? undefined : countInCopy(sqliteFile(settings, file), kids);
}

/** SQLite leaves files beside a database of which it only reads. */
async function countInCopy(file: string, kids: readonly string[]): Promise<KeptCount> {
  if (!existsSync(file)) return { all: 0, closed: 0 };
  const scratch = mkdtempSync(join(tmpdir(), "elara-check-"));
  try {
    const copy = join(scratch, "copy.sqlite");
    for (const end of ["", "-wal"])
      if (existsSync(file + end)) copyFileSync(file + end, copy + end, constants.COPYFILE_FICLONE);
    const { sqliteStore } = await import("@elara/runtime/store/sqlite");
    return await counting(await sqliteStore({ file: copy, log }), kids);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function counting(store: Store, kids: readonly string[]): Promise<KeptCount> {
  try {
    return await countKept(store, kids);
  } finally {
    await store.close();
  }
}
