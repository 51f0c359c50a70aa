import type { RequestOptions } from "@elara/runtime/bus/bus";
import { spanned } from "@elara/runtime/telemetry/spanned";
import { type Span, tracerOf } from "@elara/runtime/telemetry/tracer";
import type { ServerDoc } from "./decision.ts";

/** Spans of this service. */
export const tracer = tracerOf("spawn");

/**
 * Runs a step of a server's life as a span. What the driver does joins the trace of the order by which the server
 * moves, also in a process that never saw the order: its traceparent stands in the ledger. Steps stand side by side and
 * hold no other span, so that a step which dies with its process leaves none behind that hangs on it.
 */
export const stepSpan = <T>(name: string, doc: ServerDoc, work: (span: Span) => Promise<T>): Promise<T> =>
  spanned(tracer, name, { attributes: about(doc) }, work);

/**
 * How the driver gives an order: who takes it is part of the trace beside the order's span here, not below it, so that
 * an order under way when this process dies hangs on nothing that dies with it.
 */
export const besides = ({ traceparent }: Pick<ServerDoc, "traceparent">): RequestOptions =>
  traceparent ? { traceparent } : {};

/** Tells of something that began at a time of the ledger, perhaps in another process, and ends now. */
export const tellSince = (name: string, doc: ServerDoc, since: string): void =>
  tracer
    .start(name, { attributes: about(doc), parent: doc.traceparent ?? "", startedAt: Date.parse(since) })
    .end();

/** Tells of something that ended here, by a span without length. */
export function tellFailure(name: string, doc: ServerDoc, code: string): void {
  const span = tracer.start(name, { attributes: about(doc), parent: doc.traceparent ?? "" });
  span.fail(code);
  span.end();
}

const about = (doc: ServerDoc) => ({
  "elara.server.id": doc._id,
  "elara.server.generation": doc.generation,
  "elara.server.backend": doc.backend,
  "user.id": doc.userId,
});
