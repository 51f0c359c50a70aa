import { HubError } from "@elara/contracts";

/** A parsed JSON body. */
export type Body = Readonly<Record<string, unknown>>;

/** Whether a JSON value is an object (no array, no null). */
export const isObject = (value: unknown): value is Body =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** 400 with a sentence of its own. */
export const badRequest = (message: string): HubError => new HubError("FIELD_INVALID", { message });

/** No body, or one that says nothing. */
export const isEmpty = (body: unknown): boolean =>
  body === undefined ||
  body === null ||
  body === "" ||
  (Array.isArray(body) && body.length === 0) ||
  (isObject(body) && Object.keys(body).length === 0);
