import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ELARA_VERSION } from "@elara/contracts";
import { layOut } from "./tree.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url)).replace(/\/$/, "");

/** An archive as it was made. */
export interface Archive {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  /** The one folder in it. */
  readonly folder: string;
}

/**
 * Makes `elara-VERSION-linux-ARCH.tar.gz` and its `.sha256` in `out`: hub, production packages, and the Node that runs
 * this very program.
 */
export async function makeArchive(out: string): Promise<Archive> {
  const folder = `elara-${ELARA_VERSION}`;
  const file = join(out, `${folder}-${process.platform}-${process.arch}.tar.gz`);
  const stage = mkdtempSync(join(tmpdir(), "elara-package-"));
  try {
    mkdirSync(out, { recursive: true });
    layOut(ROOT, join(stage, folder), { version: ELARA_VERSION, node: process.execPath });
    // Names in order, no owner, nobody but root may write: the same tree gives the same list anywhere.
    const exact = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mode=u+rwX,go+rX,go-w"];
    execFileSync("tar", ["-C", stage, ...exact, "-I", "gzip -6", "-cf", file, folder]);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  const sha256 = hash.digest("hex");
  writeFileSync(`${file}.sha256`, `${sha256}  ${basename(file)}\n`);
  return { file, bytes: statSync(file).size, sha256, folder };
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { out: { type: "string", default: join(ROOT, "dist") } } });
  const { file, bytes, sha256 } = await makeArchive(values.out);
  process.stdout.write(`${file}\n${(bytes / 1024 / 1024).toFixed(1)} MB, sha256 ${sha256}\n`);
}
