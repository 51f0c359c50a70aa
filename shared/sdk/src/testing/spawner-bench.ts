import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Static, TObject } from "typebox";
import { Value } from "typebox/value";
import { PluginError } from "../errors.ts";
import type {
  Row,
  RowState,
  ServerKey,
  Spawner,
  SpawnerPlugin,
  SpawnRequest,
  StartCall,
  StoredServer,
} from "../spawner.ts";
import { type TestHost, testHost } from "./host.ts";
import { standInCommand } from "./stand-in-command.ts";
import { nobody, StandInFacts } from "./stand-in-facts.ts";
import { endStandIns, markEnv, standIns } from "./stand-ins.ts";

/**
 * How the backend can be away: options with which it is not reached, or something done to it, undone by the function
 * that is returned.
 */
export type Away =
  | { readonly options: Readonly<Record<string, unknown>> }
  | ((host: TestHost) => Promise<() => Promise<void>>);

/** What the suite needs to know of the plugin under test. */
export interface SpawnerCase {
  /** Options as an administrator would write them; defaults are filled in. */
  readonly options?: Readonly<Record<string, unknown>>;
  /**
   * What differs in requests. With an `argv` of its own (a backend that cannot run the stand-in of this machine) the
   * command must answer HTTP on JUPYTERHUB_SERVICE_URL; checks that look at processes are then left out. A backend that
   * uses the user's name as an account gives `user`.
   */
  readonly request?: Partial<Pick<SpawnRequest, "argv" | "env" | "user" | "servicePrefix">>;
  /** Makes the backend be away while a server runs: nothing may then be taken for gone. Without it that check is skipped. */
  readonly away?: Away;
  /** URL of the plugin's module (`import.meta.resolve("../src/index.ts")`): observe and start again from a second process. */
  readonly module?: string;
  /** How long one step of a server's life may take; default 20. */
  readonly seconds?: number;
  /** Makes the host; default: a new one with a folder of its own. */
  readonly host?: () => TestHost;
  /** Says why the whole suite cannot run here. */
  readonly skip?: string;
}

const STATES: ReadonlySet<RowState> = new Set<RowState>([
  "submitting",
  "queued",
  "held",
  "starting",
  "running",
  "suspended",
  "stopping",
  "ended",
  "lost",
  "unknown",
]);
const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

/** A tag as the hub makes them, of a server nobody else has. */
export const newTag = (): string => Array.from(randomBytes(28), (byte) => ALPHABET[byte & 31]).join("");

/** What of a request is its key. */
export const keyOf = ({ tag, user, server }: ServerKey): ServerKey => ({
  tag,
  user,
  server,
});

interface Made<O extends TObject, H extends TObject> {
  readonly spawner: Spawner<Static<O>, Static<H>>;
  readonly key: ServerKey;
  handle?: Static<H>;
}

/** The bench one check works on; everything it started is ended afterwards. */
export class SpawnerBench<O extends TObject, H extends TObject> {
  readonly host: TestHost;
  readonly secret = randomBytes(16).toString("hex");
  /** The token of repeated starts. */
  readonly repeatedSecret = randomBytes(16).toString("hex");
  readonly usesStandIn: boolean;
  readonly #plugin: SpawnerPlugin<O, H>;
  readonly #given: SpawnerCase;
  readonly #mark = randomBytes(8).toString("hex");
  /** By tag, with the handle it had last. */
  readonly #made = new Map<string, Made<O, H>>();

  constructor(t: TestContext, plugin: SpawnerPlugin<O, H>, given: SpawnerCase) {
    this.#plugin = plugin;
    this.#given = given;
    this.usesStandIn = given.request?.argv === undefined;
    this.host = (given.host ?? testHost)();
    t.after(() => this.#close());
  }

  /** Options with defaults, fit for `setup`. */
  options(written: Readonly<Record<string, unknown>> = this.#given.options ?? {}): Static<O> {
    const options: unknown = Value.Default(this.#plugin.options, structuredClone(written));
    const { options: schema } = this.#plugin;
    assert.ok(
      Value.Check(schema, options),
      `options do not fit their schema: ${JSON.stringify([...Value.Errors(schema, options)][0])}`,
    );
    return options;
  }

  /** The plugin as one replica of the hub has it. */
  async spawner(
    host: TestHost = this.host,
    options = this.options(),
  ): Promise<Spawner<Static<O>, Static<H>>> {
    return this.#plugin.setup(options, host);
  }

  request(argv: readonly string[] = standInCommand()): SpawnRequest<Static<O>> {
    const { env, ...rest } = this.#given.request ?? {};
    return {
      tag: newTag(),
      user: { id: "u1", name: "ada" },
      server: "",
      options: this.options(),
      argv,
      servicePrefix: "/user/ada/",
      ...rest,
      env: {
        JUPYTERHUB_USER: "ada",
        JUPYTERHUB_SERVICE_PREFIX: "/user/ada/",
        JUPYTERHUB_API_TOKEN: this.secret,
        JPY_API_TOKEN: this.secret,
        ...markEnv(this.#mark),
        ...env,
      },
    };
  }

  /** The same start once more, as a hub asks for it that did not hear of the first: with a token of its own. */
  repeated(request: SpawnRequest<Static<O>>): SpawnRequest<Static<O>> {
    const token = this.repeatedSecret;
    return { ...request, env: { ...request.env, JUPYTERHUB_API_TOKEN: token, JPY_API_TOKEN: token } };
  }

  call(signal: AbortSignal = AbortSignal.timeout(this.seconds * 1000)): StartCall {
    return { signal, progress() {} };
  }

  get seconds(): number {
    return this.#given.seconds ?? 20;
  }

  /** Starts, and sees to it that it ends with the check. Returns what the hub would get back from its store. */
  async start(
    spawner: Spawner<Static<O>, Static<H>>,
    request: SpawnRequest<Static<O>>,
    call = this.call(),
  ): Promise<StoredServer<Static<H>>> {
    const made = this.#made.get(request.tag) ?? { spawner, key: keyOf(request) };
    this.#made.set(request.tag, made);
    await spawner.checkOptions?.(request.options, call);
    const handle = await spawner.start(request, call).catch(async (error: unknown) => {
      if (error instanceof PluginError && error.nothingMade) await this.#heldTo(spawner, request);
      throw error;
    });
    const server = this.stored(request, handle);
    made.handle = server.handle;
    return server;
  }

  /** A start that threw with `nothingMade` made nothing, as far as anybody can say. */
  async #heldTo(spawner: Spawner<Static<O>, Static<H>>, request: ServerKey): Promise<void> {
    const found = await spawner.locate(keyOf(request), this.call()).catch(() => undefined);
    assert.equal(found, undefined, "start promised `nothingMade`, and locate finds what it made");
  }

  /** The server after a way through the store. */
  stored(key: ServerKey, handle: Static<H>): StoredServer<Static<H>> {
    const { handle: schema } = this.#plugin;
    const stored: unknown = JSON.parse(JSON.stringify(handle));
    assert.deepEqual(stored, handle, "the handle must survive JSON: plain data, nothing undefined");
    assert.ok(
      Value.Check(schema, stored),
      `the handle does not fit its schema: ${JSON.stringify([...Value.Errors(schema, stored)][0])}`,
    );
    return { ...keyOf(key), handle: stored, url: "" };
  }

  /** The row of this tag; undefined when a complete look does not show it. */
  async row(
    spawner: Spawner<Static<O>, Static<H>>,
    servers: StoredServer<Static<H>>[],
    tag: string,
  ): Promise<Row | undefined> {
    const seen = await spawner.observe(servers, this.call());
    for (const { state } of seen.rows) assert.ok(STATES.has(state), `observe: "${state}" is no row state`);
    const row = seen.rows.find((candidate) => candidate.tag === tag);
    if (row) return row;
    return seen.complete ? undefined : { tag, state: "unknown" };
  }

  /** Observes until the row is as wanted; `undefined` stands for absent. */
  async until(
    spawner: Spawner<Static<O>, Static<H>>,
    server: StoredServer<Static<H>>,
    wanted: (row: Row | undefined) => boolean,
    promise: string,
  ): Promise<Row | undefined> {
    const end = performance.now() + this.seconds * 1000;
    for (;;) {
      const row = await this.row(spawner, [server], server.tag);
      if (wanted(row)) return row;
      if (performance.now() > end)
        assert.fail(
          `${promise}: not within ${this.seconds} s, observe last said ${JSON.stringify(row ?? "absent")}`,
        );
      await pause(25);
    }
  }

  /** Waits until it runs with an address; gives the address. */
  async untilRunning(
    spawner: Spawner<Static<O>, Static<H>>,
    server: StoredServer<Static<H>>,
  ): Promise<string> {
    const row = await this.until(
      spawner,
      server,
      (seen) => {
        assert.ok(
          seen && seen.state !== "ended" && seen.state !== "lost",
          `the server did not come up: observe says ${JSON.stringify(seen ?? "absent")}`,
        );
        return seen.state === "running" && seen.url !== undefined;
      },
      "a started server runs and has a url",
    );
    assert.match(row?.url ?? "", /^https?:\/\/[^/]+$/, "a url is scheme, host and port, without a path");
    return row?.url ?? "";
  }

  /** Waits until observe says that it has ended. */
  untilEnded(
    spawner: Spawner<Static<O>, Static<H>>,
    server: StoredServer<Static<H>>,
    promise: string,
  ): Promise<Row | undefined> {
    return this.until(
      spawner,
      server,
      (row) => row === undefined || row.state === "ended" || row.state === "lost",
      promise,
    );
  }

  /** What the stand-in behind this address says of itself, once it answers. */
  async facts(url: string): Promise<StandInFacts> {
    const end = performance.now() + this.seconds * 1000;
    for (;;) {
      try {
        const response = await fetch(`${url}${this.request().servicePrefix}`, {
          signal: AbortSignal.timeout(2_000),
          redirect: "manual",
        });
        assert.ok(response.status < 500, `the server answers ${response.status}`);
        if (!this.usesStandIn) return nobody;
        const facts: unknown = await response.json();
        if (Value.Check(StandInFacts, facts)) return facts;
        assert.fail("somebody else answers at the server's url");
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        if (performance.now() > end) assert.fail(`${url} never answered HTTP: ${error}`);
      }
      await pause(25);
    }
  }

  /** Pids of the stand-ins this bench has on this machine. */
  processes(): number[] {
    return standIns(this.#mark);
  }

  /** Waits until no stand-in of this bench is left. */
  async untilNoProcess(promise: string): Promise<void> {
    const end = performance.now() + this.seconds * 1000;
    while (this.usesStandIn && this.processes().length > 0) {
      if (performance.now() > end)
        assert.fail(`${promise}: ${this.processes().length} still run after ${this.seconds} s`);
      await pause(25);
    }
  }

  /**
   * Ends and forgets what is left by the plugin's own means, then by force, so that one failed check does not spoil the
   * next.
   */
  async #close(): Promise<void> {
    for (const { spawner, key, handle } of this.#made.values()) {
      const call = { signal: AbortSignal.timeout(5_000), graceSeconds: 0 };
      const left = await spawner.locate(key, call).catch(() => undefined);
      if (left) await spawner.stop({ ...key, handle: left, url: "" }, call).catch(() => {});
      // Its records are written to the end before their folder is removed.
      while (left && !call.signal.aborted && (await spawner.locate(key, call).catch(() => undefined)))
        await pause(25);
      const known = left ?? handle;
      const signal = AbortSignal.timeout(5_000);
      if (known) await spawner.cleanup?.({ ...key, handle: known, url: "" }, { signal }).catch(() => {});
    }
    const end = performance.now() + 2_000;
    while (this.usesStandIn && this.processes().length > 0 && performance.now() < end) await pause(25);
    endStandIns(this.#mark);
    await this.host.close();
  }
}
