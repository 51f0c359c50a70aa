import { setTimeout as sleep } from "node:timers/promises";
import type { Backend, Trace } from "../fixtures/backends/backend.ts";
import type { Stand } from "../fixtures/backends/stand.ts";
import { hasHandle, readLedger } from "../fixtures/ledger.ts";
import { seeded } from "../fixtures/random.ts";
import { secondsSince, told } from "../fixtures/trials/outcome.ts";
import { until } from "../fixtures/until.ts";

/** Where a start was when its hub was killed, by what ledger and backend hold together. */
export type Moment = "no order kept" | "before submit" | "between submit and save" | "handle stored";

/** One kill -9 of the spawn service. */
export interface SubmitRound {
  readonly ok: boolean;
  readonly moment: Moment;
  readonly killedMs: number;
  /** What the session is called at its backend, or why the round fell short. */
  readonly text: string;
}

interface Rounds {
  readonly rounds: number;
  readonly seed: number;
  /** Kills that must fall between submit and save; those that are still missing are aimed at what the backend shows. */
  readonly between: number;
  say(line: string): void;
}

/** Starts that tell how long it takes from the order to the stored handle; kills are spread over that time. */
const SAMPLES = 3;
/** After a start is whole again, a second server that an old call made would show itself. */
const LATE_MS = 1_500;

/**
 * kill -9 of the spawn service at moments uniform between order and stored handle, on one backend. After each the start must
 * come to one server, or to none with nothing left behind: never two, never one without an owner.
 */
export async function submitRounds(
  stand: Stand,
  backend: Backend,
  { rounds, seed, between, say }: Rounds,
): Promise<SubmitRound[]> {
  const random = seeded(seed);
  const spanMs = await spanOf(stand, backend);
  say(`order to stored handle takes ${Math.round(spanMs)} ms on ${backend.name}, seed ${seed}`);
  const results: SubmitRound[] = [];
  for (let round = 1; round <= rounds; round++) {
    const hits = results.filter(({ moment }) => moment === "between submit and save").length;
    // Spread over the whole time first; what is missing in the last rounds is aimed at.
    const isAimed = between - hits >= rounds - round + 1;
    const result = await oneRound(stand, backend, {
      server: `${backend.name}-kill-${round}`,
      afterMs: isAimed ? undefined : random.next() * spanMs,
    });
    results.push(result);
    say(
      `${round}/${rounds} ${result.ok ? "whole" : "BROKEN"}: killed ${Math.round(result.killedMs)} ms after the order${isAimed ? " (aimed)" : ""}, ${result.moment}: ${result.text}`,
    );
  }
  return results;
}

/** Milliseconds from the order to the stored handle, the longest of a few. */
async function spanOf(stand: Stand, backend: Backend): Promise<number> {
  const spans: number[] = [];
  for (let sample = 1; sample <= SAMPLES; sample++) {
    const session = await stand.session(backend, `${backend.name}-span-${sample}`);
    const began = performance.now();
    await session.start({ profile: backend.light });
    // `starting` is entered together with the stored handle.
    await until(`${session.place} to be stored`, async () => handleOf(stand, session), 60_000);
    spans.push(performance.now() - began);
    await session.ready();
    await session.stop();
    await session.gone();
  }
  return Math.max(...spans);
}

async function handleOf(stand: Stand, of: { user: string; server: string }): Promise<true | undefined> {
  const entry = await entryOf(stand, of);
  return entry && hasHandle(entry) ? true : undefined;
}

const entryOf = async ({ hub }: Stand, { user, server }: { user: string; server: string }) =>
  (await readLedger(hub)).find(({ userName, name }) => userName === user && name === server);

async function oneRound(
  stand: Stand,
  backend: Backend,
  { server, afterMs }: { server: string; afterMs: number | undefined },
): Promise<SubmitRound> {
  const { hub } = stand;
  const session = await stand.session(backend, server);
  const strangers = new Set((await backend.traces(hub)).map(({ tag }) => tag));
  const mine = async (): Promise<Trace[]> =>
    (await backend.traces(hub)).filter(({ tag }) => !strangers.has(tag));
  const began = performance.now();
  const order = session.start({ profile: backend.light }).then(
    () => "accepted",
    (error: unknown) => told(error),
  );
  if (afterMs === undefined) await appears(mine);
  else await sleep(afterMs);
  const killedMs = performance.now() - began;
  const back = await hub.crashSpawn();
  const moment = momentOf(await entryOf(stand, session), await mine());
  try {
    await back();
    const answer = await order;
    // An order that was lost with its answer is given again, as a person would.
    if (moment === "no order kept" && answer !== "accepted")
      await session.start({ profile: backend.light }).catch((error: unknown) => {
        if (!told(error).includes("running")) throw error;
      });
    await session.ready(120_000);
    await sleep(LATE_MS);
    const there = await mine();
    const entry = await entryOf(stand, session);
    if (there.length !== 1)
      throw new Error(`${there.length} servers: ${there.map(({ id }) => id).join(", ")}`);
    if (session.processes().length !== 1) throw new Error(`${session.processes().length} processes`);
    if (there[0]?.tag !== entry?.tag) throw new Error(`${there[0]?.id} is not the one in the ledger`);
    const text = `${there[0]?.id}, ready ${secondsSince(began)} after the order`;
    await session.stop();
    await session.gone();
    await until(`nothing of ${session.place} to be left`, async () => (await mine()).length === 0);
    return { ok: true, moment, killedMs, text };
  } catch (error) {
    return { ok: false, moment, killedMs, text: told(error) };
  }
}

function momentOf(entry: Awaited<ReturnType<typeof entryOf>>, there: readonly Trace[]): Moment {
  if (!entry) return "no order kept";
  if (hasHandle(entry)) return "handle stored";
  return there.length > 0 ? "between submit and save" : "before submit";
}

/** As fast as the look itself: the moment is short. */
async function appears(look: () => Promise<Trace[]>): Promise<void> {
  const end = performance.now() + 60_000;
  while (performance.now() < end) {
    if ((await look()).length > 0) return;
    await new Promise((done) => setImmediate(done));
  }
  throw new Error("the backend showed nothing for 60 s");
}
