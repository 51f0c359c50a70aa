import type { ErrorEntry } from "./entry.ts";

/** What can be wrong with a request as such, and with its credentials. */
export const requestsErrors = {
  INTERNAL: {
    status: 500,
    user: "Internal Server Error",
    operator: "A fault of the hub. Find the log line by its request id; report it with the stack.",
  },
  BAD_REQUEST: {
    status: 400,
    user: "The request could not be understood.",
    operator: "The client sent something malformed; the message names the field.",
  },
  BODY_INVALID: {
    status: 400,
    user: "Invalid JSON in body of request",
    operator: "A client sent a body that is not JSON.",
  },
  BODY_TOO_LARGE: {
    status: 413,
    user: "The request is too large.",
    operator: "A client sent a body of more than 1 MB.",
  },
  FIELD_INVALID: {
    status: 400,
    user: "A field of the request is wrong.",
    operator: "The message names the field, what it got and what is accepted.",
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    user: "Method Not Allowed",
    operator: "The path exists, the method does not; the Allow header lists those that do.",
  },
  NOT_FOUND: { status: 404, user: "Not Found", operator: "Nothing is registered at this path." },
  NO_CREDENTIALS: {
    status: 403,
    user: "Missing or invalid credentials.",
    operator: "No cookie or token came with the request, or it is unknown, expired or revoked.",
  },
  SCOPE_MISSING: {
    status: 403,
    user: "Action is not authorized with current scopes",
    operator:
      "The credential is valid but holds none of the scopes the route asks for; the message lists them.",
  },
  NO_ACCESS: {
    status: 404,
    user: "No access to resources or resources not found",
    operator: "The credential's scopes are filtered to other resources, or the resource does not exist.",
  },
  XSRF_MISSING: {
    status: 403,
    user: "'_xsrf' argument missing",
    operator:
      "A cookie-authenticated request came without its XSRF token: another site, or a client that should use a token.",
  },
  XSRF_MISMATCH: {
    status: 403,
    user: "XSRF cookie does not match the argument",
    operator: "The XSRF token belongs to another session or is too old.",
  },
  PROXY_NO_UPSTREAM: {
    status: 503,
    user: "The hub is starting or partly down. Running servers go on. Try again in a moment.",
    operator: "No live instance of the service this path belongs to. Is it running?",
    retryable: true,
  },
  PROXY_UPSTREAM_FAILED: {
    status: 503,
    user: "The server at this address does not answer.",
    operator: "The connection to the route's target was refused or broke.",
    retryable: true,
  },
  PROXY_REQUEST_INVALID: {
    status: 400,
    user: "The request could not be understood.",
    operator: "Malformed or ambiguous HTTP (lengths, encodings) was refused at the door.",
  },
  PROXY_HEAD_TOO_LARGE: {
    status: 431,
    user: "Your browser sent more than the hub takes at once: too many cookies, or an address that is too long. Delete this site's cookies, then try again.",
    operator:
      "Address and header lines of a request were more than 64 KiB, most often cookies of many services on one host.",
  },
} as const satisfies Record<string, ErrorEntry>;
