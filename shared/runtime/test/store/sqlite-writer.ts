import { pino } from "pino";
import { probe, probeCollection } from "../../src/store/conformance/probe.ts";
import { sqliteStore } from "../../src/store/sqlite.ts";

/** Writes for ever to the file given and prints each id once its write was answered. Started by tests, ended by kill -9. */
const [file = "", name = "", from = "0"] = process.argv.slice(2);
const store = await sqliteStore({ file, log: pino({ level: "silent" }) });
const probes = store.collection({ ...probeCollection(), name });

async function write(id: string): Promise<void> {
  await probes.insert(probe({ _id: id }));
  await probes.patch(id, 1, { set: { size: 1 } });
  process.stdout.write(`${id}\n`);
}

for (let n = Number(from); ; n += 10)
  await Promise.all(Array.from({ length: 10 }, (_, step) => write(`i${n + step}`)));
