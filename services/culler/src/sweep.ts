import type { LastTimes } from "@elara/contracts";
import { lastTimesOfMany } from "@elara/runtime/store/read/activity";
import { activePage, type PublishedServer } from "@elara/runtime/store/read/servers";
import type { Store } from "@elara/runtime/store/store";
import { Daylight } from "./daylight.ts";
import { endServer } from "./end-server.ts";
import { limitsOf } from "./limits.ts";
import { type Decision, decide } from "./policy.ts";
import type { SweepParts } from "./sweep-parts.ts";

export interface Sweep {
  /** Looks at every ready server once; what was found to do is done when it resolves. Never throws. */
  now(): Promise<void>;
  close(): Promise<void>;
}

/** Services of which one must live for use of a server to be noticed: seen by a proxy, told through web, kept by spawn. */
const WITNESSES = ["proxy", "web", "spawn"] as const;

/** Looks at all ready servers every `everySeconds`, one round after the other. */
export function startSweep(parts: SweepParts): Sweep {
  const { config, store, bus, liveness, log, clock, isHolder } = parts;
  const daylight = new Daylight();
  /** When each attempt was warned; lost with the process, then it is warned again. */
  const warned = new Map<string, number>();
  const ending = new AbortController();
  const stopWatching = bus.onChange(() => daylight.darken());
  let round: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    round = round.then(sweep);
  }, config.everySeconds * 1000);

  async function sweep(): Promise<void> {
    if (ending.signal.aborted) return;
    try {
      await look();
    } catch (error) {
      daylight.darken();
      log.warn({ err: error }, "servers not looked at");
    }
  }

  async function look(): Promise<void> {
    await liveness.refresh();
    const isLight = bus.connected && WITNESSES.every((service) => liveness.live(service).length > 0);
    const now = clock.now();
    daylight.look(now, isLight);
    if (!isLight || !isHolder()) return;
    const seen = new Set<string>();
    const todo: (() => Promise<void>)[] = [];
    for await (const { server, times } of readyServers(store)) {
      const key = `${server._id}.${server.generation}`;
      seen.add(key);
      const judge = (report = ""): Decision =>
        decide({
          server,
          times: report > (times.report ?? "") ? { ...times, report } : times,
          now,
          noticed: (from, to) => daylight.between(from, to),
          warnedAt: warned.get(key),
          config: { ...limitsOf(config, server), warnSeconds: config.warnSeconds },
        });
      if (judge().do === "keep") warned.delete(key);
      else
        todo.push(async () => {
          const outcome = await endServer(parts, { server, judge, isWarned: warned.has(key) }, ending.signal);
          if (outcome === "kept") warned.delete(key);
          else if (!warned.has(key)) warned.set(key, now);
        });
    }
    for (const key of warned.keys()) if (!seen.has(key)) warned.delete(key);
    await inTurns(todo, config.concurrency);
  }

  return {
    now: () => {
      round = round.then(sweep);
      return round;
    },
    async close() {
      ending.abort();
      clearInterval(timer);
      stopWatching();
      await round;
    },
  };
}

interface Candidate {
  readonly server: PublishedServer;
  readonly times: LastTimes;
}

async function* readyServers(store: Store): AsyncGenerator<Candidate> {
  let after: string | undefined;
  do {
    const page = await activePage(store, { phases: ["ready"], ...(after === undefined ? {} : { after }) });
    const timesOf = await lastTimesOfMany(
      store,
      page.items.map((server) => server.userId),
    );
    for (const server of page.items)
      yield { server, times: timesOf(server.userId).timesOf(`s:${server._id}`) };
    after = page.next;
  } while (after !== undefined);
}

async function inTurns(todo: readonly (() => Promise<void>)[], atOnce: number): Promise<void> {
  const waiting = [...todo];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await next();
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
