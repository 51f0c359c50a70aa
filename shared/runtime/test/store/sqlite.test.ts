import { storeConformance } from "../../src/store/conformance.ts";
import { sqliteStore } from "../../src/store/sqlite.ts";
import { silentLog } from "../fixtures/log.ts";

storeConformance("sqlite", async () => {
  const store = await sqliteStore({ file: ":memory:", log: silentLog });
  return { stores: [store], close: () => store.close() };
});
