import { codeOf } from "@elara/contracts";

/** What a span says of a failure: its code, else the error's name. Messages may hold anything, so they stay out. */
export const failureCode = (error: unknown): string =>
  codeOf(error) || (error instanceof Error ? error.name : "Error");
