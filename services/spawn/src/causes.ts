import { type Cause, codeOf, ERRORS, type ErrorCode, HubError } from "@elara/contracts";
import type { PluginErrors, Row } from "@elara/sdk";

/** A cause from the table; `operator` adds what is known of this case. */
export function causeOf(
  code: ErrorCode,
  at: string,
  more: { message?: string; operator?: string } = {},
): Cause {
  const entry = ERRORS[code];
  return {
    code,
    message: more.message ?? entry.user,
    operator: more.operator ? `${entry.operator} ${more.operator}` : entry.operator,
    at,
  };
}

/** A cause from whatever a plugin or the bus threw. Only an error with a code may speak to the user. */
export function causeOfError(error: unknown, at: string): Cause {
  if (error instanceof HubError || (error instanceof Error && "operator" in error && codeOf(error) !== "")) {
    const operator = "operator" in error && typeof error.operator === "string" ? error.operator : "";
    const code = codeOf(error);
    return { code, message: error.message, operator, at, ...statusOf(code, Object(error).status) };
  }
  const text = error instanceof Error ? error.message : String(error);
  return causeOf("SPAWN_SUBMIT_FAILED", at, { operator: text.slice(0, 300) });
}

/** The status that a plugin gives to its own code, where it is one of a failure. */
const statusOf = (code: string, status: unknown): Pick<Cause, "status"> =>
  !Object.hasOwn(ERRORS, code) && Number.isInteger(status) && Number(status) >= 400 && Number(status) < 600
    ? { status: Number(status) }
    : {};

/** Why a server ended by itself, in the plugin's words where it has a code for it. */
export function causeOfEnd(
  code: "SPAWN_ENDED" | "SERVER_ENDED",
  row: Row,
  errors: PluginErrors,
  at: string,
): Cause {
  const own = row.end?.code === undefined ? undefined : errors[row.end.code];
  const how =
    row.end?.signal !== undefined
      ? `Signal ${row.end.signal}.`
      : row.end?.exitCode !== undefined
        ? `Exit code ${row.end.exitCode}.`
        : "";
  const facts = [how, row.reason ?? ""].filter((part) => part !== "").join(" ");
  if (own && row.end?.code !== undefined)
    return {
      code: row.end.code,
      message: own.user,
      operator: `${own.operator} ${facts}`.trim(),
      at,
      ...statusOf(row.end.code, own.status),
    };
  return causeOf(code, at, {
    message: `${ERRORS[code].user}${how === "" ? "" : ` ${how}`}`,
    operator: facts,
  });
}
