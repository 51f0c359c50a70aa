import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { backendNames, type Grounds, groundsMissing, openGrounds } from "../fixtures/backends/grounds.ts";
import { openStand, type Stand } from "../fixtures/backends/stand.ts";
import { shapeMissing, shapes } from "../fixtures/hub.ts";
import { surviveOutage } from "../fixtures/trials/outage.ts";
import { type Outcome, outcomeOf } from "../fixtures/trials/outcome.ts";
import { surviveRestart } from "../fixtures/trials/restart.ts";
import { type Running, startRunning } from "../fixtures/trials/running.ts";

const missing = groundsMissing(backendNames);
const missingShapes = { alone: await shapeMissing("alone"), apart: await shapeMissing("apart") };

describe("sessions on six backends of one hub", { skip: missing }, () => {
  let grounds: Grounds;
  before(async () => {
    if (!missing) grounds = await openGrounds(backendNames);
  });
  after(() => grounds?.close());

  for (const shape of shapes) {
    describe(shape, { skip: missing || missingShapes[shape] }, () => {
      let stand: Stand;
      const running: Running[] = [];
      before(async () => {
        stand = await openStand({ shape, ...grounds });
        for (const backend of grounds.backends) running.push(await startRunning(stand, backend));
      });
      after(async () => {
        for (const { close } of running) close();
        await stand?.close();
      });
      const all = async (work: () => Promise<Outcome[]>, say: (line: string) => void): Promise<void> => {
        const outcomes = await work();
        for (const [index, { text }] of outcomes.entries()) say(`${running[index]?.backend.name}: ${text}`);
        assert.equal(outcomes.length, backendNames.length);
        assert.deepEqual(
          outcomes.filter(({ ok }) => !ok),
          [],
        );
      };

      test(
        "kill -9 of the spawn service leaves them as they are, with their kernels",
        {
          timeout: 240_000,
        },
        (t) =>
          all(
            () => surviveRestart(stand, running),
            (line) => t.diagnostic(line),
          ),
      );

      test(
        "engine, hosts and scheduler away: unknown with a reason, kept, found again",
        {
          timeout: 300_000,
        },
        (t) =>
          all(
            () => surviveOutage(stand, running),
            (line) => t.diagnostic(line),
          ),
      );

      test("a stop leaves nothing behind", { timeout: 120_000 }, async () => {
        const outcomes = await Promise.all(
          running.map(({ session, backend }) =>
            outcomeOf(async () => {
              await session.stop();
              await session.gone();
              assert.deepEqual(session.processes(), []);
              assert.deepEqual(await backend.traces(stand.hub), []);
              return "gone";
            }),
          ),
        );
        assert.deepEqual(
          outcomes.filter(({ ok }) => !ok),
          [],
        );
      });
    });
  }
});
