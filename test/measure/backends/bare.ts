import type { Backend } from "../../fixtures/backends/backend.ts";
import type { Stand } from "../../fixtures/backends/stand.ts";
import { until } from "../../fixtures/until.ts";

const RUNS = 3;

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Start to ready of one backend, and of the same server started by hand; in turns, on the same machine. */
export async function besideBare(stand: Stand, backend: Backend): Promise<string> {
  const { bare } = backend;
  if (!bare) throw new Error(`${backend.name} cannot be used without a hub`);
  const hub: number[] = [];
  const alone: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const session = await stand.session(backend, `${backend.name}-bare`);
    await session.start({ profile: backend.name });
    hub.push(await session.ready());
    const [server] = session.processes();
    if (!server) throw new Error("the server was not seen");
    const environment = Object.fromEntries(
      Object.entries(server.environment).filter(([name]) => /^(JUPYTERHUB_|JPY_)/.test(name)),
    );
    await session.stop();
    await session.gone();
    alone.push(await timed(bare, environment, session.user));
  }
  const [ours, theirs] = [median(hub), median(alone)];
  const all = (values: readonly number[]): string =>
    values.map((value) => (value / 1000).toFixed(1)).join(", ");
  return `${(ours / 1000).toFixed(1)} s (${all(hub)}) beside ${bare.how} ${(theirs / 1000).toFixed(1)} s (${all(alone)}): ${((ours - theirs) / 1000).toFixed(1)} s more`;
}

/** From the command to the first answer over HTTP. */
async function timed(
  bare: NonNullable<Backend["bare"]>,
  environment: Record<string, string>,
  user: string,
): Promise<number> {
  const began = performance.now();
  const started = await bare.start(environment, user);
  try {
    await until(
      `the answer of ${bare.how}`,
      async () => (await fetch(`${started.url}${environment.JUPYTERHUB_SERVICE_PREFIX}api`)).ok,
      90_000,
    );
    return performance.now() - began;
  } finally {
    await started.end();
  }
}
