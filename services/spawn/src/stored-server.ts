import type { ServerKey, StoredServer } from "@elara/sdk";
import type { ServerDoc } from "./decision.ts";

type Handle = Record<string, unknown>;

/** The server as a plugin is asked for it by its tag. */
export const keyOf = (doc: ServerDoc): ServerKey => ({
  tag: doc.tag,
  user: { id: doc.userId, name: doc.userName },
  server: doc.name,
});

/** The server as a plugin is handed it; `handle` where it is not the stored one. */
export const storedServer = (doc: ServerDoc, handle: Handle = doc.handle): StoredServer<Handle> => ({
  ...keyOf(doc),
  handle,
  url: doc.url,
});
