import type Docker from "dockerode";
import { askFor } from "./engine.ts";

/** Last lines a container printed, newest last; none when it is gone. */
export async function logLines(
  container: Docker.Container,
  lines: number,
  signal: AbortSignal,
): Promise<string[]> {
  const asked = { stdout: true, stderr: true, tail: lines } as const;
  const log = await askFor((abortSignal) => container.logs({ ...asked, follow: false, abortSignal }), {
    signal,
  });
  if (!Buffer.isBuffer(log)) return [];
  // Frames: one byte that says which stream, three empty ones, four with the length, then the text.
  const parts: Buffer[] = [];
  for (let at = 0; at + 8 <= log.length; at += 8 + log.readUInt32BE(at + 4))
    parts.push(log.subarray(at + 8, at + 8 + log.readUInt32BE(at + 4)));
  const text = Buffer.concat(parts).toString().replace(/\n$/, "");
  return text === "" ? [] : text.split("\n").slice(-lines);
}
