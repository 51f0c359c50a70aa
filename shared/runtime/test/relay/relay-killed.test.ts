import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
// @boundaries-ignore the real program is started by the fixture that all rooms share
import { natsMissing, startNats } from "../../../../test/fixtures/nats.ts";
import { natsBus } from "../../src/bus/nats.ts";
import { EVENT_STREAM } from "../../src/bus/nats-stream.ts";
import { systemClock } from "../../src/clock.ts";
import { startRelay } from "../../src/relay.ts";
import { sqliteStore } from "../../src/store/sqlite.ts";
import { eventually } from "../fixtures/eventually.ts";
import { silentLog as log } from "../fixtures/log.ts";
import { Consumer, insertThing, things, waiting } from "./things.ts";

const skip = await natsMissing();
const RELAY = fileURLToPath(new URL("./killed-relay.ts", import.meta.url));
const DOCUMENTS = 300;
const EACH = 3;

it("a relay killed mid-way loses no event and stores none twice", { ...(skip && { skip }) }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "elara-relay-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const server = await startNats();
  t.after(() => server.close());
  const file = join(folder, "hub.sqlite");
  const before = await sqliteStore({ file, log });
  for (let n = 0; n < DOCUMENTS; n += 1) await insertThing(before.collection(things), `t${n}`, EACH);
  await before.close();
  const bus = await natsBus({ servers: [server.address], log, name: "test" });
  t.after(() => bus.close());
  const consumer = new Consumer();
  consumer.listen(bus);

  for (const share of [0.2, 0.5]) {
    const relay = spawn(process.execPath, [RELAY, file, server.address], { stdio: "ignore" });
    const gone = new Promise((resolve) => relay.once("exit", resolve));
    await eventually(() => consumer.taken > DOCUMENTS * EACH * share, `${share} of the events`);
    relay.kill("SIGKILL");
    await gone;
  }
  const store = await sqliteStore({ file, log });
  t.after(() => store.close());
  const documents = store.collection(things);
  assert.ok((await waiting(documents)) > 0, "it was killed mid-way");
  const relay = startRelay({ bus, documents: [documents], log, clock: systemClock });
  t.after(() => relay.close());
  await eventually(async () => (await waiting(documents)) === 0, "empty outboxes");
  await eventually(() => consumer.taken === DOCUMENTS * EACH, "all events");
  assert.deepEqual(consumer.gaps, []);

  const raw = await connect({ servers: server.address });
  t.after(() => raw.close());
  const { state } = await (await jetstreamManager(raw)).streams.info(EVENT_STREAM);
  assert.equal(state.messages, DOCUMENTS * EACH);
});
