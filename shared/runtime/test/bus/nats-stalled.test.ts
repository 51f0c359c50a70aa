import { strict as assert } from "node:assert";
import { fork } from "node:child_process";
import { it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
// @boundaries-ignore the real program is started by the fixture that all rooms share
import { natsMissing, startNats } from "../../../../test/fixtures/nats.ts";
import { natsBus } from "../../src/bus/nats.ts";
import { eventually } from "../fixtures/eventually.ts";
import { silentLog as log } from "../fixtures/log.ts";
import { weigh } from "./weigh.ts";

const skip = await natsMissing();
const REPLIER = fileURLToPath(new URL("./stalled-replier.ts", import.meta.url));
/** Three tries of each are about 12 MB: what the socket holds and what still waits at the server. */
const HEAVY = "x".repeat(200_000);
const ABANDONED = Array.from({ length: 20 }, (_, n) => 100 + n);

async function bench(t: TestContext) {
  const server = await startNats();
  t.after(() => server.close());
  const bus = await natsBus({ servers: [server.address], log, name: "caller" });
  t.after(() => bus.close());
  const handled: number[] = [];
  const replier = fork(REPLIER, [server.address], { stdio: "ignore" });
  replier.on("message", (n) => handled.push(Number(n)));
  t.after(async () => {
    const gone = new Promise((resolve) => replier.once("exit", resolve));
    replier.kill("SIGKILL");
    await gone;
  });
  const order = (n: number, ballast = "") => bus.request(weigh, { n, ballast });
  const isAnswered = (n: number) =>
    order(n).then(
      () => true,
      () => false,
    );
  await eventually(() => isAnswered(1), "the replier takes orders", 20_000);
  return { order, isAnswered, handled, replier };
}

it("a replica that stood does not carry out what its callers gave up", {
  ...(skip && { skip }),
}, async (t) => {
  const { order, isAnswered, handled, replier } = await bench(t);
  replier.kill("SIGSTOP");
  const outcomes = await Promise.allSettled(ABANDONED.map((n) => order(n, HEAVY)));
  for (const outcome of outcomes) {
    assert.equal(outcome.status, "rejected");
    assert.equal(outcome.reason.code, "BUS_TIMEOUT");
  }
  replier.kill("SIGCONT");
  await eventually(() => isAnswered(2), "it takes orders again", 20_000);
  assert.deepEqual(
    handled.filter((n) => n >= 100),
    [],
  );
});

it("an order that came while it stood is answered by a repetition", { ...(skip && { skip }) }, async (t) => {
  const { order, replier } = await bench(t);
  replier.kill("SIGSTOP");
  const stood = performance.now();
  await eventually(() => performance.now() - stood > 1300, "it stood for more than a second");
  const answer = order(3);
  replier.kill("SIGCONT");
  assert.deepEqual(await answer, { n: 3 });
});
