import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

const derive = promisify<string, Buffer, number, Buffer>(scrypt);
const BYTES = 32;
/** What is longer is no password, and costs no time. */
const MAX_CHARS = 1024;

/** A hashed password: `scrypt:{salt}:{hash}`, both base64url. As an option's `pattern`. */
export const PASSWORD_PATTERN = "^scrypt:[\\w-]{22}:[\\w-]{43}$";

/** A password as it may stand in a configuration, in the form of PASSWORD_PATTERN. `elara hash-password` prints it. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  return `scrypt:${salt.toString("base64url")}:${(await derive(password, salt, BYTES)).toString("base64url")}`;
}

/** Whether it is the password behind the hash. Without one it takes as long and says no, so that time tells no names. */
export async function isPassword(password: string, hashed: string | undefined): Promise<boolean> {
  if (password.length > MAX_CHARS) return false;
  const [, salt = "", hash = ""] = (hashed ?? "").split(":");
  const found = await derive(password, Buffer.from(salt, "base64url"), BYTES);
  const expected = Buffer.from(hash, "base64url");
  return expected.length === BYTES && timingSafeEqual(found, expected);
}
