import { AsyncLocalStorage } from "node:async_hooks";
import {
  installTracing,
  type Span,
  type SpanOptions,
  type TracingBackend,
} from "../../src/telemetry/tracer.ts";

/** A span as it was when it ended. */
export interface RecordedSpan {
  readonly service: string;
  readonly name: string;
  readonly options: SpanOptions;
  readonly traceparent: string;
  readonly attributes: Record<string, unknown>;
  failed: string;
}

/** Switches on tracing that keeps its spans here, until `end`. */
export function recordSpans(): { spans: RecordedSpan[]; end(): void } {
  const spans: RecordedSpan[] = [];
  const context = new AsyncLocalStorage<string>();
  let count = 0;
  const backend: TracingBackend = {
    start(service, name, options) {
      const traceparent = `00-${"a".repeat(32)}-${String(++count).padStart(16, "0")}-01`;
      const recorded: RecordedSpan = {
        service,
        name,
        options: { parent: backend.current(), ...options },
        traceparent,
        attributes: { ...options.attributes },
        failed: "",
      };
      const span: Span = {
        traceparent,
        set: (attributes) => void Object.assign(recorded.attributes, attributes),
        fail(code) {
          recorded.failed = code;
        },
        end: () => void spans.push(recorded),
      };
      return span;
    },
    run: (span, work) => context.run(span.traceparent, work),
    within: (traceparent, work) => context.run(traceparent, work),
    current: () => context.getStore() ?? "",
  };
  installTracing(backend);
  return { spans, end: () => installTracing(undefined) };
}
