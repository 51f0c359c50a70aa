import { failureCode } from "./failure-code.ts";
import type { Span, SpanOptions, Tracer } from "./tracer.ts";

/** Runs work in a span of its own, which ends when the work ends and fails when it throws. */
export async function spanned<T>(
  tracer: Tracer,
  name: string,
  options: SpanOptions,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const span = tracer.start(name, options);
  try {
    return await tracer.run(span, () => work(span));
  } catch (error) {
    span.fail(failureCode(error));
    throw error;
  } finally {
    span.end();
  }
}
