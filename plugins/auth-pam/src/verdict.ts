import type { errors } from "./errors.ts";
import type { Answer } from "./helper.ts";

// Return codes of Linux-PAM, <security/_pam_types.h>.
const SUCCESS = 0;
const PERM_DENIED = 6;
const AUTH_ERR = 7;
const CRED_INSUFFICIENT = 8;
const AUTHINFO_UNAVAIL = 9;
const USER_UNKNOWN = 10;
const MAXTRIES = 11;
const NEW_AUTHTOK_REQD = 12;
const ACCT_EXPIRED = 13;
const AUTHTOK_EXPIRED = 27;

/** `refused` is "wrong name or password", one answer for both; the rest names an error. */
export type Verdict = "accepted" | "refused" | keyof typeof errors;

/** What PAM's answer means for the person at the login form. */
export function verdictOf({ code, phase, lacking, user }: Answer): Verdict {
  if (code === SUCCESS) return user === undefined ? "PAM_UNAVAILABLE" : "accepted";
  // Each module has its own code for it; to the outside it is a wrong password.
  if (lacking) return "refused";
  if (code === AUTHINFO_UNAVAIL) return "PAM_NOT_PERMITTED";
  if (phase === "auth") {
    return [AUTH_ERR, USER_UNKNOWN, MAXTRIES, PERM_DENIED, CRED_INSUFFICIENT, ACCT_EXPIRED].includes(code)
      ? "refused"
      : "PAM_UNAVAILABLE";
  }
  if (phase === "account") {
    if (code === ACCT_EXPIRED) return "PAM_ACCOUNT_EXPIRED";
    if (code === NEW_AUTHTOK_REQD || code === AUTHTOK_EXPIRED) return "PAM_PASSWORD_EXPIRED";
    if ([PERM_DENIED, AUTH_ERR, USER_UNKNOWN].includes(code)) return "PAM_ACCOUNT_REFUSED";
  }
  return "PAM_UNAVAILABLE";
}
