import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  AuthGrantServer,
  AuthPreSpawn,
  AuthRevokeServer,
  eventfulStart,
  events,
  HubError,
  type Instance,
  preSpawnContext,
  type Server,
  SpawnStart,
  SpawnStop,
  servers,
  spawnLogs,
  users,
} from "@elara/contracts";
import type { Bus } from "@elara/runtime/bus/bus";
import { memoryBus, memoryNetwork } from "@elara/runtime/bus/memory";
import { HubSection, NetworkSection } from "@elara/runtime/config/hub";
import { keysFrom } from "@elara/runtime/keys";
import type { Liveness } from "@elara/runtime/liveness";
import { sealMessage } from "@elara/runtime/sealed-message";
import type { ConfiguredSpawner, RunningService } from "@elara/runtime/service";
import { allProfiles, type PublishedProfile } from "@elara/runtime/store/read/profiles";
import { sqliteStore } from "@elara/runtime/store/sqlite";
import type { Documents, Store } from "@elara/runtime/store/store";
import { pino } from "pino";
import { Value } from "typebox/value";
import { type Pace, SpawnConfig, startSpawn, steadyPace } from "../src/index.ts";
import { cuttable } from "./cuttable-store.ts";
import { mockSpawner } from "./mock-spawner.ts";
import { MockWorld } from "./mock-world.ts";
import { TestClock } from "./test-clock.ts";

/** Looks often, so that tests are short. Nothing is decided by it. */
const QUICK: Pace = {
  ...steadyPace,
  lookMs: 25,
  settleMs: 150,
  retryMs: { first: 20, longest: 100 },
  searchMs: { first: 20, longest: 100 },
  probeMs: { first: 10, longest: 40 },
  flushMs: 100,
  routeMs: 300,
  handOverMs: 500,
  observeTimeoutMs: 2_000,
};

/** Asks again until it holds; fails after five seconds with what it was about. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  deadlineMs = 5_000,
): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > end) throw new Error(`waited in vain for: ${what}`);
    await sleep(5);
  }
}

/** One running instance of the service. */
export interface Replica {
  readonly id: string;
  /** As kill -9 does: nothing it still does has any effect, and its beat stands. Not yet noticed by others. */
  crash(): Promise<void>;
  /** Its beats are no longer confirmed: it must not touch the backend. */
  setFenced(fenced: boolean): void;
  /** Its store does not answer. */
  setStoreAway(away: boolean): void;
  /** How many calls its store has refused. */
  readonly refused: number;
  close(): Promise<void>;
}

export const USER = { _id: "u1", name: "ada" };

/** A hub with nothing but spawn: memory bus, sqlite, the mock backend, and this test as auth and proxy. */
export class Stand {
  readonly world = new MockWorld();
  readonly clock = new TestClock();
  readonly log = pino({ level: process.env.SPAWN_TEST_LOG ?? "silent" });
  readonly network = memoryNetwork();
  readonly bus: Bus = memoryBus({ log: this.log, network: this.network });
  readonly events: { type: string; seq: number; data: Record<string, unknown> }[] = [];
  /** Grants that stand: server id and generation. */
  readonly grants = new Set<string>();
  /** Digests of the tokens granted for each of them. */
  readonly tokens = new Map<string, Set<string>>();
  readonly proxies: Instance[] = [];
  /** Counts of the store that wait; undefined: none is held up. */
  #held: (() => void)[] | undefined;
  /** What the next replica is told of named servers. */
  namedServers = true;
  readonly #dead = new Set<string>();
  readonly #replicas: Replica[] = [];
  /** Why auth refuses, "" when it does not. */
  refusal = "";
  /** Why auth gives nothing of the log-in, "" when it does; and what it gives. */
  logInRefusal = "";
  logIn = "{}";
  readonly store: Store;
  readonly servers: Documents<typeof servers>;
  readonly #dataDir: string;

  private constructor(store: Store, dataDir: string) {
    this.store = store;
    this.#dataDir = dataDir;
    this.servers = store.collection(servers);
    this.bus.reply(AuthGrantServer, async ({ serverId, generation, tokenDigest }) => {
      if (this.refusal) throw new HubError(this.refusal);
      const grant = `${serverId}.${generation}`;
      this.grants.add(grant);
      this.tokens.set(grant, (this.tokens.get(grant) ?? new Set()).add(tokenDigest));
      return { clientId: "jupyterhub-user-ada" };
    });
    this.bus.reply(AuthPreSpawn, async (order) => {
      if (this.logInRefusal) throw new HubError(this.logInRefusal);
      return { sealed: sealMessage(this.logIn, order.publicKey, preSpawnContext(order)) };
    });
    this.bus.reply(AuthRevokeServer, async ({ serverId, generation }) => {
      const revoked = this.grants.delete(`${serverId}.${generation}`) ? 1 : 0;
      this.tokens.delete(`${serverId}.${generation}`);
      return { revoked };
    });
    for (const contract of Object.values(events)) {
      if (contract.kind === "fact")
        this.bus.subscribe(contract, (data, { seq }) => {
          this.events.push({ type: contract.type, seq, data: { ...data } });
        });
    }
  }

  static async open(): Promise<Stand> {
    const stand = new Stand(
      await sqliteStore({ file: ":memory:", log: pino({ level: "silent" }) }),
      await mkdtemp(join(tmpdir(), "elara-spawn-")),
    );
    await stand.addUser(USER);
    return stand;
  }

  /** From now on no replica gets a count: admissions stand still. */
  holdCounts(): void {
    this.#held = [];
  }
  get heldCounts(): number {
    return this.#held?.length ?? 0;
  }
  releaseCounts(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const go of held) go();
  }

  async addUser({ _id, name, admin = false }: { _id: string; name: string; admin?: boolean }): Promise<void> {
    await this.store.collection(users).insert({
      ...eventfulStart,
      _id,
      v: 1,
      name,
      nameKey: name,
      admin,
      createdAt: new Date().toISOString(),
      lastLoginAt: "",
      deletingAt: "",
      accessChangedAt: "",
      blockedAt: "",
    });
  }

  /** One more instance of the service, on the same backend and store. */
  async start(
    config: Partial<SpawnConfig> = {},
    pace: Partial<Pace> = {},
    spawners: readonly (string | Partial<Omit<ConfiguredSpawner, "plugin">>)[] = ["mock"],
  ): Promise<Replica> {
    const id = `i${this.#replicas.length + 1}`;
    const state = { isCut: false, isAway: false, isFenced: false, refused: 0 };
    const bus = memoryBus({ log: this.log, network: this.network });
    const isGone = () => {
      const isGone = state.isCut || state.isAway;
      if (isGone) state.refused++;
      return isGone;
    };
    const store = cuttable(this.store, isGone, async () => {
      if (this.#held) await new Promise<void>((go) => this.#held?.push(go));
    });
    const plugin = mockSpawner(this.world, () => state.isCut);
    const service: RunningService = await startSpawn(
      {
        instance: { id, epoch: 1 },
        service: "spawn",
        row: { id, epoch: 1, fenced: () => state.isFenced, set: async () => {}, close: async () => {} },
        liveness: this.#liveness(),
        config: { ...Value.Create(SpawnConfig), ...config },
        hub: {
          ...Value.Create(HubSection),
          namedServers: this.namedServers,
          dataDir: this.#dataDir,
          hubId: "testhub",
          network: { ...Value.Create(NetworkSection), internalUrl: "http://127.0.0.1:8081" },
        },
        keys: keysFrom({ cookieSecret: Buffer.alloc(32, 7), cryptKey: Buffer.alloc(32, 8) }),
        bus,
        store,
        log: this.log.child({ instance: id }),
        clock: this.clock,
        upstreams: { forward: () => {}, close: async () => {} },
        plugins: {
          authenticators: [],
          spawners: spawners.map((given) => ({
            name: "mock",
            options: {},
            ...(typeof given === "string" ? { name: given } : given),
            plugin,
          })),
        },
      },
      { ...QUICK, ...pace },
    );
    let isOver = false;
    const replica: Replica = {
      id,
      async crash() {
        state.isCut = true;
        isOver = true;
        await bus.close();
        void service.close();
      },
      setFenced: (fenced) => {
        state.isFenced = fenced;
      },
      get refused() {
        return state.refused;
      },
      setStoreAway: (away) => {
        state.isAway = away;
      },
      async close() {
        if (isOver) return;
        isOver = true;
        await service.close();
        await bus.close();
      },
    };
    this.#replicas.push(replica);
    return replica;
  }

  /** The others have seen this instance's beat stand for ten seconds. */
  declareDead({ id }: Replica): void {
    this.#dead.add(id);
  }

  #liveness(): Liveness {
    return {
      isAlive: (id) => !this.#dead.has(id),
      live: (service) => (service === "proxy" ? this.proxies : []),
      refresh: async () => {},
      close: () => {},
    };
  }

  /** Orders a start of the user's default server with the mock's options. */
  order(
    options?: Record<string, unknown>,
    more: {
      serverName?: string;
      userId?: string;
      userName?: string;
      orderId?: string;
      profile?: string;
    } = {},
  ) {
    const { orderId, serverName = "", ...rest } = more;
    return this.bus.request(
      SpawnStart,
      {
        userId: USER._id,
        userName: USER.name,
        serverName,
        ...(options === undefined ? {} : { options }),
        actor: `user:${USER._id}`,
        ...rest,
      },
      orderId === undefined ? {} : { orderId },
    );
  }

  orderStop(
    more: {
      serverName?: string;
      orderId?: string;
      remove?: boolean;
      ifIdleSince?: string;
      generation?: number;
    } = {},
  ) {
    const { orderId, serverName = "", ...rest } = more;
    return this.bus.request(
      SpawnStop,
      { userId: USER._id, serverName, reason: "user", actor: `user:${USER._id}`, ...rest },
      orderId === undefined ? {} : { orderId },
    );
  }

  async doc(name = ""): Promise<Server | undefined> {
    const page = await this.servers.find({ where: { userId: USER._id, name, deletedAt: "" }, limit: 1 });
    return page.items[0];
  }

  /** The profiles as pages read them. */
  profiles(): Promise<PublishedProfile[]> {
    return allProfiles(this.store);
  }

  /** Waits until the server is as asked. */
  reach(what: string, is: (doc: Server) => boolean, name = ""): Promise<Server> {
    let last: Server | undefined;
    return until(`server ${what}`, async () => {
      last = await this.doc(name);
      return last && is(last) ? last : undefined;
    }).catch((cause: unknown) => {
      const { pendingEvents, orders, ...seen } = { ...last };
      throw new Error(`server never ${what}: ${JSON.stringify(seen)}`, { cause });
    });
  }

  reachPhase(phase: Server["phase"], name = ""): Promise<Server> {
    return this.reach(`was ${phase}`, (doc) => doc.phase === phase, name);
  }

  /** Waits until nothing is in motion any more. */
  rest(phase: Server["phase"], name = ""): Promise<Server> {
    return this.reach(`rested as ${phase}`, (doc) => doc.phase === phase && !doc.inMotion, name);
  }

  async attempt(generation = 1, name = "") {
    const doc = await this.doc(name);
    const { items } = await this.store.collection(spawnLogs).find({
      where: { serverId: doc?._id ?? "", generation },
      sort: { by: ["serverId", "generation", "chunk", "_id"] },
    });
    return {
      steps: items.flatMap((chunk) => chunk.steps),
      names: items.flatMap((chunk) => chunk.steps.map((step) => step.step)),
      tail: items.flatMap((chunk) => chunk.tail),
    };
  }

  /** Types of the events so far, in order, without repeats of an event. */
  eventTypes(): string[] {
    const seen = new Set<string>();
    return this.events
      .filter(({ data, seq }) => {
        const key = `${String(data.serverId)}.${seq}`;
        if (seen.has(key)) return false;
        seen.add(key);
        return true;
      })
      .map(({ type }) => type);
  }

  /** Waits until these are the last events, in this order. */
  told(...types: string[]): Promise<true> {
    return until(`events ${types.join(", ")}`, () => {
      const last = this.eventTypes().slice(-types.length);
      return JSON.stringify(last) === JSON.stringify(types);
    }).catch((cause: unknown) => {
      throw new Error(`events were ${this.eventTypes().join(", ")}`, { cause });
    });
  }

  addProxy(routesUpTo: string): Instance {
    const row = {
      _id: `p${this.proxies.length + 1}`,
      rev: 1,
      v: 1,
      service: "proxy" as const,
      epoch: 1,
      address: "",
      beat: 1,
      startedAt: "",
      stoppedAt: "",
      version: "",
      digests: {},
      routesUpTo,
    };
    this.proxies.push(row);
    return row;
  }

  async close(): Promise<void> {
    this.releaseCounts();
    this.world.finishSubmits();
    for (const replica of this.#replicas) await replica.close();
    await this.bus.close();
    this.world.close();
    await this.store.close();
    await rm(this.#dataDir, { recursive: true, force: true });
  }
}
