import type { ServiceName } from "@elara/contracts";

/** What a span may tell: ids, codes, counts. Never a secret, a query, or words that a person chose. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanOptions {
  /** `server`: answers somebody; `client`: waits for somebody; default: work of its own. */
  readonly kind?: "internal" | "server" | "client";
  readonly attributes?: Attributes;
  /** W3C traceparent of the span it is part of; "": a trace of its own. Default: the span that runs now. */
  readonly parent?: string;
  /** W3C traceparent of a span of somebody else's that led here. */
  readonly link?: string;
  /** When it began, in milliseconds since the epoch, where that is long known; default: now. */
  readonly startedAt?: number;
}

/** A piece of work with a begin and an end. */
export interface Span {
  /** W3C traceparent to send along; "" while telemetry is off. */
  readonly traceparent: string;
  set(attributes: Attributes): void;
  /** The work failed: a code of the hub's table or of a plugin's, or the name of an error. */
  fail(code: string): void;
  end(): void;
}

/** Spans of one service. While telemetry is off nothing happens and nothing is loaded. */
export interface Tracer {
  start(name: string, options?: SpanOptions): Span;
  /** Runs work as part of the span: spans begun and orders given in it belong to it. */
  run<T>(span: Span, work: () => T): T;
  /** Runs work as part of a span of another process or of an earlier time; "": as part of none. */
  within<T>(traceparent: string, work: () => T): T;
}

/** What makes real spans. The launcher installs one when telemetry is on. */
export interface TracingBackend {
  start(service: ServiceName, name: string, options: SpanOptions): Span;
  run<T>(span: Span, work: () => T): T;
  within<T>(traceparent: string, work: () => T): T;
  /** The span that runs now; "" outside of all. */
  current(): string;
}

const noSpan: Span = { traceparent: "", set() {}, fail() {}, end() {} };

// One per process, as the context it carries is one per process.
let backend: TracingBackend | undefined;

/** Switches tracing on for this process; undefined: off again. */
export function installTracing(installed: TracingBackend | undefined): void {
  backend = installed;
}

let isTrusting = false;

/** Says whether a client's own traceparent is joined. */
export function trustIncoming(trust: boolean): void {
  isTrusting = trust;
}

/** Where a request from outside belongs: to the client's trace where that is trusted, else to a new one that links to it. */
export const fromOutside = (traceparent: string): Pick<SpanOptions, "parent" | "link"> =>
  isTrusting ? { parent: traceparent } : { parent: "", link: traceparent };

/** Whether spans are made in this process. */
export const isTracing = (): boolean => backend !== undefined;

/** W3C traceparent of the span that runs now; "" outside of all, and while telemetry is off. */
export const currentTraceparent = (): string => backend?.current() ?? "";

/** The service's tracer; may be asked for before tracing is on. */
export const tracerOf = (service: ServiceName): Tracer => ({
  start: (name, options = {}) => backend?.start(service, name, options) ?? noSpan,
  run: (span, work) => (backend ? backend.run(span, work) : work()),
  within: (traceparent, work) => (backend ? backend.within(traceparent, work) : work()),
});
