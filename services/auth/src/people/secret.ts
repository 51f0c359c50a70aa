import { randomBytes, randomInt } from "node:crypto";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** A new API token: 32 hex digits, as JupyterHub's. */
export const newApiToken = (): string => randomBytes(16).toString("hex");

/** An authorization code or OAuth access token: 30 letters and digits. */
export function newAccessToken(): string {
  let text = "";
  while (text.length < 30) text += ALPHABET[randomInt(ALPHABET.length)];
  return text;
}

/** What the API calls a token: `a` and digits. Unique by the store's index, so it may be tried again. */
export const newPublicId = (): string => `a${randomInt(1, 2 ** 47)}`;
