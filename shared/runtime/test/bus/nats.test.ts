// @boundaries-ignore the real program is started by the fixture that all rooms share
import { natsMissing, startNats } from "../../../../test/fixtures/nats.ts";
import { busConformance } from "../../src/bus/conformance.ts";
import { natsBus } from "../../src/bus/nats.ts";
import { silentLog } from "../fixtures/log.ts";

busConformance(
  "nats",
  async () => {
    const server = await startNats();
    return {
      connect: () => natsBus({ servers: [server.address], log: silentLog, name: "suite" }),
      down: () => server.kill(),
      up: () => server.restart(),
      close: () => server.close(),
    };
  },
  await natsMissing(),
);
