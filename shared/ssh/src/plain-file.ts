import { constants, open } from "node:fs/promises";

/** What is wrong with a file, in words that go after its name; the system's error is the cause. */
export class FileFault extends Error {
  override readonly name = "FileFault";
}

/** Longer is no file of keys. */
const MOST_BYTES = 16 * 1024 ** 2;

/** Reads a file that has to be one: pipes and devices would keep the reader waiting for ever. Throws a FileFault. */
export async function plainFile(file: string): Promise<{ text: string; mode: number; uid: number }> {
  const fault = (cause: unknown) => new FileFault(`cannot be read: ${cause}`, { cause });
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw fault(error);
  });
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) {
      const kind = stat.isDirectory() ? "a directory" : stat.isFIFO() ? "a pipe" : "a device";
      throw new FileFault(`is ${kind}, not a file`);
    }
    if (stat.size > MOST_BYTES) throw new FileFault(`is longer than ${MOST_BYTES} bytes`);
    return { text: await handle.readFile("utf8"), mode: stat.mode, uid: stat.uid };
  } catch (error) {
    throw error instanceof FileFault ? error : fault(error);
  } finally {
    await handle.close();
  }
}
