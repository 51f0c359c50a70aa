import type { ServerResponse } from "node:http";
import type { Span } from "./tracer.ts";

/** Ends the span with the answer, also when the client leaves before the answer is through. */
export function endWithAnswer(span: Span, response: ServerResponse): void {
  response.once("close", () => {
    const { statusCode, writableFinished } = response;
    span.set({ "http.response.status_code": statusCode });
    if (statusCode >= 500) span.fail(String(statusCode));
    else if (!writableFinished) span.fail("aborted");
    span.end();
  });
}
