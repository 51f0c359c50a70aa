import { natsBus } from "../../src/bus/nats.ts";
import { silentLog as log } from "../fixtures/log.ts";
import { weigh } from "./weigh.ts";

// A replica that takes orders and tells its parent which, to be stopped and continued: node stalled-replier.ts NATS
const [, , server = ""] = process.argv;
const bus = await natsBus({ servers: [server], log, name: "replier" });
bus.reply(weigh, async ({ n }) => {
  process.send?.(n);
  return { n };
});
