import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** What git knows of a tree. */
export interface Checkout {
  /** Its commit, in full. */
  readonly commit: string;
  /** Files that differ from the commit, with paths from the root. */
  readonly changed: readonly string[];
  /** Whether git keeps this file, or something in this folder; `path` counts from the root. */
  has(path: string): boolean;
}

/**
 * The tree as git knows it; undefined where it is no checkout, as in an exported archive. `added`: files that are no
 * part of a commit yet, and not ignored, count as kept and as changes.
 */
export function checkoutOf(root: string, { added = false } = {}): Checkout | undefined {
  if (!existsSync(join(root, ".git"))) return undefined;
  // npm was run in it: whose it is does not matter any more.
  const git = (...args: string[]): string =>
    execFileSync("git", ["-c", "safe.directory=*", ...args], {
      cwd: root,
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    });
  const list = (...args: string[]): string[] =>
    git(...args, "-z")
      .split("\0")
      .filter(Boolean);
  const others = added ? list("ls-files", "--others", "--exclude-standard") : [];
  const files = [...list("ls-files"), ...others];
  const known = new Set(files);
  for (const file of files)
    for (let end = file.lastIndexOf("/"); end > 0; end = file.lastIndexOf("/", end - 1))
      known.add(file.slice(0, end));
  return {
    commit: git("rev-parse", "HEAD").trim(),
    changed: [...list("diff", "--name-only", "HEAD"), ...others],
    has: (path) => known.has(path),
  };
}
