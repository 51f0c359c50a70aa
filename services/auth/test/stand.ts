import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AnswerOf,
  type CloudEvent,
  events,
  HubError,
  type OrderContract,
  SpawnPurge,
} from "@elara/contracts";
import type { Bus } from "@elara/runtime/bus/bus";
import { memoryBus } from "@elara/runtime/bus/memory";
import { type Keys, keysFrom } from "@elara/runtime/keys";
import type { RunningService, ServiceContext } from "@elara/runtime/service";
import { sqliteStore } from "@elara/runtime/store/sqlite";
import type { Store } from "@elara/runtime/store/store";
import { type Logger, pino } from "pino";
import { Value } from "typebox/value";
import { AuthConfig } from "../src/config.ts";
import auth from "../src/index.ts";
import { openRecords, type Records } from "../src/records.ts";
import { book, provider } from "./authenticators.ts";
import { Browser } from "./browser.ts";

export interface StandOptions {
  readonly config?: Record<string, unknown>;
  readonly authenticators?: ServiceContext["plugins"]["authenticators"];
  /** Shared with another stand: another replica of the same hub. */
  readonly with?: Stand;
  readonly baseUrl?: string;
  /** Default: one in memory. */
  readonly bus?: Bus;
  /** Of what authenticators keep, the one that seals first. */
  readonly cryptKeys?: readonly Buffer[];
}

const never = (): never => {
  throw new Error("not used by auth");
};

/** An auth service with real bus and store; everything is asked through its app, its orders and its control socket. */
export class Stand {
  readonly dataDir: string;
  readonly store: Store;
  readonly bus: Bus;
  readonly records: Records;
  readonly keys: Keys;
  readonly seen: CloudEvent[];
  readonly lines: string[] = [];
  /** Servers that `spawn.purge` still finds, by user id. */
  readonly serversLeft = new Map<string, number>();
  readonly purges: string[] = [];
  #shiftMs = 0;
  #service: RunningService | undefined;
  readonly #base: string;

  /** `seconds`: how far its clock is ahead. */
  static async open(options: StandOptions = {}, seconds = 0): Promise<Stand> {
    const log = pino({ level: "debug" }, { write: (line: string) => void stand?.lines.push(line) });
    let stand: Stand | undefined;
    stand = options.with
      ? new Stand(options, options.with.store, options.with.bus)
      : new Stand(options, await sqliteStore({ file: ":memory:", log }), options.bus ?? memoryBus({ log }));
    stand.advance(seconds);
    await stand.#start(options, log);
    return stand;
  }

  private constructor(options: StandOptions, store: Store, bus: Bus) {
    this.dataDir = options.with?.dataDir ?? mkdtempSync(join(tmpdir(), "elara-auth-"));
    this.store = store;
    this.bus = bus;
    this.records = openRecords(store);
    this.seen = options.with?.seen ?? [];
    this.#base = options.baseUrl ?? "/";
    const cryptKey = options.cryptKeys ?? Buffer.alloc(32, 2);
    this.keys = keysFrom({ cookieSecret: Buffer.alloc(32, 1), cryptKey });
  }

  readonly clock = {
    now: () => Date.now() + this.#shiftMs,
    monotonic: () => performance.now() + this.#shiftMs,
  };
  advance(seconds: number): void {
    this.#shiftMs += seconds * 1000;
  }

  async #start(options: StandOptions, log: Logger): Promise<void> {
    const config = Value.Parse(
      AuthConfig,
      Value.Default(AuthConfig, { allowAll: true, refusalMs: 0, ...structuredClone(options.config ?? {}) }),
    );
    if (!options.with) {
      for (const contract of Object.values(events))
        this.bus.subscribe(contract, (_data, event) => void this.seen.push(event));
      this.bus.reply(SpawnPurge, async ({ userId }) => {
        this.purges.push(userId);
        return { left: this.serversLeft.get(userId) ?? 0 };
      });
    }
    this.#service = await auth.start({
      instance: { id: `stand${Math.random().toString(36).slice(2, 10)}`, epoch: 1 },
      service: "auth",
      row: { id: "stand", epoch: 1, fenced: () => false, set: never, close: never },
      liveness: { isAlive: never, live: never, refresh: never, close: never },
      config,
      hub: {
        baseUrl: this.#base,
        publicUrl: "",
        dataDir: this.dataDir,
        namedServers: false,
        trial: false,
        contact: config.contact,
        hubId: "testhub",
        network: {
          host: "127.0.0.1",
          port: 8000,
          internalHost: "127.0.0.1",
          internalPort: 8081,
          internalUrl: "http://127.0.0.1:8081",
          serviceHost: "127.0.0.1",
          redirectPort: 0,
          hstsSeconds: 0,
          behindProxy: false,
          insecure: false,
        },
      },
      keys: keysFrom({
        cookieSecret: Buffer.alloc(32, 1),
        cryptKey: options.cryptKeys ?? Buffer.alloc(32, 2),
      }),
      bus: this.bus,
      store: this.#raced(this.store),
      log,
      clock: this.clock,
      upstreams: { forward: never, close: async () => {} },
      plugins: { authenticators: options.authenticators ?? [book(), provider()], spawners: [] },
    });
    await this.#service.app?.ready();
  }

  readonly #meetings = new Map<string, { left: number; go: () => void; all: Promise<void> }>();

  /** The next `count` readers of single documents in this collection all read before any of them goes on. */
  meetAt(collection: string, count: number): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#meetings.set(collection, { left: count, go: resolve, all: promise });
  }

  /** Resolves when somebody waits there. */
  async atMeeting(collection: string): Promise<void> {
    const meeting = this.#meetings.get(collection);
    const wanted = meeting && meeting.left - 1;
    await until("somebody waits", () => (meeting && meeting.left === wanted) || undefined);
  }

  /** Lets who waits there go on. */
  leaveMeeting(collection: string): void {
    this.#meetings.get(collection)?.go();
    this.#meetings.delete(collection);
  }

  #away: { after: number; times: number; refused: string[] } | undefined;

  /**
   * The store goes away after so many changes of documents, for `times` of them; undefined: it is back. Returns what it
   * refuses, as it happens: collection and kind of change.
   */
  awayAfter(writes: number | undefined, times = Number.POSITIVE_INFINITY): readonly string[] {
    const refused: string[] = [];
    this.#away = writes === undefined ? undefined : { after: writes, times, refused };
    return refused;
  }

  #count(write: string): void {
    const away = this.#away;
    if (away === undefined) return;
    away.after -= 1;
    if (away.after >= 0 || away.refused.length >= away.times) return;
    away.refused.push(write);
    throw new HubError("STORE_AWAY");
  }

  #raced(store: Store): Store {
    return {
      ping: () => store.ping(),
      close: () => store.close(),
      collection: (declaration) => {
        const documents = store.collection(declaration);
        const { name } = declaration;
        return {
          ...documents,
          insert: async (doc) => {
            this.#count(`${name} insert`);
            return documents.insert(doc);
          },
          patch: async (id, rev, change) => {
            this.#count(`${name} patch`);
            return documents.patch(id, rev, change);
          },
          delete: async (id, rev) => {
            this.#count(`${name} delete`);
            return documents.delete(id, rev);
          },
          get: async (id) => {
            const doc = await documents.get(id);
            const meeting = this.#meetings.get(declaration.name);
            if (!meeting) return doc;
            meeting.left -= 1;
            if (meeting.left === 0) {
              this.#meetings.delete(declaration.name);
              meeting.go();
            }
            await meeting.all;
            return doc;
          },
        };
      },
    };
  }

  get app() {
    const app = this.#service?.app;
    if (!app) throw new Error("auth has no app");
    return app;
  }

  browser(address = "192.0.2.1"): Browser {
    return new Browser(this.app, address);
  }

  /** A browser that is logged in. */
  async loggedIn(name: string, password = `${name}-secret`): Promise<Browser> {
    const browser = this.browser();
    const answer = await browser.login(name, password);
    if (answer.statusCode !== 302) throw new Error(`login of ${name}: ${answer.statusCode} ${answer.body}`);
    return browser;
  }

  /** Goes to a provider and comes back as this person; the answer to the callback, and its address. `meanwhile` happens there. */
  async atProvider<M = undefined>(
    code: string,
    {
      way = "provider",
      browser = this.browser(),
      meanwhile,
    }: { way?: string; browser?: Browser; meanwhile?: () => M } = {},
  ) {
    const sent = await browser.get(`/hub/oauth_login/${way}?next=%2Fhub%2Fhome`);
    const state = new URL(sent.headers.location?.toString() ?? "").searchParams.get("state") ?? "";
    const url = `/hub/oauth_callback/${way}?code=${encodeURIComponent(code)}&state=${state}`;
    const seen = meanwhile?.();
    return { browser, url, answer: await browser.get(url), meanwhile: seen };
  }

  /** The API with a token. */
  async api(token: string, method: "GET" | "POST" | "DELETE", path: string, body?: unknown) {
    const answer = await this.app.inject({
      method,
      url: `${this.#base}hub/api${path}`,
      headers: { authorization: `token ${token}` },
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
    });
    return {
      status: answer.statusCode,
      body: answer.body === "" ? undefined : answer.json(),
      text: answer.body,
    };
  }

  order<O extends OrderContract>(...call: Parameters<typeof this.bus.request<O>>): Promise<AnswerOf<O>> {
    return this.bus.request(...call);
  }

  /** Waits for an event of this type, from the first one ever. */
  async event(type: string, match: (event: CloudEvent) => boolean = () => true): Promise<CloudEvent> {
    return until(`event ${type}`, () =>
      this.seen.find((event) => event.type === `org.elara.${type}.v1` && match(event)),
    );
  }

  async userNamed(name: string) {
    const { items } = await this.records.users.find({ where: { nameKey: name } });
    return items[0];
  }

  async close(options: { keepStore?: boolean } = {}): Promise<void> {
    await this.#service?.close();
    if (options.keepStore) return;
    await this.bus.close();
    await this.store.close();
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

/** Looks again until it is there; fails after 5 s. */
export async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const end = performance.now() + 5000;
  while (performance.now() < end) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`waited in vain for ${what}`);
}
