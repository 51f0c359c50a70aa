import { createHash } from "node:crypto";
import type { ServerKey } from "@elara/sdk";
import type Docker from "dockerode";
import type { Options } from "./options.ts";

type Volume = Options["volumes"][number];
const isFolder = ({ source }: Volume): boolean => source.startsWith("/");

/**
 * A name as a part of a folder's or volume's name: what is plain stays, all else becomes a mark and two digits per byte,
 * so no two names meet and none leads elsewhere. "" is the mark alone.
 */
function encoded(name: string, plain: RegExp, mark: string): string {
  let text = "";
  for (const byte of Buffer.from(name)) {
    const char = String.fromCharCode(byte);
    const isPlain = plain.test(char) && !(char === "." && text === "");
    text += isPlain ? char : `${mark}${byte.toString(16).padStart(2, "0")}`;
  }
  if (text.length > 100) return `${mark}${mark}${createHash("sha256").update(name).digest("hex")}`;
  return text === "" ? mark : text;
}

/** Mounts of one server's container. */
export const mountsOf = (volumes: Options["volumes"], { user, server }: ServerKey): Docker.MountConfig =>
  volumes.map((volume) => {
    const [plain, mark] = isFolder(volume) ? ([/[a-z0-9_@+.-]/, "="] as const) : ([/[a-z0-9]/, "_"] as const);
    const Source = volume.source
      .replaceAll("{username}", () => encoded(user.name, plain, mark))
      .replaceAll("{servername}", () => encoded(server, plain, mark));
    const Type = isFolder(volume) ? "bind" : "volume";
    return { Type, Source, Target: volume.target, ReadOnly: volume.readOnly };
  });

/** What is wrong with a volume's source: the names of two servers could come out as one. */
export function sourceFault(volume: Volume): string | undefined {
  const { source } = volume;
  const rest = source.replaceAll(/\{(username|servername)\}/g, "");
  if (/[{}]/.test(rest)) return "knows {username} and {servername} only";
  if (isFolder(volume)) {
    if (/\.\.(\/|$)/.test(source)) return "must not lead upwards";
    return /\}[^/]*\{/.test(source) ? "needs a / between {username} and {servername}" : undefined;
  }
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(source.replaceAll(/[{}]/g, "")) || source.startsWith("{"))
    return "must be a name of letters, digits, _ . - that begins with a letter or digit of its own";
  return /\}[a-z0-9_]*\{/.test(source) ? "needs - or . between {username} and {servername}" : undefined;
}
