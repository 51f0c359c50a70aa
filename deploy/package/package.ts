import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ELARA_VERSION } from "@elara/contracts";
import { checkoutOf } from "./checkout.ts";
import { layOut } from "./tree.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url)).replace(/\/$/, "");

/** An archive as it was made. */
export interface Archive {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  /** What the hub in it calls itself. */
  readonly version: string;
  /** The one folder in it. */
  readonly folder: string;
  /** What it was made of, in words. */
  readonly source: string;
}

/** How an archive is to be made. */
export interface ArchiveOptions {
  /** With changes and new files that are not committed: the archive is marked `-dirty`. Default: changes are refused. */
  readonly dirty?: boolean;
  /** The tree; default: the one this file lies in. */
  readonly root?: string;
  /** The Node that goes along; default: the one that runs this. */
  readonly node?: string;
}

/**
 * Makes `elara-VERSION-linux-ARCH.tar.gz` and its `.sha256` in `out`: hub, production packages, Node. Throws when files of the commit are changed, unless `dirty` says that they may.
 */
export async function makeArchive(
  out: string,
  { dirty = false, root = ROOT, node = process.execPath }: ArchiveOptions = {},
): Promise<Archive> {
  const checkout = checkoutOf(root, { added: dirty });
  const changed = checkout?.changed ?? [];
  if (changed.length > 0 && !dirty)
    throw new Error(
      `${changed.length} files differ from the commit: ${changed.slice(0, 5).join(", ")}${changed.length > 5 ? " …" : ""}. ` +
        "Commit them, or pack them as they are with --dirty; the archive is then marked.",
    );
  const folder = `elara-${ELARA_VERSION}${changed.length > 0 ? "-dirty" : ""}`;
  const file = join(out, `${folder}-${process.platform}-${process.arch}.tar.gz`);
  const stage = mkdtempSync(join(tmpdir(), "elara-package-"));
  try {
    mkdirSync(out, { recursive: true });
    layOut(root, join(stage, folder), { version: ELARA_VERSION, node, checkout });
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
  const source = checkout
    ? `commit ${checkout.commit}${changed.length > 0 ? `, with ${changed.length} files changed or added` : ""}`
    : "the folder as it stands: it is no git checkout, so nobody can tell what was added to it";
  return { file, bytes: statSync(file).size, sha256, version: ELARA_VERSION, folder, source };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      out: { type: "string", default: join(ROOT, "dist") },
      dirty: { type: "boolean", default: false },
    },
  });
  const { file, bytes, sha256, source } = await makeArchive(values.out, values);
  process.stdout.write(`${file}\n${(bytes / 1024 / 1024).toFixed(1)} MB, sha256 ${sha256}\nof ${source}\n`);
}
