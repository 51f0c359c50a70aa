import { Readable } from "node:stream";
import { HubError, type Step } from "@elara/contracts";
import type { PublishedServer } from "@elara/runtime/store/read/servers";
import type { FastifyInstance } from "fastify";
import type { WebDeps } from "../deps.ts";
import { followStart } from "../live/follow-start.ts";
import { serverState } from "../models/server-state.ts";
import { isCountedStep, stepDetail, stepTitle } from "../models/step-title.ts";
import { type ServerParams, serverOf, serverPaths, serverResource } from "./server-params.ts";

const KEEP_ALIVE_MS = 8000;
const LAST_STEPS_MS = 2500;

/** The event stream of a start in JupyterHub's format (contract §5.6); our events also carry `step`, `at`, `title`. */
export function progressRoutes(app: FastifyInstance, deps: WebDeps): void {
  const access = { kind: "scopes", anyOf: ["read:servers"], resource: serverResource } as const;
  for (const path of serverPaths) {
    app.get<ServerParams>(`${path}/progress`, { config: { access } }, async (request, reply) => {
      const { userName, serverName } = serverOf(request);
      const user = await deps.reads.userByName(userName);
      const server = user && (await deps.reads.serverByName(user._id, serverName));
      if (!user || !server) throw new HubError("NOT_FOUND");
      const { active, pending } = serverState(server);
      if ((!active && server.phase !== "failed") || pending === "stop")
        throw new HubError("BAD_REQUEST", { message: `${user.name}:${serverName} is not starting...` });
      reply.header("cache-control", "no-cache").type("text/event-stream");
      return reply.send(progressStream(deps, server));
    });
  }
}

/** Stored steps first, then what comes, until ready or failed; a sign of life every 8 s. */
export function progressStream(deps: WebDeps, server: PublishedServer): Readable {
  const closed = new AbortController();
  const stream = new Readable({
    read: () => undefined,
    destroy(error, done) {
      closed.abort();
      clearInterval(keepAlive);
      done(error);
    },
  });
  const keepAlive = setInterval(() => stream.push("\n\n"), KEEP_ALIVE_MS);
  stream.push("\n\n");
  const signal = AbortSignal.any([closed.signal, deps.streams.signal]);
  void (async () => {
    for await (const event of startEvents(deps, server, signal))
      stream.push(`data: ${JSON.stringify(event)}\n\n`);
    // The hub goes down, the start does not: the browser is told when to ask again.
    if (deps.streams.signal.aborted) stream.push("retry: 1000\n\n");
    stream.push(null);
  })().catch((error: unknown) => stream.destroy(error instanceof Error ? error : undefined));
  return stream;
}

/** The events of one start, from its ledger. */
export async function* startEvents(
  deps: Pick<WebDeps, "reads" | "signals" | "routes">,
  server: PublishedServer,
  signal: AbortSignal,
): AsyncGenerator<Record<string, unknown>> {
  let told = 0;
  let isFirst = true;
  let wasPending = false;
  let patienceEnd: number | undefined;
  let generation = server.generation;
  for await (const moment of followStart(deps, server._id, signal)) {
    if (moment.server.generation !== generation) told = 0;
    generation = moment.server.generation;
    const state = serverState(moment.server);
    // Somebody who comes when all is done only hears that, as from JupyterHub.
    const counted = moment.steps.filter((step) => isCountedStep(step.step));
    if (!isFirst || state.pending) for (const step of counted.slice(told)) yield stepEvent(step);
    told = counted.length;
    isFirst = false;
    wasPending ||= state.pending !== null;
    if (state.ready) {
      // The last steps are written behind `ready`, once the doors know the way.
      patienceEnd ??= performance.now() + LAST_STEPS_MS;
      const mayCome = wasPending && !hasStep(moment.steps, "ready") && performance.now() < patienceEnd;
      if (mayCome) continue;
      await deps.routes.known(moment.server, signal);
      yield readyEvent(moment.server);
      return;
    }
    if (!state.active) {
      yield failedEvent(moment.server);
      return;
    }
  }
}

const hasStep = (steps: readonly Step[], name: string): boolean => steps.some(({ step }) => step === name);

const stepEvent = (step: Step) => ({
  progress: Math.min(step.progress, 99),
  message: step.message,
  step: step.step,
  title: stepTitle(step.step) || step.message,
  detail: stepDetail(step.step, step.message),
  at: step.at,
});

const readyEvent = ({ path }: PublishedServer) => ({
  progress: 100,
  ready: true,
  message: `Server ready at ${path}`,
  html_message: `Server ready at <a href="${path}">${path}</a>`,
  url: path,
});

const failedEvent = ({ cause }: PublishedServer) => ({
  progress: 100,
  failed: true,
  message:
    cause.code === "" || cause.code === "SPAWN_CANCELLED"
      ? "Spawn cancelled"
      : `Spawn failed: ${cause.message}`,
  code: cause.code || "SPAWN_CANCELLED",
});
