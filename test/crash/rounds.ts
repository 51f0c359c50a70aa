import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { type Collection, MongoClient } from "mongodb";
import type { TestHub } from "../fixtures/hub.ts";
import { logInByForm } from "../fixtures/login.ts";
import { serversOf } from "../fixtures/processes.ts";
import { seeded } from "../fixtures/random.ts";
import { activeServers, startServer } from "../fixtures/server.ts";
import { until } from "../fixtures/until.ts";

type Moment = "login" | "starting" | "stopping" | "running";
const SERVICES = ["auth", "spawn", "web", "proxy", "culler"] as const;
type Service = (typeof SERVICES)[number];

interface ServerEntry {
  userName: string;
  phase: string;
  deadlineAt: string;
}

export interface Round {
  readonly round: number;
  readonly moment: Moment;
  readonly victim: string;
  readonly delayMs: number;
  /** What the ledger said of the server when the process was killed. */
  readonly phase: string;
  readonly outcome: string;
  readonly seconds: number;
  readonly ok: boolean;
}

/** How long a state may be past its deadline before a replica must have acted on it. */
const DEADLINE_SLACK_MS = 12_000;

/**
 * Rounds by moment and service: each moment goes through the services in a shuffled order, so that each service is hit
 * at least twice in 20 rounds and spawn also while a server starts and stops; 45 % while one starts, 20 % while one stops.
 */
export function plan(rounds: number, seed: number): { moment: Moment; service: Service }[] {
  const random = seeded(seed);
  const share: Record<Moment, number> = { starting: 0.45, stopping: 0.2, login: 0.2, running: 0.15 };
  const list = Object.entries(share).flatMap(([moment, part]) => {
    const services: Service[] = [
      "spawn",
      ...random.shuffle(SERVICES.filter((service) => service !== "spawn")),
    ];
    return Array.from({ length: Math.round(rounds * part) }, (_, index) => ({
      moment: moment as Moment,
      service: services[index % services.length] ?? "spawn",
    }));
  });
  return random.shuffle(list);
}

/** Tries until the hub, which just lost a process, does it. */
const persist = <T>(what: string, work: () => Promise<T>): Promise<T> =>
  until(what, async () => ({ value: await work() }), 45_000).then(({ value }) => value);

/** Kills a random process at a random moment of a person's way, round by round; after each, nothing may be lost or doubled. */
export async function crashRounds(
  hub: TestHub,
  given: { rounds: number; seed: number; say: (line: string) => void },
): Promise<Round[]> {
  const random = seeded(given.seed);
  const admin = await hub.token("root-admin");
  const mongo = await MongoClient.connect(hub.mongo?.uri ?? "");
  const ledger = mongo.db(hub.mongo?.database).collection<ServerEntry>("servers");
  const results: Round[] = [];
  try {
    for (const [index, { moment, service }] of plan(given.rounds, given.seed).entries()) {
      const round = index + 1;
      const user = `crash-${given.seed}-${round}`;
      const copies = Object.keys(hub.pids()).filter(
        (name) => name === service || name.startsWith(`${service}-`),
      );
      const victim = random.pick(copies);
      const delayMs = Math.floor(
        random.next() * (moment === "starting" ? 1800 : moment === "stopping" ? 400 : 60),
      );
      const began = performance.now();
      let outcome = "";
      let phase = "";
      let ok = true;
      try {
        ({ outcome, phase } = await oneRound(hub, { moment, victim, user, delayMs, ledger }));
        await consistent(hub, admin, ledger);
      } catch (error) {
        ok = false;
        outcome =
          error instanceof Error
            ? `${error.message}${error.cause instanceof Error ? ` (${error.cause.message})` : ""}`
            : String(error);
      }
      const seconds = (performance.now() - began) / 1000;
      results.push({ round, moment, victim, delayMs, phase, outcome, seconds, ok });
      given.say(
        `round ${String(round).padStart(2)}  seed ${given.seed}  kill ${victim.padEnd(8)} while ${moment.padEnd(8)} +${String(delayMs).padStart(4)} ms (${(phase || "no server").padEnd(9)})  ${ok ? "ok  " : "FAIL"}  ${seconds.toFixed(1)} s  ${outcome}`,
      );
    }
  } finally {
    await mongo.close();
  }
  return results;
}

async function oneRound(
  hub: TestHub,
  given: { moment: Moment; victim: string; user: string; delayMs: number; ledger: Collection<ServerEntry> },
): Promise<{ outcome: string; phase: string }> {
  const { moment, victim, user, delayMs, ledger } = given;
  const phaseNow = async (): Promise<string> => (await ledger.findOne({ userName: user }))?.phase ?? "";
  /** Waits until the ledger is in one of these phases, a moment longer, and kills; tells the phase it was then. */
  const kill = async (...phases: string[]): Promise<string> => {
    if (phases.length > 0)
      await until(phases.join(" or "), async () => phases.includes(await phaseNow()), 45_000);
    await sleep(delayMs);
    const pid = hub.pids()[victim] ?? 0;
    assert.ok(pid > 0, `${victim} runs`);
    const phase = await phaseNow();
    process.kill(pid, "SIGKILL");
    await until(`${victim} to come back`, () => {
      const now = hub.pids()[victim] ?? 0;
      return now > 0 && now !== pid;
    });
    return phase;
  };
  if (moment === "login") {
    const killed = kill();
    await persist("to log in", () => logInByForm(hub.url, user));
    const phase = await killed;
    await persist("to log in again", () => logInByForm(hub.url, user));
    return { outcome: "logged in", phase };
  }
  const token = await persist("a token", () => hub.token(user));
  const isReady = async () => assert.ok((await activeServers(hub, token, user))[""]?.ready);
  if (moment === "starting") {
    const order = persist("to order a start", async () => {
      const answer = await hub.api(token, `/users/${user}/server`, { method: "POST" });
      const running = answer.status === 400 && (await answer.text()).includes("already running");
      if (![201, 202].includes(answer.status) && !running) throw new Error(`start answered ${answer.status}`);
    });
    const [, phase] = await Promise.all([order, kill("requested", "starting")]);
    await persist("the server to be ready", isReady);
    return { outcome: "ready", phase };
  }
  await persist("a server to start with", () => startServer(hub, token, user));
  if (moment === "running") {
    const phase = await kill();
    await persist("the server to be ready still", isReady);
    return { outcome: "still ready", phase };
  }
  const order = persist("to order a stop", async () => {
    const answer = await hub.api(token, `/users/${user}/server`, { method: "DELETE" });
    if (![202, 204].includes(answer.status)) throw new Error(`stop answered ${answer.status}`);
  });
  const [, phase] = await Promise.all([order, kill("stopping")]);
  await persist("the server to be gone", async () => assert.ok(!(await activeServers(hub, token, user))[""]));
  return { outcome: "stopped", phase };
}

/** The processes with our tag are the API's active servers, none twice; no state is past its deadline. */
async function consistent(hub: TestHub, admin: string, ledger: Collection<ServerEntry>): Promise<void> {
  await until("processes and ledger to agree", async () => {
    const answer = await hub.api(admin, "/users?state=active&limit=200");
    assert.equal(answer.status, 200);
    const users = (await answer.json()) as { name: string; servers: Record<string, unknown> }[];
    const told = users
      .flatMap(({ name, servers }) => Object.keys(servers).map((server) => `${name}/${server}`))
      .sort();
    const real = serversOf(hub.internalUrl)
      .map(({ environment }) => `${environment.JUPYTERHUB_USER}/${environment.JUPYTERHUB_SERVER_NAME}`)
      .sort();
    assert.deepEqual(real, told, "processes (actual) and active servers of the API (expected)");
    return true;
  });
  const now = new Date(Date.now() - DEADLINE_SLACK_MS).toISOString();
  const late = await ledger.find({ deadlineAt: { $gt: "", $lt: now } }).toArray();
  assert.deepEqual(
    late.map(({ userName, phase }) => `${userName} ${phase}`),
    [],
    "no state is older than its deadline",
  );
}
