import { Readable } from "node:stream";
import { HubError, type Step } from "@elara/contracts";
import type { PublishedServer } from "@elara/runtime/store/read/servers";
import type { FastifyInstance } from "fastify";
import type { WebDeps } from "../deps.ts";
import { followStart } from "../live/follow-start.ts";
import { serverState } from "../models/server-state.ts";
import { type StartState, startSentence, startState } from "../models/start-state.ts";
import { lastOfRuns } from "../models/step-runs.ts";
import { isCountedStep, isOngoing, stepDetail, stepTitle } from "../models/step-title.ts";
import { type ServerParams, serverOf, serverPaths, serverResource } from "./server-params.ts";

const KEEP_ALIVE_MS = 8000;
const LAST_STEPS_MS = 2500;

/**
 * The event stream of a start in JupyterHub's format (contract §5.6). Our events also carry `step`, `at`, `title`, `detail`,
 * `ongoing`; events with `state` tell that it waits in a queue, that nobody knows, or that it goes on.
 */
export function progressRoutes(app: FastifyInstance, deps: WebDeps): void {
  const access = { kind: "scopes", anyOf: ["read:servers"], resource: serverResource } as const;
  for (const path of serverPaths) {
    app.get<ServerParams & { Querystring: { page?: string } }>(
      `${path}/progress`,
      { config: { access } },
      async (request, reply) => {
        const { userName, serverName } = serverOf(request);
        const user = await deps.reads.userByName(userName);
        const server = user && (await deps.reads.serverByName(user._id, serverName));
        if (!user || !server) throw new HubError("NOT_FOUND");
        const { active, pending } = serverState(server);
        if ((!active && server.phase !== "failed") || pending === "stop")
          throw new HubError("BAD_REQUEST", { message: `${user.name}:${serverName} is not starting...` });
        reply.header("cache-control", "no-cache").type("text/event-stream");
        return reply.send(progressStream(deps, server, request.query.page !== undefined));
      },
    );
  }
}

/**
 * Stored steps first, then what comes, until ready or failed; a sign of life every 8 s. A page, which may show a state that
 * is over, is told the first one too.
 */
export function progressStream(deps: WebDeps, server: PublishedServer, isPage = false): Readable {
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
    for await (const event of startEvents(deps, server, signal, isPage))
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
  isPage = false,
): AsyncGenerator<Record<string, unknown>> {
  let told = 0;
  let isFirst = true;
  let wasPending = false;
  let toldState = isPage ? "" : "starting";
  let patienceEnd: number | undefined;
  let generation = server.generation;
  for await (const moment of followStart(deps, server._id, signal)) {
    if (moment.server.generation !== generation) told = 0;
    generation = moment.server.generation;
    const state = serverState(moment.server);
    // Somebody who comes when all is done only hears that, as from JupyterHub.
    const counted = moment.steps.filter((step) => isCountedStep(step.step));
    if (!isFirst || state.pending) for (const step of lastOfRuns(counted.slice(told))) yield stepEvent(step);
    told = counted.length;
    isFirst = false;
    wasPending ||= state.pending !== null;
    if (state.pending === "spawn") {
      const now = startState(moment.server);
      const isNews = toldState !== toldAs(now);
      toldState = toldAs(now);
      if (isNews) yield stateEvent(now, counted.at(-1)?.progress ?? 0);
    }
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
  ongoing: isOngoing(step.step),
  at: step.at,
});

/** What makes a state another one. */
const toldAs = ({ kind, reason }: StartState): string => (kind === "starting" ? kind : `${kind} ${reason}`);

const stateEvent = (state: StartState, progress: number) => ({
  progress: Math.min(progress, 99),
  message: startSentence(state),
  state,
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
