import type { Access } from "@elara/runtime/http/access";
import { askOthers, type Told } from "@elara/runtime/metrics/exchange";
import { exposition } from "@elara/runtime/metrics/exposition";
import { counted } from "@elara/runtime/metrics/meter";
import type { ServiceContext } from "@elara/runtime/service";
import type { FastifyInstance } from "fastify";
import type { WebConfig } from "../config.ts";
import { hubGauges } from "../metrics/hub-gauges.ts";

/** Scrapers that come together get one answer: each costs every process a count. */
const SHARED_MS = 1000;
const SERVICES = ["auth", "spawn", "web", "culler", "proxy"] as const;

/**
 * JupyterHub's metrics for Prometheus. What is true of the whole hub comes from the store and is told once; what each
 * process counted stands under its own label `process`, so that any replica gives the same answer and one that ends
 * takes its series with it.
 */
export function metricsRoutes(
  app: FastifyInstance,
  context: Pick<
    ServiceContext<WebConfig>,
    "hub" | "config" | "bus" | "store" | "clock" | "log" | "liveness" | "instance"
  >,
) {
  const { hub, config, bus, clock, liveness, instance } = context;
  const access: Access = config.authenticatePrometheus
    ? { kind: "scopes", anyOf: ["read:metrics"] }
    : { kind: "public" };
  const gauges = hubGauges(context);
  const others = askOthers(bus);

  const scrape = async () => {
    const rows = SERVICES.flatMap((name) => liveness.live(name));
    const services = new Map(rows.map((row) => [row._id, row.service]));
    // In one process nobody listens for the others.
    const isOne = rows.every(({ address }) => address === "");
    const [own, hubWide, told] = await Promise.all([
      counted(),
      gauges.read(),
      others.ask([...services.keys()]),
    ]);
    const isOwn = ({ instances }: Told) => instances.includes(instance.id);
    const mine: Told = { instances: told.find(isOwn)?.instances ?? [instance.id], metrics: own };
    const by = [mine, ...told.filter((each) => !isOwn(each))].map(
      ({ instances, metrics }) => [processName(instances, services), metrics] as const,
    );
    return exposition(new Map(by), hubWide, isOne);
  };
  let last: { readonly answer: ReturnType<typeof scrape>; readonly at: number } | undefined;
  const shared = (): ReturnType<typeof scrape> => {
    const now = clock.monotonic();
    if (last && now - last.at < SHARED_MS) return last.answer;
    const mine = { answer: scrape(), at: now };
    last = mine;
    mine.answer.catch(() => {
      if (last === mine) last = undefined;
    });
    return mine.answer;
  };

  for (const url of [`${hub.baseUrl}hub/metrics`, `${hub.baseUrl}hub/api/metrics`])
    app.get(url, { config: { access } }, async (_request, reply) => {
      const { type, text } = await shared();
      return reply.type(type).send(text);
    });
  return { close: () => others.close() };
}

/** `spawn-3f2a91c0`: what runs there, and which of several it is. */
const processName = (instances: readonly string[], services: ReadonlyMap<string, string>): string =>
  `${instances.map((id) => services.get(id) ?? "").join("-")}-${instances[0]?.slice(0, 8)}`;
