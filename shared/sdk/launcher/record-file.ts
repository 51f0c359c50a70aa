import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";

const RECORD_BYTES = 65_536;
/** Of each log that are looked at for its last lines. */
const LOG_BYTES = 262_144;
const LINE_LENGTH = 4096;
const TEXT_LENGTH = 500;

/** A FIFO does not block, a link leads nowhere. */
const SAFE = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
const ABSENT = ["ENOENT", "ENOTDIR", "ELOOP", "ENXIO"];

/** The last bytes of a regular file; undefined when there is none, or it is longer and counts only as a whole. */
async function regular(file: string, most: number, isPartEnough: boolean): Promise<string | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(file, SAFE);
  } catch (error) {
    if (error instanceof Error && "code" in error && ABSENT.includes(String(error.code))) return undefined;
    throw error;
  }
  try {
    const found = await handle.stat();
    if (!found.isFile() || (found.size > most && !isPartEnough)) return undefined;
    const { buffer, bytesRead } = await handle.read(
      Buffer.alloc(Math.min(found.size, most)),
      0,
      Math.min(found.size, most),
      Math.max(0, found.size - most),
    );
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/**
 * What a record of this name holds; undefined when there is none: who owns the folder can put anything there. Throws when
 * it cannot be read.
 */
export async function readRecord(folder: string, name: string): Promise<unknown> {
  const text = await regular(join(folder, name), RECORD_BYTES, false);
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The last lines of a server's output, newest last, each of bounded length. */
export async function readLog(folder: string, lines: number): Promise<string[]> {
  const all: string[] = [];
  for (const name of ["log.1", "log"]) {
    all.push(...((await regular(join(folder, name), LOG_BYTES, true)) ?? "").split("\n"));
    if (all.at(-1) === "") all.pop();
  }
  return logLines(all, lines);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get out
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]+/g;

/** The last of these lines, fit for a page: their writer may have made the whole answer. */
export const logLines = (lines: readonly string[], most: number): string[] =>
  most > 0
    ? lines.slice(-most).map((line) => line.slice(0, LINE_LENGTH).replaceAll(CONTROL, " ").toWellFormed())
    : [];

/** A text of a record in one line of bounded length: what the owner of a record wrote ends up in rows and on pages. */
export const plain = (text: string): string =>
  text
    .slice(0, TEXT_LENGTH)
    .replaceAll(/\p{C}+/gu, " ")
    .trim()
    .toWellFormed();
