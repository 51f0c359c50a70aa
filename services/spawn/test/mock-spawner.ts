import { setTimeout as sleep } from "node:timers/promises";
import { PluginError, type Row, spawnerPlugin, Type } from "@elara/sdk";
import type { MockWorld } from "./mock-world.ts";

const errors = {
  MOCK_REFUSED: {
    status: 403,
    user: "The mock backend refuses you.",
    operator: "The option `refuses` was set.",
  },
  MOCK_DOWN: {
    status: 503,
    user: "The mock backend is down.",
    operator: "The world is down.",
    retryable: true,
  },
  MOCK_KILLED: { status: 500, user: "Your server used too much memory.", operator: "Out of memory." },
};

const choice = { userChoice: true, default: false };

/** A spawner over a world that instances share. Its options tell how a job misbehaves; `isCut`: its process was killed. */
export const mockSpawner = (world: MockWorld, isCut: () => boolean = () => false) =>
  spawnerPlugin({
    name: "mock",
    options: Type.Object(
      {
        refuses: Type.Boolean(choice),
        deaf: Type.Boolean(choice),
        makesFirst: Type.Boolean(choice),
        queues: Type.Boolean(choice),
        homeless: Type.Boolean(choice),
        sick: Type.Boolean(choice),
        endsAtOnce: Type.Boolean(choice),
        ignoresStop: Type.Boolean(choice),
        submitMs: Type.Integer({ userChoice: true, default: 0, minimum: -1 }),
        fixed: Type.String({ default: "by the administrator", perStart: true }),
        image: Type.String({ userChoice: true, default: "a:1", pattern: "^[a-z]+:", title: "Image" }),
        cores: Type.Integer({ userChoice: true, default: 1, minimum: 1, maximum: 8 }),
      },
      { additionalProperties: false },
    ),
    handle: Type.Object({ v: Type.Literal(1), tag: Type.String(), number: Type.Integer() }),
    errors,
    observeMs: world.observeMs,
    setup: (configured) => {
      // A process that was killed reaches nobody any more, and never hears an answer.
      const answer = async () => {
        if (isCut()) await new Promise(() => {});
        if (world.isDown) throw new PluginError(errors, "MOCK_DOWN");
      };
      const handleOf = (job: { tag: string; number: number }) => ({
        v: 1 as const,
        tag: job.tag,
        number: job.number,
      });
      return {
        async start({ tag, options, env, argv }, { signal, progress }) {
          world.requests.push({ argv, env, options });
          world.tellers.push((message) => progress("pulling", message));
          world.calls.push(`start ${tag}`);
          world.tokens.push(env.JUPYTERHUB_API_TOKEN ?? "");
          await answer();
          if (options.refuses || world.refusesStarts)
            throw new PluginError(errors, "MOCK_REFUSED", { nothingMade: world.isNothingMade });
          progress("submitting", `Submitting for ${env.JUPYTERHUB_USER}`, 10);
          if (options.makesFirst) {
            // What real backends do on an abort: what this start made is taken back.
            signal.addEventListener("abort", () => {
              world.aborted.push("start");
              world.end(tag);
            });
            await world.make(tag, options, env);
          }
          if (options.submitMs < 0) await world.untilFinished();
          else if (options.submitMs > 0)
            await sleep(options.submitMs, undefined, options.deaf ? {} : { signal });
          if (!options.deaf) signal.throwIfAborted();
          const job = await world.make(tag, options, env);
          await answer();
          return handleOf(job);
        },
        async observe(servers, { signal }) {
          world.observed++;
          world.lookedAt.push(performance.now());
          if (world.looksTakeMs > 0) await sleep(world.looksTakeMs);
          world.looks.push(servers.map(({ tag }) => tag));
          await answer();
          if (["", configured.fixed].includes(world.holdsOnly)) await world.hold("observe", signal);
          const rows: Row[] = [];
          for (const { tag, handle } of servers) {
            const { number } = handle;
            const twin = world.twins.get(tag);
            const job = twin?.number === number ? twin : world.jobs.get(tag);
            if (!job || world.hidden.has(tag)) continue;
            rows.push({
              tag,
              state: job.state,
              ...(job.url === "" ? {} : { url: job.url }),
              ...(job.state === "queued" ? { reason: "Priority" } : {}),
              ...(job.reason === undefined ? {} : { reason: job.reason }),
              ...(job.endsAt === undefined ? {} : { endsAt: job.endsAt }),
              ...(job.state === "ended" ? { end: endOf(job) } : {}),
            });
          }
          return { complete: !world.isIncomplete, rows };
        },
        async stop({ tag, handle }) {
          world.calls.push(`stop ${tag}`);
          await answer();
          const twin = world.twins.get(tag);
          if (twin?.number === handle.number) {
            twin.state = "ended";
            return;
          }
          const job = world.jobs.get(tag);
          if (!job) return;
          job.stops++;
          if (!job.mood.ignoresStop) world.end(tag, { signal: "SIGTERM" });
        },
        async locate({ tag }, { signal }) {
          world.calls.push(`locate ${tag}`);
          await answer();
          await world.hold("locate", signal);
          if (world.isSearchDown) throw new PluginError(errors, "MOCK_DOWN");
          if (world.isSearchRefused) throw new PluginError(errors, "MOCK_REFUSED");
          const twin = world.twins.get(tag);
          const job = twin && twin.state !== "ended" ? twin : world.jobs.get(tag);
          return job && !world.unfindable.has(tag) ? handleOf(job) : undefined;
        },
        async logs({ tag }, { lines, signal }) {
          const last = world.jobs.get(tag)?.lines.slice(-lines) ?? [];
          await world.hold("logs", signal);
          return last;
        },
        async form({ signal }) {
          world.forms++;
          return world.form(signal);
        },
        checkOptions: (options) => world.rules?.(options),
        ...(world.apiUrl && { apiUrl: async () => world.apiUrl?.() ?? "" }),
        async cleanup({ tag }) {
          world.cleaned.push(tag);
          world.jobs.delete(tag);
        },
      };
    },
  });

const endOf = ({ exitCode, signal, code }: { exitCode?: number; signal?: string; code?: string }) => ({
  ...(exitCode === undefined ? {} : { exitCode }),
  ...(signal === undefined ? {} : { signal }),
  ...(code === undefined ? {} : { code }),
});
