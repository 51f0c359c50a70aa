import { ELARA_VERSION, type ServiceName } from "@elara/contracts";
import {
  type Context,
  context,
  DiagLogLevel,
  diag,
  type Link,
  type Span as OtelSpan,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type TracerProvider as TracerSource,
  trace,
} from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { parseTraceParent } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import {
  detectResources,
  hostDetector,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
} from "@opentelemetry/resources";
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { Logger } from "pino";
import { newId } from "../id.ts";
import type { Span, SpanOptions, TracingBackend } from "./tracer.ts";

export interface OpenTelemetryOptions {
  /** Where spans go: `http://collector:4318/v1/traces`. */
  readonly url: string;
  /** Beside those of OTEL_EXPORTER_OTLP_HEADERS. */
  readonly headers: Readonly<Record<string, string>>;
  /** Share of the traces that begin here and are kept, 0 to 1. Who joins a trace does as it does. */
  readonly sampleRatio: number;
  readonly log: Logger;
}

/** Tracing by OpenTelemetry. */
export interface OpenTelemetry extends TracingBackend {
  /** The instance that this process is of a service; said before its first span. */
  name(service: ServiceName, instanceId: string): void;
  /** Sends what has ended. Spans still open are lost. */
  close(): Promise<void>;
}

/** A process that is killed loses what ended in this time. */
const SEND_EVERY_MS = 1000;
/** A complaint is logged again after this. */
const AGAIN_MS = 60_000;
const KINDS = { internal: SpanKind.INTERNAL, server: SpanKind.SERVER, client: SpanKind.CLIENT };

/**
 * Starts OpenTelemetry's parts for traces. Not `sdk-node`: that has one resource for a whole process, while here each
 * service is a `service.name` of its own in whatever process it runs.
 */
export function openTelemetry({ url, headers, sampleRatio, log }: OpenTelemetryOptions): OpenTelemetry {
  const complain = complaints(log);
  diag.setLogger(
    { error: complain, warn: complain, info() {}, debug() {}, verbose() {} },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const exporter = new OTLPTraceExporter({ url, headers: { ...headers } });
  const processor = new BatchSpanProcessor({ exporter, scheduledDelayMillis: SEND_EVERY_MS });
  const sampler = new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) });
  const host = detectResources({ detectors: [hostDetector, resourceAttributesEnvDetector] });
  const sources = new Map<ServiceName, TracerSource>();
  const spans = new WeakMap<Span, Context>();

  const name = (service: ServiceName, instanceId: string): TracerSource => {
    const own = resourceFromAttributes({
      "service.name": service,
      "service.namespace": "elara",
      "service.version": ELARA_VERSION,
      "service.instance.id": instanceId,
      "process.pid": process.pid,
    });
    const source = new TracerProvider({
      resource: host.merge(own),
      sampler,
      spanProcessors: [processor],
    });
    sources.set(service, source);
    return source;
  };

  const start = (service: ServiceName, title: string, options: SpanOptions): Span => {
    const source = sources.get(service) ?? name(service, newId());
    const parent = options.parent === undefined ? context.active() : contextOf(options.parent);
    const span = source.getTracer("elara", ELARA_VERSION).startSpan(
      title,
      {
        kind: KINDS[options.kind ?? "internal"],
        attributes: { ...options.attributes },
        links: linksTo(options.link ?? ""),
        ...(options.startedAt === undefined ? {} : { startTime: options.startedAt }),
      },
      parent,
    );
    const door = doorTo(span);
    spans.set(door, trace.setSpan(parent, span));
    return door;
  };

  return {
    name: (service, instanceId) => void name(service, instanceId),
    start,
    run: (span, work) => context.with(spans.get(span) ?? context.active(), work),
    within: (traceparent, work) => context.with(contextOf(traceparent), work),
    current() {
      const span = trace.getActiveSpan();
      return span ? traceparentOf(span) : "";
    },
    async close() {
      await processor.shutdown().catch((error: unknown) => complain(String(error)));
      context.disable();
      diag.disable();
    },
  };
}

function contextOf(traceparent: string): Context {
  const parent = parseTraceParent(traceparent);
  return parent ? trace.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote: true }) : ROOT_CONTEXT;
}

function linksTo(traceparent: string): Link[] {
  const other = parseTraceParent(traceparent);
  return other ? [{ context: { ...other, isRemote: true } }] : [];
}

function traceparentOf(span: OtelSpan): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags & TraceFlags.SAMPLED ? "01" : "00"}`;
}

const doorTo = (span: OtelSpan): Span => ({
  traceparent: traceparentOf(span),
  set: (attributes) => void span.setAttributes({ ...attributes }),
  fail(code) {
    span.setAttribute("error.type", code);
    span.setStatus({ code: SpanStatusCode.ERROR });
  },
  end: () => span.end(),
});

/** A collector that is away is told once a minute, not with every batch. */
function complaints(log: Logger): (complaint: string) => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  return (complaint) => {
    const now = performance.now();
    if (now - toldAt < AGAIN_MS) return;
    toldAt = now;
    log.warn({ complaint: complaint.slice(0, 500) }, "telemetry not sent");
  };
}
