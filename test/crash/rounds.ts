import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { MongoClient } from "mongodb";
import type { TestHub } from "../fixtures/hub.ts";
import { logInByForm } from "../fixtures/login.ts";
import { serversOf } from "../fixtures/processes.ts";
import { seeded } from "../fixtures/random.ts";
import { activeServers, startServer } from "../fixtures/server.ts";
import { until } from "../fixtures/until.ts";

type Moment = "login" | "starting" | "stopping" | "running";
const SERVICES = ["auth", "spawn", "web", "proxy", "culler"] as const;
type Service = (typeof SERVICES)[number];

export interface Round {
  readonly round: number;
  readonly moment: Moment;
  readonly victim: string;
  readonly delayMs: number;
  readonly outcome: string;
  readonly seconds: number;
  readonly ok: boolean;
}

/** How long a state may be past its deadline before a replica must have acted on it. */
const DEADLINE_SLACK_MS = 12_000;

/** Rounds by moment and service: each service at least twice, 45 % while a server starts, 20 % while one stops. */
export function plan(rounds: number, seed: number): { moment: Moment; service: Service }[] {
  const random = seeded(seed);
  const moments: Moment[] = Array.from({ length: rounds }, (_, index) => {
    if (index < Math.ceil(rounds * 0.45)) return "starting";
    if (index < Math.ceil(rounds * 0.65)) return "stopping";
    return index < Math.ceil(rounds * 0.85) ? "login" : "running";
  });
  const services: Service[] = Array.from(
    { length: rounds },
    (_, index) => SERVICES[index % SERVICES.length] ?? "spawn",
  );
  const mixed = random.shuffle(services);
  return random.shuffle(moments).map((moment, index) => ({ moment, service: mixed[index] ?? "spawn" }));
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
      let outcome: string;
      let ok = true;
      try {
        outcome = await oneRound(hub, { moment, victim, user, delayMs });
        await consistent(hub, admin, mongo);
      } catch (error) {
        ok = false;
        outcome =
          error instanceof Error
            ? `${error.message}${error.cause instanceof Error ? ` (${error.cause.message})` : ""}`
            : String(error);
      }
      const seconds = (performance.now() - began) / 1000;
      results.push({ round, moment, victim, delayMs, outcome, seconds, ok });
      given.say(
        `round ${String(round).padStart(2)}  seed ${given.seed}  kill ${victim.padEnd(8)} while ${moment.padEnd(8)} +${String(delayMs).padStart(4)} ms  ${ok ? "ok  " : "FAIL"}  ${seconds.toFixed(1)} s  ${outcome}`,
      );
    }
  } finally {
    await mongo.close();
  }
  return results;
}

async function oneRound(
  hub: TestHub,
  given: { moment: Moment; victim: string; user: string; delayMs: number },
): Promise<string> {
  const { moment, victim, user, delayMs } = given;
  const kill = async (): Promise<void> => {
    await sleep(delayMs);
    const pid = hub.pids()[victim] ?? 0;
    assert.ok(pid > 0, `${victim} runs`);
    process.kill(pid, "SIGKILL");
    await until(`${victim} to come back`, () => {
      const now = hub.pids()[victim] ?? 0;
      return now > 0 && now !== pid;
    });
  };
  if (moment === "login") {
    const killed = kill();
    await persist("to log in", () => logInByForm(hub.url, user));
    await killed;
    await persist("to log in again", () => logInByForm(hub.url, user));
    return "logged in";
  }
  const token = await persist("a token", () => hub.token(user));
  if (moment === "starting") {
    const order = persist("to order a start", async () => {
      const answer = await hub.api(token, `/users/${user}/server`, { method: "POST" });
      const running = answer.status === 400 && (await answer.text()).includes("already running");
      if (![201, 202].includes(answer.status) && !running) throw new Error(`start answered ${answer.status}`);
    });
    await Promise.all([order, kill()]);
    await persist("the server to be ready", async () =>
      assert.ok((await activeServers(hub, token, user))[""]?.ready),
    );
    return "ready";
  }
  await persist("a server to start with", () => startServer(hub, token, user));
  if (moment === "running") {
    await kill();
    await persist("the server to be ready still", async () =>
      assert.ok((await activeServers(hub, token, user))[""]?.ready),
    );
    return "still ready";
  }
  const order = persist("to order a stop", async () => {
    const answer = await hub.api(token, `/users/${user}/server`, { method: "DELETE" });
    if (![202, 204].includes(answer.status)) throw new Error(`stop answered ${answer.status}`);
  });
  await Promise.all([order, kill()]);
  await persist("the server to be gone", async () => assert.ok(!(await activeServers(hub, token, user))[""]));
  return "stopped";
}

/** The processes with our tag are the API's active servers, none twice; no state is past its deadline. */
async function consistent(hub: TestHub, admin: string, mongo: MongoClient): Promise<void> {
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
  const late = await mongo
    .db(hub.mongo?.database)
    .collection("servers")
    .find({ deadlineAt: { $gt: "", $lt: now } })
    .toArray();
  assert.deepEqual(
    late.map(({ userName, phase }) => `${userName} ${phase}`),
    [],
    "no state is older than its deadline",
  );
}
