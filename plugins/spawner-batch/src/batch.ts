import type { ServerKey, Spawner, SpawnerHost, SpawnRequest } from "@elara/sdk";
import { logLines } from "@elara/sdk/launcher";
import { openSsh } from "@elara/ssh";
import { asking, isDone, noAnswer, read } from "./ask.ts";
import { checkBatch } from "./check.ts";
import { knownCluster } from "./cluster.ts";
import { openDesk } from "./desk.ts";
import { badOption, batchError } from "./errors.ts";
import { formOf } from "./form.ts";
import { HANDLE_VERSION, type Handle, newHandle } from "./handle.ts";
import { accountOf, jobName, jobOrder, jobSpec, scriptFacts, submitArgv } from "./job.ts";
import { sharedListing } from "./listing.ts";
import { watching } from "./observe.ts";
import type { Options } from "./options.ts";
import { checkLimits, checkValues } from "./options-check.ts";
import { held } from "./owners.ts";
import { refusalOf } from "./refusal.ts";
import { pbs } from "./schedulers/pbs.ts";
import { type FoundJob, type Scheduler, Unfit } from "./schedulers/scheduler.ts";
import { slurm } from "./schedulers/slurm.ts";
import { jobScript } from "./script.ts";
import { searching } from "./search.ts";
import { localTransport } from "./transports/local.ts";
import { sshTransport } from "./transports/ssh.ts";
import { sudoTransport } from "./transports/sudo.ts";
import type { Transport } from "./transports/transport.ts";

const SCHEDULERS: Readonly<Record<Options["scheduler"], Scheduler>> = { slurm, pbs };

function transportOf(config: Options, host: SpawnerHost): Transport {
  const { environment } = config;
  if (config.transport === "local") return localTransport(environment);
  if (config.transport === "sudo") return sudoTransport(environment);
  const { ssh, ...login } = config.login;
  const wrong = (message: string, cause?: unknown) => badOption("login", `login: ${message}`, cause);
  if (login.host === "" || login.account === "")
    throw wrong("`ssh` needs host and account of the login node");
  try {
    return sshTransport(openSsh(ssh, { log: host.log, now: host.now }), { ...login, environment });
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error), error);
  }
}

/** The spawner for these options. All that it knows lies at the batch system. */
export function batchSpawner(config: Options, host: SpawnerHost): Spawner<Options, Handle> {
  const scheduler = SCHEDULERS[config.scheduler];
  const script = scriptOf(config, scheduler);
  const transport = transportOf(config, host);
  host.onClose(() => transport.close?.());
  const ask = asking(scheduler, transport);
  const desk = openDesk(config, transport);
  const cluster = knownCluster(ask, scheduler, host.now);
  const listing = sharedListing(ask, scheduler);
  const { byName, livingId, mayLive } = searching(ask, scheduler, listing);
  const observe = watching({
    ...{ scheduler, ask, desk, cluster, nodeAddress: config.nodeAddress, log: host.log, now: host.now },
    portRange: config.portRange,
    listing,
  });

  /** The account of a server; of a handle from another version of this plugin only tag and name count. */
  const accountFor = ({ handle, user }: ServerKey & { readonly handle?: Handle }): string =>
    handle?.v === HANDLE_VERSION ? handle.account : accountOf(config, user.name);

  async function cancel(
    {
      tag,
      account,
      jobId,
    }: { readonly tag: string; readonly account: string; readonly jobId?: string | undefined },
    graceSeconds: number,
    signal?: AbortSignal,
  ): Promise<void> {
    const argv = scheduler.argvForCancel(jobName(tag), account, jobId);
    const wish = { action: "cancel", tag, cancel: argv, graceSeconds } as const;
    const { cancel: done } = await desk(account, wish, signal);
    if (isDone(scheduler, done)) return;
    if (scheduler.classifyError(done.exitCode, done.stdout, done.stderr).kind === "notFound") return;
    throw noAnswer(done);
  }

  /** Takes back what this start made and nobody wants: its folder, and the job where there is one. */
  async function takeBack(tag: string, account: string, isSubmitted = true): Promise<void> {
    try {
      if (isSubmitted) await cancel({ tag, account }, 0);
      await desk(account, { action: "forget", tag });
    } catch (error) {
      host.log.warn({ tag, err: error }, "a start left something behind");
    }
  }

  /** `isOwn`: this call handed the job in, it found none that lives or is over. */
  async function submit(
    request: SpawnRequest<Options>,
    account: string,
  ): Promise<{ handle: Handle; isOwn: boolean }> {
    const { tag } = request;
    const spec = jobSpec(request);
    const answer = await desk(account, {
      action: "submit",
      tag,
      find: scheduler.argvForFind(spec.name, account),
      submit: submitArgv(scheduler, spec),
      script: script(scriptFacts(config, request, account)),
      jobIdVariable: scheduler.jobIdVariable,
      order: jobOrder(config, request),
    });
    const { find: found, submit: submitted, over: isOver = false, uid } = answer;
    if (submitted && submitted.exitCode !== 0) {
      const error = refusalOf(scheduler, submitted);
      // Anything else may have come to a job all the same.
      if (error.code === "BATCH_REFUSED") await takeBack(tag, account, false);
      throw error;
    }
    // A search that failed says nothing of the job.
    const isFound = isDone(scheduler, found);
    if (!submitted && !isFound) throw noAnswer(found);
    const jobId = submitted ? read(scheduler.parseSubmit, submitted.stdout) : "";
    const owner = scheduler.ownerOf(account, uid);
    const jobs = isFound
      ? held(
          read((text) => scheduler.parseFind(text, spec.name), found.stdout),
          owner,
        )
      : [];
    const job = jobs.find((one) => one.jobId === jobId) ?? (jobId === "" ? oldest(jobs) : undefined);
    const handle = newHandle(tag, {
      jobId: job?.jobId ?? jobId,
      ...{ owner, account },
      submittedAt: job?.submittedAt ?? 0,
    });
    return { handle, isOwn: !isOver && submitted !== undefined && submitted !== null };
  }

  return {
    async start(request, { signal, progress }) {
      signal.throwIfAborted();
      const account = accountOf(config, request.user.name);
      progress("submitting", "Handing in the job", 10);
      signal.throwIfAborted();
      // It is not cut short on the way, so what it made is known and can be taken back.
      const { handle, isOwn } = await submit(request, account);
      if (signal.aborted && isOwn) await takeBack(request.tag, account);
      signal.throwIfAborted();
      return handle;
    },

    observe: (servers, { signal }) => observe(servers, signal),

    async stop(server, { graceSeconds, signal }) {
      const jobId = await livingId(server, signal);
      await cancel({ tag: server.tag, account: accountFor(server), jobId }, graceSeconds, signal);
    },

    async locate({ tag, user }, { signal }) {
      const account = accountOf(config, user.name);
      const job = oldest((await byName(tag, account, signal)).filter(({ state }) => state !== "stopping"));
      if (!job) return undefined;
      const { jobId, submittedAt, owner } = job;
      return newHandle(tag, { jobId, submittedAt, account, owner });
    },

    async logs(server, { lines, signal }) {
      const { tag } = server;
      return logLines((await desk(accountFor(server), { action: "tail", tag, lines }, signal)).lines, lines);
    },

    async cleanup(server, { signal }) {
      const { tag } = server;
      const account = accountFor(server);
      // Only the batch system knows: its owner can write a record of its end.
      const living = (await byName(tag, account, signal)).filter(({ state }) => state !== "stopping");
      const isStray = ({ jobId, state }: FoundJob): boolean =>
        (state === "queued" || state === "held") && !isOf(server.handle, jobId);
      if (!living.every(isStray) || (await mayLive(server, signal))) throw batchError("BATCH_STILL_RUNNING");
      // Nobody would ask for it again, and it would wait for its turn.
      if (living.length > 0) await cancel({ tag, account }, 0, signal);
      await desk(account, { action: "forget", tag }, signal);
    },

    form: async ({ signal }) => formOf(config, await cluster.partitions(signal)),

    async checkOptions(options, { signal }) {
      checkValues(options, scheduler);
      submitArgv(scheduler, jobSpec({ tag: "", options }));
      checkLimits(options, await cluster.partitions(signal));
    },

    check: () => checkBatch({ config, scheduler, cluster, desk, script, takeBack, apiUrl: host.apiUrl }),
  };
}

/** Whether this may be the job of a handle; one of another version says nothing of it. */
const isOf = (handle: Handle | undefined, jobId: string): boolean =>
  handle !== undefined && (handle.v !== HANDLE_VERSION || handle.jobId === jobId);

/** Of several jobs of one name the first that was handed in; the others find its claim and end. */
const oldest = (jobs: readonly FoundJob[]): FoundJob | undefined =>
  [...jobs].sort(
    (a, b) => a.submittedAt - b.submittedAt || Number.parseInt(a.jobId, 10) - Number.parseInt(b.jobId, 10),
  )[0];

/** The administrator's template; what is wrong with it or with a value in it is told as an error of the option. */
function scriptOf(config: Options, scheduler: Scheduler): ReturnType<typeof jobScript> {
  const told = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      if (error instanceof Unfit) throw badOption(error.field, error.message, error);
      throw badOption("script", `script: ${error instanceof Error ? error.message : String(error)}`, error);
    }
  };
  const render = told(() => jobScript(config.script, scheduler.submitDirVariable));
  return (facts) => told(() => render(facts));
}
