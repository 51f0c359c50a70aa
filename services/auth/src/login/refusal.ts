import { HubError } from "@elara/contracts";

/**
 * Somebody the authenticator knows, and who is not let in all the same. Has code, sentences and status of the error that
 * said so.
 */
export class LoginRefused extends HubError {
  /** As whom the authenticator knows the person, fit to be shown; "" where it did not say. */
  readonly who: string;

  constructor(error: HubError, who: string) {
    const { message, operator, status, retryable, detail } = error;
    super(error.code, { message, operator, status, retryable, detail, cause: error.cause });
    this.who = shownName(who);
  }
}

const LONGEST = 80;

/** A name from outside as it may be shown: nothing that is invisible or turns the line around, not endless. */
function shownName(text: string): string {
  const plain = text
    .slice(0, 1024)
    .replaceAll(/[\p{C}\p{Z}]+/gu, " ")
    .trim();
  return plain.length > LONGEST ? `${plain.slice(0, LONGEST)}…` : plain;
}
