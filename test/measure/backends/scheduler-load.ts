import { setTimeout as sleep } from "node:timers/promises";
import type { Backend } from "../../fixtures/backends/backend.ts";
import type { Stand } from "../../fixtures/backends/stand.ts";

const WINDOW_MS = 60_000;
/** Submits at a time: what is measured is the rest, not the rush. */
const AT_A_TIME = 5;

export interface SchedulerLoad {
  readonly one: number;
  readonly many: number;
  readonly servers: number;
  readonly text: string;
}

/** Queries that the scheduler counts itself within a minute, with one server at rest and with many. */
export async function schedulerLoad(stand: Stand, backend: Backend, servers: number): Promise<SchedulerLoad> {
  const { queries } = backend;
  if (!queries) throw new Error(`${backend.name} counts no queries`);
  const start = async (index: number): Promise<void> => {
    const session = await stand.session(backend, `${backend.name}-load-${index}`);
    await session.start({ profile: backend.light });
    await session.ready(180_000);
  };
  const rest = async (): Promise<{ all: number; text: string }> => {
    // The last start is over for everybody.
    await sleep(5_000);
    const before = await queries();
    await sleep(WINDOW_MS);
    const after = await queries();
    const kinds = [...after]
      .map(([kind, count]) => [kind, count - (before.get(kind) ?? 0)] as const)
      .filter(([, count]) => count > 0);
    return {
      all: kinds.reduce((sum, [, count]) => sum + count, 0),
      text: kinds.map(([kind, count]) => `${kind} ${count}`).join(", "),
    };
  };
  await start(0);
  const one = await rest();
  for (let index = 1; index < servers; index += AT_A_TIME)
    await Promise.all(
      Array.from({ length: Math.min(AT_A_TIME, servers - index) }, (_, part) => start(index + part)),
    );
  const jobs = (await backend.traces(stand.hub)).length;
  const many = await rest();
  return {
    one: one.all,
    many: many.all,
    servers: jobs,
    text: `1 server: ${one.all} queries per minute (${one.text}); ${jobs} servers: ${many.all} (${many.text})`,
  };
}
