import { createHash } from "node:crypto";

/**
 * A user's name as one folder name: usual names stay as they are, everything else becomes `=HH` per byte. Two names
 * never share a folder, also where the file system ignores case.
 */
export function folderName(name: string): string {
  let folder = "";
  for (const byte of Buffer.from(name)) {
    const char = String.fromCharCode(byte);
    const plain = /[a-z0-9_@+-]/.test(char) || (char === "." && folder !== "");
    folder += plain ? char : `=${byte.toString(16).padStart(2, "0")}`;
  }
  // `==` never comes out of the above. 255 bytes is what file systems take.
  if (folder.length > 200) return `==${createHash("sha256").update(name).digest("hex")}`;
  return folder === "" ? "==" : folder;
}
