import assert from "node:assert/strict";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { after, beforeEach, describe, it } from "node:test";
import {
  ActivitySeen,
  AuthGrantProbe,
  activity,
  HubError,
  type Instance,
  type Server,
  SpawnCull,
  SpawnStop,
  servers,
} from "@elara/contracts";
import { readyServer } from "@elara/contracts/testing";
import type { Bus } from "@elara/runtime/bus/bus";
import { memoryBus } from "@elara/runtime/bus/memory";
import { type Clock, timestamp } from "@elara/runtime/clock";
import { digest } from "@elara/runtime/id";
import type { Liveness } from "@elara/runtime/liveness";
import { activityBucket } from "@elara/runtime/store/read/activity";
import { sqliteStore } from "@elara/runtime/store/sqlite";
import type { Store } from "@elara/runtime/store/store";
import { pino } from "pino";
import { Value } from "typebox/value";
import { CullerConfig } from "../src/config.ts";
import { type Sweep, startSweep } from "../src/sweep.ts";

const T0 = Date.parse("2026-11-22T12:00:00.000Z");
const log = pino({ level: "silent" });

/** What a stand-in for a user's server answers at `/api/…`. */
interface Jupyter {
  kernels: unknown;
  lastActivity: string;
  status: number;
  asked: IncomingMessage[];
}

describe("the culler", () => {
  let bus: Bus;
  let store: Store;
  let sweep: Sweep;
  let now: number;
  let jupyter: Jupyter & { url: string };
  let alive: Set<string>;
  let isHolder: boolean;
  let ordered: string[];
  let stops: { serverName: string; ifIdleSince?: string; reason: string }[];
  let reports: string[];
  let isUsedMeanwhile: boolean;
  let isReplaced: boolean;
  const closers: (() => Promise<void>)[] = [];
  after(async () => {
    for (const close of closers) await close();
  });

  const clock: Clock = { now: () => now, monotonic: () => now };
  const liveness: Liveness = {
    isAlive: () => true,
    live: (service) => (alive.has(service) ? [{ service } as unknown as Instance] : []),
    refresh: async () => undefined,
    close: () => undefined,
  };

  beforeEach(async () => {
    now = T0;
    alive = new Set(["proxy", "web", "spawn"]);
    isHolder = true;
    isUsedMeanwhile = false;
    isReplaced = false;
    [ordered, stops, reports] = [[], [], []];
    bus = memoryBus({ log });
    store = await sqliteStore({ file: ":memory:", log });
    jupyter = await standIn();
    bus.reply(SpawnCull, async ({ reason, generation }) => {
      if (isReplaced) throw new HubError("SERVER_REPLACED");
      assert.equal(generation, 1);
      ordered.push(`warn ${reason}`);
      return { serverId: "s1" };
    });
    bus.reply(SpawnStop, async ({ serverName, reason, ifIdleSince, generation }) => {
      assert.equal(generation, 1);
      ordered.push(`stop ${reason}`);
      if (isUsedMeanwhile) throw new HubError("SERVER_ACTIVE");
      if (isReplaced) throw new HubError("SERVER_REPLACED");
      stops.push({ serverName, reason, ...(ifIdleSince === undefined ? {} : { ifIdleSince }) });
      return { serverId: "s1", generation: 1, stopped: false };
    });
    bus.reply(AuthGrantProbe, async ({ tokenDigest }) => {
      ordered.push(`grant ${tokenDigest}`);
      return { expiresAt: timestamp(now + 60_000) };
    });
    bus.subscribe(ActivitySeen, ({ entries }) => {
      for (const { key, last } of entries) reports.push(`${key} ${last.report}`);
    });
    await addServer();
    start({ idleSeconds: 100, warnSeconds: 10 });
    // Time counts from the first look on.
    await sweep.now();
  });

  it("leaves a server alone that is not idle long enough", async () => {
    await later(99);
    assert.deepEqual(ordered, []);
  });

  it("asks, warns, and stops when the warning was not heeded, with the activity it saw", async () => {
    await later(100);
    assert.deepEqual(deeds(), ["grant", "warn idle"]);
    await later(5);
    assert.deepEqual(deeds(), ["grant", "warn idle", "grant"], "not warned twice");
    await later(5);
    assert.deepEqual(deeds(), ["grant", "warn idle", "grant", "grant", "stop idle"]);
    assert.deepEqual(stops, [{ serverName: "", reason: "idle", ifIdleSince: timestamp(T0) }]);
  });

  it("shows the server the very token it had registered", async () => {
    await later(100);
    const [, token = ""] = /^token (\S+)$/.exec(jupyter.asked[0]?.headers.authorization ?? "") ?? [];
    assert.ok(ordered.includes(`grant ${digest(token)}`));
    assert.deepEqual(
      jupyter.asked.map(({ url }) => url),
      ["/user/ada/api/kernels?no_track_activity=1", "/user/ada/api/status?no_track_activity=1"],
    );
  });

  it("keeps a server whose kernel computes, and tells so", async () => {
    jupyter.kernels = [{ execution_state: "idle" }, { execution_state: "busy" }];
    await later(100_000);
    assert.deepEqual(deeds(), ["grant"]);
    await until(() => reports.includes(`s:s1 ${timestamp(now)}`));
  });

  it("believes what the server says of its own last use, and judges by it", async () => {
    jupyter.lastActivity = timestamp(T0 + 50_000);
    await later(120);
    assert.deepEqual(deeds(), ["grant"]);
    await until(() => reports.includes(`s:s1 ${timestamp(T0 + 50_000)}`));
    await later(30);
    assert.deepEqual(deeds(), ["grant", "grant", "warn idle"]);
    await later(10);
    assert.equal(stops[0]?.ifIdleSince, timestamp(T0 + 50_000));
  });

  it("keeps a server that gives no usable answer", async () => {
    for (const status of [500, 403]) {
      jupyter.status = status;
      await later(1000);
    }
    assert.deepEqual(deeds(), ["grant", "grant"]);
  });

  it("judges a program that is no Jupyter server by its traffic alone", async () => {
    jupyter.status = 404;
    await later(100);
    assert.deepEqual(deeds(), ["grant", "warn idle"]);
  });

  it("keeps a server that was used after the warning", async () => {
    await later(100);
    await saw({ traffic: timestamp(now + 1000) });
    await later(60);
    await later(60);
    assert.deepEqual(deeds(), ["grant", "warn idle", "grant", "warn idle"], "warned anew, not stopped");
  });

  it("does not count time in which nobody could have reported", async () => {
    await later(60);
    alive.delete("web");
    await later(10);
    await later(5000);
    alive.add("web");
    await later(10);
    await later(39);
    assert.deepEqual(deeds(), []);
    await later(1);
    assert.deepEqual(deeds(), ["grant", "warn idle"]);
  });

  it("orders nothing while another replica holds the role", async () => {
    isHolder = false;
    await later(1000);
    assert.deepEqual(ordered, []);
  });

  it("ends a server of maximum age without asking it, computing or not", async () => {
    await sweep.close();
    start({ maxAgeSeconds: 3600, warnSeconds: 0 });
    jupyter.kernels = [{ execution_state: "busy" }];
    await later(3599);
    assert.deepEqual(ordered, []);
    await later(1);
    assert.deepEqual(deeds(), ["warn max_age", "stop max_age"]);
    assert.deepEqual(stops, [{ serverName: "", reason: "max_age" }]);
  });

  it("takes the warning back when spawn knows of later use", async () => {
    isUsedMeanwhile = true;
    await later(100);
    await later(10);
    await later(10);
    const rounds = ["grant", "warn idle", "grant", "stop idle", "grant", "warn idle"];
    assert.deepEqual(deeds(), rounds);
  });

  it("takes the warning back when another generation runs by now", async () => {
    await sweep.close();
    start({ maxAgeSeconds: 100, warnSeconds: 10 });
    await later(100);
    isReplaced = true;
    await later(10);
    isReplaced = false;
    await later(10);
    assert.deepEqual(deeds(), ["warn max_age", "stop max_age", "warn max_age"]);
    assert.deepEqual(stops, []);
  });

  it("ends servers of a spawner by its own limits, and those of a profile by the profile's", async () => {
    await sweep.close();
    await addServer("s2", { backend: "batch", profile: "gpu", name: "lab2" });
    await addServer("s3", { backend: "batch", profile: "cpu", name: "lab3" });
    await addServer("s4", { backend: "docker", name: "lab4" });
    start({
      idleSeconds: 100,
      warnSeconds: 0,
      askServers: false,
      perSpawner: { batch: { idleSeconds: 200 }, local: { idleSeconds: 0 } },
      perProfile: { gpu: { idleSeconds: 50, maxAgeSeconds: 75 } },
    });
    await sweep.now();
    const stopped = async (seconds: number) => {
      stops = [];
      await later(seconds);
      return stops.map(({ serverName, reason }) => `${serverName} ${reason}`).sort();
    };
    assert.deepEqual(await stopped(49), []);
    assert.deepEqual(await stopped(1), ["lab2 idle"]);
    assert.deepEqual(await stopped(25), ["lab2 max_age"]);
    assert.deepEqual(await stopped(25), ["lab2 max_age", "lab4 idle"]);
    assert.deepEqual(await stopped(100), ["lab2 max_age", "lab3 idle", "lab4 idle"]);
  });

  it("survives rounds that the store does not answer", async () => {
    await store.close();
    await later(1000);
    await later(1000);
    assert.deepEqual(deeds(), []);
  });

  const deeds = (): string[] => ordered.map((deed) => (deed.startsWith("grant") ? "grant" : deed));

  async function later(seconds: number): Promise<void> {
    now += seconds * 1000;
    await sweep.now();
  }

  function start(config: Partial<CullerConfig>): void {
    const started = startSweep({
      config: { ...Value.Create(CullerConfig), everySeconds: 3600, ...config },
      store,
      bus,
      liveness,
      log,
      clock,
      isHolder: () => isHolder,
    });
    closers.push(() => started.close());
    sweep = started;
  }

  async function saw(last: { traffic?: string; report?: string }): Promise<void> {
    const buckets = store.collection(activity);
    await buckets.insert({ _id: activityBucket("u1"), v: 1, last: { "s:s1": last } });
  }

  async function standIn(): Promise<Jupyter & { url: string }> {
    const jupyter: Jupyter & { url: string } = {
      kernels: [{ execution_state: "idle" }],
      lastActivity: timestamp(T0),
      status: 200,
      asked: [],
      url: "",
    };
    const server = createServer((request, response) => {
      jupyter.asked.push(request);
      response.statusCode = jupyter.status;
      const isKernels = request.url?.includes("/api/kernels") === true;
      response.end(JSON.stringify(isKernels ? jupyter.kernels : { last_activity: jupyter.lastActivity }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closers.push(async () => {
      server.closeAllConnections();
      server.close();
    });
    jupyter.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return jupyter;
  }

  async function addServer(_id = "s1", over: Partial<Server> = {}): Promise<void> {
    const given = { _id, userId: "u1", userName: "ada", url: jupyter.url, ...over };
    await store.collection(servers).insert(readyServer(given, timestamp(T0)));
  }
});

async function until(isTrue: () => boolean): Promise<void> {
  const end = Date.now() + 5000;
  while (!isTrue()) {
    if (Date.now() > end) throw new Error("it did not come true");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
