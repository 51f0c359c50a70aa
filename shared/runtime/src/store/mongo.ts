import { type Collection, HubError } from "@elara/contracts";
import type { MongoClient } from "mongodb";
import type { Logger } from "pino";
import { checkDeclaration } from "./declaration.ts";
import { type Call, callWithin, DEADLINE_MS } from "./mongo-call.ts";
import { mongoDocuments } from "./mongo-documents.ts";
import type { Documents, Store } from "./store.ts";

export interface MongoOptions {
  readonly uri: string;
  readonly database: string;
  readonly log: Logger;
  /** For who only reads: no collection and no index is made. Default: false. */
  readonly looksOnly?: boolean;
}

/** The store of many machines. Resolves also while MongoDB is away: calls then throw STORE_AWAY until it is back. */
export async function mongoStore({ uri, database, log, looksOnly }: MongoOptions): Promise<Store> {
  const driver = await import("mongodb");
  const client = clientFor(driver, uri);
  const db = client.db(database);
  const answered = callWithin(driver, log, () => performance.now());
  let connected: Promise<unknown> | undefined;
  /** The driver connects by itself but once: a client whose first try failed stays closed. So it is told to, until it works. */
  const call: Call = (attempt) =>
    answered(async (again) => {
      connected ??= client.connect();
      try {
        await connected;
      } catch (error) {
        connected = undefined;
        throw error;
      }
      return attempt(again);
    });
  const declared = new Map<string, Collection>();
  return {
    collection<C extends Collection>(declaration: C): Documents<C> {
      if ((declared.get(declaration.name) ?? declaration) !== declaration)
        throw new TypeError(`collection "${declaration.name}" is declared twice`);
      checkDeclaration(declaration);
      declared.set(declaration.name, declaration);
      return mongoDocuments(db, call, declaration, !looksOnly);
    },
    async ping() {
      await call(() => db.command({ ping: 1 }));
    },
    close: () => client.close(),
  };
}

function clientFor(driver: typeof import("mongodb"), uri: string): MongoClient {
  try {
    return new driver.MongoClient(uri, {
      appName: "elara",
      writeConcern: { w: "majority", journal: true, wtimeoutMS: DEADLINE_MS },
      readPreference: "primary",
      // The nonce in the document does it, also where the driver gives up.
      retryWrites: false,
      retryReads: false,
      serverSelectionTimeoutMS: DEADLINE_MS,
      connectTimeoutMS: DEADLINE_MS,
      socketTimeoutMS: DEADLINE_MS,
      waitQueueTimeoutMS: DEADLINE_MS,
      // How soon a lost connection is tried again.
      minHeartbeatFrequencyMS: 100,
      maxPoolSize: 50,
    });
  } catch (cause) {
    throw new HubError("CONFIG_INVALID", { cause, operator: "The MongoDB URI in `store` is not valid." });
  }
}
