import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { backendNames, type Grounds, groundsMissing, openGrounds } from "../fixtures/backends/grounds.ts";
import { openStand, type Stand } from "../fixtures/backends/stand.ts";
import { noBrowser, openBrowser, photograph } from "../fixtures/browser.ts";
import { shapeMissing, shapes } from "../fixtures/hub.ts";
import { stopFromHome, workInLab } from "../fixtures/trials/lab.ts";

const missing = noBrowser() || groundsMissing(backendNames);
const shapeMissings = { alone: await shapeMissing("alone"), apart: await shapeMissing("apart") };

describe("a person works in JupyterLab on each backend, all of one hub", { skip: missing }, () => {
  let grounds: Grounds;
  before(async () => {
    if (!missing) grounds = await openGrounds(backendNames);
  });
  after(() => grounds?.close());

  for (const shape of shapes) {
    describe(shape, { skip: missing || shapeMissings[shape] }, () => {
      let stand: Stand;
      let browser: Browser;
      before(async () => {
        stand = await openStand({ shape, ...grounds });
        browser = await openBrowser();
      });
      after(async () => {
        await browser?.close();
        await stand?.close();
      });

      for (const name of backendNames) {
        test(`${name}: form, live steps, 42, stop`, { timeout: 240_000 }, async (t) => {
          const backend = grounds.backends.find((each) => each.name === name);
          assert.ok(backend);
          const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
          const page = await context.newPage();
          t.after(async () => {
            await photograph(page, `${shape}-${name}-last`);
            await context.close();
          });
          const { session, id, steps, readySeconds } = await workInLab(stand, page, backend);
          t.diagnostic(`${id}, ready after ${readySeconds.toFixed(1)} s, steps ${steps.join(" ")}`);
          for (const step of ["requested", "environment"])
            assert.ok(steps.includes(step), `${step} among the steps shown: ${steps.join(", ")}`);
          await photograph(page, `${shape}-${name}`);
          const { pid } = session.processes()[0] ?? { pid: 0 };
          await stopFromHome(stand, page, session);
          assert.deepEqual(session.processes(), [], `process ${pid} is gone`);
          assert.deepEqual(await backend.traces(stand.hub), [], "nothing is left at the backend");
        });
      }
    });
  }
});
