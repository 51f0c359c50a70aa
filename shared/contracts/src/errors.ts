import { backendsErrors } from "./errors/backends.ts";
import type { ErrorEntry } from "./errors/entry.ts";
import { eventsErrors } from "./errors/events.ts";
import { peopleErrors } from "./errors/people.ts";
import { requestsErrors } from "./errors/requests.ts";
import { serversErrors } from "./errors/servers.ts";
import { startUpErrors } from "./errors/start-up.ts";
import { subscribersErrors } from "./errors/subscribers.ts";

export type { ErrorEntry } from "./errors/entry.ts";

/** Every error of the hub, by area. Codes are `AREA_WHAT` and never re-used. ERRORS.md is generated from it. */
export const ERRORS = {
  ...requestsErrors,
  ...backendsErrors,
  ...eventsErrors,
  ...peopleErrors,
  ...serversErrors,
  ...startUpErrors,
  ...subscribersErrors,
} as const;

export type ErrorCode = keyof typeof ERRORS;

export interface HubErrorOptions {
  /** Sentence for the user; default: the table's. */
  message?: string;
  /** For the log only, never sent. */
  detail?: unknown;
  cause?: unknown;
  status?: number;
  retryable?: boolean;
  retryAfterSeconds?: number;
  /** Sentence for the operator; default: the table's. */
  operator?: string;
  /** The field of the request that is wrong, where one is: a form shows the sentence there. */
  field?: string;
}

/**
 * An error with a stable code. Branch on `code`, never on the text. `message` is what the user may see; `detail` and
 * `cause` are logged only. Codes of plugins are not in the table, they bring status and sentences themselves.
 */
export class HubError extends Error {
  override readonly name = "HubError";
  readonly code: string;
  readonly status: number;
  readonly retryable: boolean;
  readonly retryAfterSeconds: number | undefined;
  readonly operator: string;
  /** "" when no single field is wrong. */
  readonly field: string;
  readonly detail: unknown;
  constructor(code: ErrorCode | (string & {}), options: HubErrorOptions = {}) {
    const entry: ErrorEntry | undefined = ERRORS[code as ErrorCode];
    super(
      options.message ?? entry?.user ?? code,
      options.cause === undefined ? {} : { cause: options.cause },
    );
    this.code = code;
    this.status = options.status ?? entry?.status ?? 500;
    this.retryable = options.retryable ?? entry?.retryable ?? false;
    this.retryAfterSeconds = options.retryAfterSeconds ?? (this.status === 503 ? 2 : undefined);
    this.operator = options.operator ?? entry?.operator ?? "";
    this.field = options.field ?? "";
    this.detail = options.detail;
  }
}

/** The code of any thrown thing, "" when it has none. */
export const codeOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "code" in error && typeof error.code === "string"
    ? error.code
    : "";
