import { codeOf, type ErrorCode, HubError } from "@elara/contracts";

/**
 * Any thrown thing as a HubError: ours as they are, the framework's by what they mean. undefined when it is neither, that
 * is a fault of the hub of which the client is told nothing.
 */
export function hubErrorOf(error: unknown): HubError | undefined {
  if (error instanceof HubError) return error;
  if (typeof error !== "object" || error === null) return undefined;
  const code = codeOf(error);
  const status = "statusCode" in error && typeof error.statusCode === "number" ? error.statusCode : 500;
  if (!code.startsWith("FST_") || status >= 500) return undefined;
  return new HubError(FRAMEWORK[code] ?? "BAD_REQUEST", { status, cause: error });
}

const FRAMEWORK: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "BODY_TOO_LARGE",
  FST_ERR_CTP_INVALID_JSON_BODY: "BODY_INVALID",
};
