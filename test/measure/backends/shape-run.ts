import type { Browser } from "playwright-core";
import type { Backend } from "../../fixtures/backends/backend.ts";
import type { Grounds } from "../../fixtures/backends/grounds.ts";
import { openStand, type Stand } from "../../fixtures/backends/stand.ts";
import { openBrowser } from "../../fixtures/browser.ts";
import type { Shape } from "../../fixtures/hub.ts";
import { cancelStart } from "../../fixtures/trials/cancel.ts";
import { tellCause } from "../../fixtures/trials/cause.ts";
import { CULLER, cullIdle } from "../../fixtures/trials/culling.ts";
import { workInLab } from "../../fixtures/trials/lab.ts";
import { findWithoutHandle } from "../../fixtures/trials/lost-handle.ts";
import { surviveOutage } from "../../fixtures/trials/outage.ts";
import { outcomeOf, told } from "../../fixtures/trials/outcome.ts";
import { surviveRestart } from "../../fixtures/trials/restart.ts";
import { type Running, runningIn } from "../../fixtures/trials/running.ts";
import { watchSecrets } from "./secrets.ts";
import type { Column, Table } from "./table.ts";

type Put = (backend: Backend, column: Column, outcome: { ok: boolean; text: string }) => void;

/** All trials of the table in one shape. What fails on one backend, or in one trial, hides no other. */
export async function runShape(given: {
  readonly shape: Shape;
  readonly grounds: Grounds;
  readonly table: Table;
  readonly say: (line: string) => void;
}): Promise<{ secrets: { ok: boolean; text: string } }> {
  const { shape, grounds, table, say } = given;
  const put: Put = (backend, column, outcome) => table.put(shape, backend.name, column, outcome);
  const stand = await openStand({ shape, ...grounds });
  let secrets = { ok: false, text: "not reached" };
  try {
    const watch = await watchSecrets(grounds.backends);
    const browser = await openBrowser();
    const running: Running[] = [];
    try {
      for (const backend of grounds.backends) await person(stand, browser, backend, { put, running, watch });
    } finally {
      await browser.close();
      secrets = await watch.end(stand.hub);
    }
    say(`${secrets.ok ? "ok  " : "FAIL"}  ${shape.padEnd(5)}  secrets  ${secrets.text}`);
    const putAll = (column: Column, outcomes: readonly { ok: boolean; text: string }[]): void =>
      running.forEach(({ backend }, index) => {
        const outcome = outcomes[index];
        if (outcome) put(backend, column, outcome);
      });
    putAll("restart survived", await surviveRestart(stand, running));
    putAll("outage survived", await surviveOutage(stand, running));
    await Promise.all(
      running.map(async ({ session, close }) => {
        close();
        await outcomeOf(async () => {
          await session.stop();
          await session.gone();
          return "";
        });
      }),
    );
    const causes = grounds.backends.map(async (backend) =>
      put(backend, "cause told", await outcomeOf(() => tellCause(stand, backend))),
    );
    for (const backend of grounds.backends)
      put(backend, "cancelled", await outcomeOf(() => cancelStart(stand, backend)));
    await Promise.all(causes);
    for (const backend of grounds.backends)
      put(backend, "found without handle", await outcomeOf(() => findWithoutHandle(stand, backend)));
  } finally {
    await stand.close();
  }
  await culling(shape, grounds, put);
  return { secrets };
}

/** A person's way through the browser; the session goes on for what follows. */
async function person(
  stand: Stand,
  browser: Browser,
  backend: Backend,
  to: { put: Put; running: Running[]; watch: Awaited<ReturnType<typeof watchSecrets>> },
): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
  try {
    const work = await workInLab(stand, await context.newPage(), backend);
    to.put(backend, "JupyterLab ready", { ok: true, text: `${work.readySeconds.toFixed(1)} s, ${work.id}` });
    to.put(backend, "kernel ran", { ok: true, text: `42 after ${work.kernelSeconds.toFixed(1)} s` });
    await to.watch.add(backend, work.session, work.id);
    to.running.push(await runningIn(stand, backend, work.session));
  } catch (error) {
    to.put(backend, "JupyterLab ready", { ok: false, text: told(error) });
  } finally {
    await context.close();
  }
}

/** Has a hub of its own: the policy would end the sessions of the other trials. */
async function culling(shape: Shape, grounds: Grounds, put: Put): Promise<void> {
  const config = { ...grounds.config, culler: CULLER };
  const stand = await openStand({ shape, ...grounds, config });
  try {
    const outcomes = await cullIdle(stand);
    grounds.backends.forEach((backend, index) => {
      const outcome = outcomes[index];
      if (outcome) put(backend, "culled", outcome);
    });
  } finally {
    await stand.close();
  }
}
