// @boundaries-ignore the real program is started by the fixture that all rooms share
import { mongoMissing, startMongo } from "../../../../test/fixtures/mongo.ts";
import { storeConformance } from "../../src/store/conformance.ts";
import { mongoStore } from "../../src/store/mongo.ts";
import { silentLog } from "../fixtures/log.ts";

const skip = await mongoMissing();

storeConformance(
  "mongo",
  async () => {
    const mongo = await startMongo();
    const open = () => mongoStore({ uri: mongo.uri, database: mongo.database, log: silentLog });
    const stores = [await open(), await open()] as const;
    const close = async () => {
      await Promise.all(stores.map((store) => store.close()));
      await mongo.close();
    };
    return { stores, close };
  },
  { skip },
);
