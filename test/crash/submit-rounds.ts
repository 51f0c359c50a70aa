import { setTimeout as sleep } from "node:timers/promises";
import type { Server } from "@elara/contracts";
import { type Collection, MongoClient } from "mongodb";
import type { Backend, Trace } from "../fixtures/backends/backend.ts";
import type { Stand } from "../fixtures/backends/stand.ts";
import type { TestHub } from "../fixtures/hub.ts";
import { hasHandle } from "../fixtures/ledger.ts";
import { seeded } from "../fixtures/random.ts";
import type { Session } from "../fixtures/session.ts";
import { told } from "../fixtures/trials/outcome.ts";
import { until } from "../fixtures/until.ts";

/** Where the kill fell, by what ledger and backend said right after it. */
export type KillMoment = "before submit" | "between submit and save" | "after save" | "another replica drove";

export interface SubmitRound {
  readonly round: number;
  readonly victim: string;
  readonly delayMs: number;
  readonly moment: KillMoment;
  /** Server processes of this one start that were seen at one time. */
  readonly mostAtOnce: number;
  readonly text: string;
  readonly ok: boolean;
}

export interface SubmitRounds {
  readonly backend: Backend;
  readonly rounds: readonly SubmitRound[];
  /** Typical time from the order to the stored handle, without a kill. */
  readonly saveMs: number;
  /** Faults found after all rounds: what is left at the backend without an owner. */
  readonly faults: readonly string[];
}

/** Starts without a kill by whose median a round's moments are laid out; one more is timed before each round. */
const TIMED = 3;
/** How long a submit may go on after the kill; less than any lease. */
const UNDER_WAY_MS = 1_000;
/** Clocks of these hubs: a submit that may still be under way is looked for again soon. */
export const SUBMIT_SECONDS = 12;
const SETTLE_MS = (SUBMIT_SECONDS + 8) * 1000;

/** Uniform shares of a window: one drawn from each of as many equal parts, in random order. */
export function killShares(rounds: number, random: ReturnType<typeof seeded>): number[] {
  return random.shuffle(Array.from({ length: rounds }, (_, part) => (part + random.next()) / rounds));
}

const quantile = (values: readonly number[], share: number): number | undefined =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length * share)];

/** Where kills between submit and save are to be expected, after those of earlier rounds; the whole window before there are any. */
export function aimedStretch(rounds: readonly SubmitRound[], saveMs: number): [number, number] {
  const at = (moment: KillMoment): number[] =>
    rounds.filter((round) => round.moment === moment).map(({ delayMs }) => delayMs);
  const first = quantile(at("before submit"), 0.75) ?? 0;
  const last = quantile(at("after save"), 0.25) ?? saveMs;
  return first < last ? [first, last] : [0, saveMs];
}

/**
 * kill -9 of the spawn service at moments between order and stored handle; every start must come to exactly one server. One
 * kill hits a start on each of the backends, each with a delay of its own: of three rounds two are uniform over the window, the
 * third is aimed at the stretch between submit and save, which is short where a submit is. With `between` aimed rounds go on
 * until so many kills fell there, at most twice as many rounds.
 */
export async function submitRounds(
  stand: Stand,
  backends: readonly Backend[],
  given: { rounds: number; between?: number; seed: number; say: (line: string) => void },
): Promise<SubmitRounds[]> {
  const { hub } = stand;
  const random = seeded(given.seed);
  const mongo = await MongoClient.connect(hub.mongo?.uri ?? "");
  const ledger = mongo.db(hub.mongo?.database).collection<Server>("servers");
  try {
    const tracks = backends.map((backend) => ({
      backend,
      saves: [] as number[],
      shares: killShares(given.rounds, random),
      rounds: [] as SubmitRound[],
    }));
    /** One after the other: in a round their orders do not fall together either. */
    const time = async (index: number): Promise<void> => {
      for (const { backend, saves } of tracks) {
        const took = await timeToSave(stand, backend, ledger, index);
        // The first warms up.
        if (index > 0) saves.push(took);
      }
    };
    for (let index = 0; index < TIMED; index++) await time(index);
    const isWanting = ({ rounds }: (typeof tracks)[number]): boolean =>
      rounds.length < given.rounds ||
      rounds.filter(({ moment }) => moment === "between submit and save").length < (given.between ?? 0);
    for (let round = 1; round <= 2 * given.rounds && tracks.some(isWanting); round++) {
      await time(TIMED + round);
      const delays = tracks.map(({ saves, shares, rounds }) => {
        const saveMs = quantile(saves.slice(-TIMED), 0.5) ?? 0;
        const share = shares[round - 1];
        if (share !== undefined && round % 3 !== 0) return saveMs * share;
        const [first, last] = aimedStretch(rounds, saveMs);
        return first + (last - first) * random.next();
      });
      const victim = round % 5 === 0 ? random.pick(["spawn-1", "spawn-2"]) : "both replicas";
      const killer = killAfter(hub, victim, Math.max(...delays));
      await Promise.all(
        tracks.map(async ({ backend, rounds }, track) => {
          const delayMs = delays[track] ?? 0;
          const done = await oneRound(stand, backend, { ledger, round, victim, delayMs, killer });
          rounds.push(done);
          given.say(
            `  ${backend.name.padEnd(6)} round ${String(round).padStart(2)}  kill ${victim.padEnd(13)} +${String(Math.round(delayMs)).padStart(4)} ms  ${done.moment.padEnd(23)} ${done.ok ? "ok  " : "FAIL"}  ${done.text}`,
          );
        }),
      );
    }
    await sleep(SETTLE_MS);
    return await Promise.all(
      tracks.map(async ({ backend, saves, rounds }) => {
        const faults = await withoutOwner(stand, backend, ledger);
        return { backend, saveMs: quantile(saves, 0.5) ?? 0, rounds, faults };
      }),
    );
  } finally {
    await mongo.close();
  }
}

/** One kill that several starts wait for: each begins so long before it as its delay says. */
interface Killer {
  /** Resolves when it is time to order. */
  orderAt(delayMs: number): Promise<void>;
  /** Resolves right after the kill, with what waits for the killed to be back. */
  readonly killed: Promise<{ at: number; back: () => Promise<void> }>;
}

function killAfter(hub: TestHub, victim: string, longestMs: number): Killer {
  const lead = longestMs + 50;
  const began = performance.now();
  const killed = sleep(lead).then(async () => {
    const back = await hub.crashSpawn(victim.startsWith("spawn") ? victim : undefined);
    return { at: performance.now(), back };
  });
  return {
    orderAt: (delayMs) => sleep(Math.max(0, lead - delayMs - (performance.now() - began))),
    killed,
  };
}

const entryOf = (ledger: Collection<Server>, { user, server }: Session): Promise<Server | null> =>
  ledger.findOne({ userName: user, name: server });

async function timeToSave(
  stand: Stand,
  backend: Backend,
  ledger: Collection<Server>,
  index: number,
): Promise<number> {
  const session = await stand.session(backend, `${backend.name}-timed-${index}`);
  const began = performance.now();
  const order = session.start({ profile: backend.light });
  order.catch(() => undefined);
  for (;;) {
    const entry = await entryOf(ledger, session);
    if (entry && hasHandle(entry)) break;
    if (performance.now() - began > 60_000) throw new Error(`no handle: ${await session.told()}`);
  }
  const took = performance.now() - began;
  await order;
  await session.ready();
  await session.stop();
  await session.gone();
  return took;
}

async function oneRound(
  stand: Stand,
  backend: Backend,
  given: { ledger: Collection<Server>; round: number; victim: string; delayMs: number; killer: Killer },
): Promise<SubmitRound> {
  const { ledger, round, victim, delayMs, killer } = given;
  const session = await stand.session(backend, `${backend.name}-r${round}`);
  const watch = mostAtOnce(session);
  let moment: KillMoment = "before submit";
  const finish = async (): Promise<string> => {
    await killer.orderAt(delayMs);
    const order = session.start({ profile: backend.light });
    order.catch(() => undefined);
    const { at, back } = await killer.killed;
    const entry = await entryOf(ledger, session);
    // A submit that was under way goes on without who ordered it; nobody else submits before the lease is over.
    const trace = await untilSeen(stand, backend, entry?.tag);
    if (entry && hasHandle(entry)) moment = "after save";
    else if (trace) moment = "between submit and save";
    if (moment !== "after save" && victim !== "both replicas") {
      await sleep(1500);
      const later = await entryOf(ledger, session);
      if (later && hasHandle(later)) moment = "another replica drove";
    }
    await back();
    await order;
    await session.ready(90_000);
    const tag = (await entryOf(ledger, session))?.tag ?? "";
    const [mine] = await until(`one of ${session.place} at the backend`, async () => {
      const found = (await backend.traces(stand.hub)).filter((each) => each.tag === tag);
      return found.length === 1 && session.processes().length === 1 ? found : undefined;
    });
    const took = ((performance.now() - at) / 1000).toFixed(1);
    const same = trace?.id === mine?.id ? `${mine?.id} found` : `${mine?.id}`;
    await session.stop();
    await session.gone();
    return `${same}, ready ${took} s after the kill`;
  };
  const base = { round, victim, delayMs };
  try {
    const text = await finish();
    const most = await watch.stop();
    return { ...base, moment, mostAtOnce: most, ok: most === 1, text: `${text}, at most ${most} at once` };
  } catch (error) {
    return { ...base, moment, mostAtOnce: await watch.stop(), ok: false, text: told(error) };
  }
}

/** What is at the backend of this tag, also when it comes a moment later. */
async function untilSeen(
  stand: Stand,
  backend: Backend,
  tag: string | undefined,
): Promise<Trace | undefined> {
  const began = performance.now();
  for (;;) {
    const trace = (await backend.traces(stand.hub)).find((each) => each.tag === tag);
    if (trace || tag === undefined || performance.now() - began > UNDER_WAY_MS) return trace;
    await sleep(50);
  }
}

/** Counts the processes of a session again and again. */
function mostAtOnce(session: Session): { stop(): Promise<number> } {
  let most = 0;
  let isOver = false;
  const done = (async () => {
    while (!isOver) {
      most = Math.max(most, session.processes().length);
      await sleep(100);
    }
  })();
  return {
    async stop() {
      isOver = true;
      await done;
      return most;
    },
  };
}

/** When no submit can be under way any more, all that is at the backend has an owner in the ledger. */
async function withoutOwner(stand: Stand, backend: Backend, ledger: Collection<Server>): Promise<string[]> {
  const active = await ledger.find({ phase: { $nin: ["stopped", "failed"] } }).toArray();
  const owned = new Set(active.map(({ tag }) => tag));
  const left: Trace[] = await backend.traces(stand.hub);
  return left.filter(({ tag }) => !owned.has(tag)).map(({ id, tag }) => `${id} (${tag}) has no owner`);
}
