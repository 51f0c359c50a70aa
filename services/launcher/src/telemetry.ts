import { HubError } from "@elara/contracts";
import { type TelemetryConfig, TelemetrySection } from "@elara/runtime/config/telemetry";
import type { ServiceDefinition } from "@elara/runtime/service";
import type { OpenTelemetry } from "@elara/runtime/telemetry/open-telemetry";
import { tracedBus } from "@elara/runtime/telemetry/traced-bus";
import { tracedUpstreams } from "@elara/runtime/telemetry/traced-upstreams";
import { installTracing, tracerOf, trustIncoming } from "@elara/runtime/telemetry/tracer";
import { within } from "@elara/runtime/within";
import type { Logger } from "pino";
import { resolved, type Settings } from "./settings.ts";

/** Telemetry of this process, switched on. */
export interface Telemetry {
  /** The service with its orders and the requests it hands on traced. */
  traced(definition: ServiceDefinition): ServiceDefinition;
  /** Sends what has ended, within a moment. */
  close(): Promise<void>;
}

const CLOSE_MS = 2000;

/** Switches telemetry on where the configuration or OpenTelemetry's environment names say so; undefined: off, nothing loaded. */
export async function startTelemetry(settings: Settings, log: Logger): Promise<Telemetry | undefined> {
  const { env } = process;
  const config: TelemetryConfig = resolved(settings, "telemetry", TelemetrySection);
  if (!isOn(config, env)) return undefined;
  refuseOtherProtocols(env);
  const { openTelemetry } = await import("@elara/runtime/telemetry/open-telemetry");
  const backend: OpenTelemetry = openTelemetry({
    url: tracesUrl(config, env),
    headers: Object.fromEntries(config.headers.map(({ name, value }) => [name, value])),
    sampleRatio: config.sampleRatio ?? sampleRatioOf(env),
    log,
  });
  installTracing(backend);
  trustIncoming(config.trustIncoming);
  return {
    traced: (definition) => ({
      ...definition,
      start(context) {
        const { service } = context;
        backend.name(service, context.instance.id);
        const tracer = tracerOf(service);
        return definition.start({
          ...context,
          bus: tracedBus(context.bus, tracer),
          upstreams: tracedUpstreams(context.upstreams, tracer),
        });
      },
    }),
    async close() {
      await within(
        CLOSE_MS,
        backend.close().catch(() => undefined),
      );
    },
  };
}

/** OTEL_SDK_DISABLED and OTEL_TRACES_EXPORTER=none switch off whatever else is said. */
export function isOn(config: Pick<TelemetryConfig, "endpoint">, env: NodeJS.ProcessEnv): boolean {
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === "true" || env.OTEL_TRACES_EXPORTER === "none") return false;
  return [config.endpoint, env.OTEL_EXPORTER_OTLP_ENDPOINT, env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT].some(
    (endpoint) => endpoint !== undefined && endpoint.trim() !== "",
  );
}

/** Where traces go: what the configuration says, else OpenTelemetry's names; a base address gets `/v1/traces` behind it. */
export function tracesUrl(config: Pick<TelemetryConfig, "endpoint">, env: NodeJS.ProcessEnv): string {
  const whole = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT?.trim();
  if (config.endpoint === "" && whole) return whole;
  const base = config.endpoint || (env.OTEL_EXPORTER_OTLP_ENDPOINT ?? "").trim();
  return `${base.replace(/\/$/, "")}/v1/traces`;
}

/** What OTEL_TRACES_SAMPLER and its argument ask for. Throws CONFIG_INVALID where it is no sampler known here. */
export function sampleRatioOf(env: NodeJS.ProcessEnv): number {
  const sampler = (env.OTEL_TRACES_SAMPLER ?? "").replace(/^parentbased_/, "");
  if (sampler === "" || sampler === "always_on") return 1;
  if (sampler === "always_off") return 0;
  const ratio = Number(env.OTEL_TRACES_SAMPLER_ARG || "1");
  if (sampler === "traceidratio" && ratio >= 0 && ratio <= 1) return ratio;
  throw invalid(
    sampler === "traceidratio"
      ? `OTEL_TRACES_SAMPLER_ARG: "${env.OTEL_TRACES_SAMPLER_ARG}" is no share between 0 and 1; set one, e.g. 0.1.`
      : `OTEL_TRACES_SAMPLER: "${env.OTEL_TRACES_SAMPLER}" is not known; set always_on, always_off or traceidratio, with or without parentbased_ in front.`,
  );
}

/** Throws CONFIG_INVALID when the environment asks for a protocol that is not spoken here. */
export function refuseOtherProtocols(env: NodeJS.ProcessEnv): void {
  for (const name of ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"]) {
    const protocol = env[name];
    if (protocol && protocol !== "http/protobuf")
      throw invalid(
        `${name}: "${protocol}" is not spoken; set http/protobuf or leave it out. A collector takes that at port 4318.`,
      );
  }
}

const invalid = (operator: string): HubError => new HubError("CONFIG_INVALID", { operator });
