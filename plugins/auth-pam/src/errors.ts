import type { PluginErrors } from "@elara/sdk";

/** What can go wrong with PAM. The codes of refusal come only after the right password. */
export const errors = {
  PAM_ACCOUNT_EXPIRED: {
    status: 403,
    user: "Your account has expired. Ask its administrators.",
    operator: "PAM's account phase says the account has expired (`chage -l NAME`).",
  },
  PAM_PASSWORD_EXPIRED: {
    status: 403,
    user: "Your password has expired. Change it on a login machine, then come back.",
    operator: "PAM asks for a new password (`chage -l NAME`); the hub cannot change passwords.",
  },
  PAM_ACCOUNT_REFUSED: {
    status: 403,
    user: "Your account may not log in here. Ask its administrators.",
    operator: "The password was right, PAM's account phase refused (pam_access, pam_nologin, pam_time, …).",
  },
  PAM_UNAVAILABLE: {
    status: 503,
    user: "Passwords cannot be checked at the moment. Try again later.",
    operator: "PAM answered with an error that says nothing about the password; the log has its number.",
    retryable: true,
  },
  PAM_NOT_PERMITTED: {
    status: 503,
    user: "Passwords cannot be checked at the moment. Try again later.",
    operator:
      "PAM cannot read its account data. Run the auth service as root; a plain user can check only its own password.",
  },
  PAM_TIMEOUT: {
    status: 503,
    user: "Passwords cannot be checked at the moment. Try again later.",
    operator:
      "PAM gave no answer within `timeoutSeconds`; its helper was killed. Is a directory server away?",
    retryable: true,
  },
  PAM_BUSY: {
    status: 503,
    user: "Too many people are logging in right now. Try again in a moment.",
    operator: "All `concurrent` PAM helpers are at work and the queue is full.",
    retryable: true,
  },
  PAM_HELPER_FAILED: {
    status: 503,
    user: "Passwords cannot be checked at the moment. Try again later.",
    operator:
      "The PAM helper did not run. It needs Python 3.6 or newer with ctypes, and libpam.so.0; option `python` names the interpreter.",
  },
  PAM_SERVICE_MISSING: {
    status: 503,
    user: "Passwords cannot be checked at the moment. Try again later.",
    operator: "There is no /etc/pam.d file for option `service`; PAM would silently use `other`.",
  },
} satisfies PluginErrors;
