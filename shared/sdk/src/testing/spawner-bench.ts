import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { type Static, type TObject, Type } from "typebox";
import { Value } from "typebox/value";
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
import { endStandIns, markEnv, standIns } from "./stand-ins.ts";

/** What the suite needs to know of the plugin under test. */
export interface SpawnerCase {
  /** Options as an administrator would write them; defaults are filled in. */
  readonly options?: Readonly<Record<string, unknown>>;
  /**
   * What differs in requests. With an `argv` of its own (a backend that cannot run the stand-in of this machine) the
   * command must answer HTTP on JUPYTERHUB_SERVICE_URL; checks that look at processes are then left out.
   */
  readonly request?: Partial<Pick<SpawnRequest, "argv" | "env" | "user" | "servicePrefix">>;
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
export const keyOf = ({ tag, user, server, generation }: ServerKey): ServerKey => ({
  tag,
  user,
  server,
  generation,
});

/** What the stand-in tells of itself. */
const StandInFacts = Type.Object({
  /** Drawn at its start: pids are the same in every container. */
  id: Type.String(),
  pid: Type.Integer(),
  tokenDigest: Type.String(),
  cwd: Type.String(),
  uid: Type.Integer(),
  gid: Type.Integer(),
  groups: Type.Array(Type.Integer()),
  home: Type.String(),
  user: Type.String(),
  args: Type.Array(Type.String()),
});
type StandInFacts = Static<typeof StandInFacts>;
const nobody: StandInFacts = {
  id: "",
  pid: 0,
  tokenDigest: "",
  cwd: "",
  uid: 0,
  gid: 0,
  groups: [],
  home: "",
  user: "",
  args: [],
};

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
  readonly #made: { spawner: Spawner<Static<O>, Static<H>>; key: ServerKey }[] = [];

  constructor(t: TestContext, plugin: SpawnerPlugin<O, H>, given: SpawnerCase) {
    this.#plugin = plugin;
    this.#given = given;
    this.usesStandIn = given.request?.argv === undefined;
    this.host = (given.host ?? testHost)();
    t.after(() => this.#close());
  }

  /** Options with defaults, fit for `setup`. */
  options(): Static<O> {
    const options: unknown = Value.Default(this.#plugin.options, structuredClone(this.#given.options ?? {}));
    const { options: schema } = this.#plugin;
    assert.ok(
      Value.Check(schema, options),
      `options do not fit their schema: ${JSON.stringify([...Value.Errors(schema, options)][0])}`,
    );
    return options;
  }

  /** The plugin as one replica of the hub has it. */
  async spawner(host: TestHost = this.host): Promise<Spawner<Static<O>, Static<H>>> {
    return this.#plugin.setup(this.options(), host);
  }

  request(argv: readonly string[] = standInCommand()): SpawnRequest<Static<O>> {
    const { env, ...rest } = this.#given.request ?? {};
    return {
      tag: newTag(),
      user: { id: "u1", name: "ada" },
      server: "",
      generation: 1,
      options: this.options(),
      argv,
      secretEnv: ["JUPYTERHUB_API_TOKEN", "JPY_API_TOKEN"],
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
    this.#made.push({ spawner, key: keyOf(request) });
    return this.stored(request, await spawner.start(request, call));
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
    const before = new Date(this.host.now()).toISOString();
    const seen = await spawner.observe(servers, this.call());
    assert.match(
      seen.startedAt,
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
      "observe: startedAt must be UTC",
    );
    assert.ok(seen.startedAt >= before, "observe: startedAt lies before the look began");
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

  /** Ends what is left by the plugin's own means, then by force, so that one failed check does not spoil the next. */
  async #close(): Promise<void> {
    for (const { spawner, key } of this.#made) {
      const call = { signal: AbortSignal.timeout(5_000), graceSeconds: 0 };
      const left = await spawner.locate(key, call).catch(() => undefined);
      if (left) await spawner.stop({ ...key, handle: left, url: "" }, call).catch(() => {});
      // Its records are written to the end before their folder is removed.
      while (left && !call.signal.aborted && (await spawner.locate(key, call).catch(() => undefined)))
        await pause(25);
    }
    const end = performance.now() + 2_000;
    while (this.usesStandIn && this.processes().length > 0 && performance.now() < end) await pause(25);
    endStandIns(this.#mark);
    await this.host.close();
  }
}
