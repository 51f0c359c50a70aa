import { natsBus } from "../../src/bus/nats.ts";
import { systemClock } from "../../src/clock.ts";
import { startRelay } from "../../src/relay.ts";
import { sqliteStore } from "../../src/store/sqlite.ts";
import { silentLog as log } from "../fixtures/log.ts";
import { things } from "./things.ts";

// A process with a relay, to be killed: node killed-relay.ts FILE NATS
const [, , file = "", server = ""] = process.argv;
const bus = await natsBus({ servers: [server], log, name: "relay" });
const store = await sqliteStore({ file, log });
startRelay({ bus, documents: [store.collection(things)], log, clock: systemClock });
