import { execFileSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { relative } from "node:path";

/** What of the tree an installation needs, with paths from its root. */
interface Production {
  /** Rooms of this tree, e.g. `services/launcher`. */
  readonly rooms: readonly string[];
  /** Packages of others, e.g. `node_modules/fastify`. */
  readonly packages: readonly string[];
}

/** Everything the command `elara` needs to run, as npm knows it; nothing that only a test or a developer needs. */
export function production(root: string): Production {
  const told = execFileSync(
    "npm",
    ["ls", "--parseable", "--all", "--omit=dev", "--workspace", "@elara/launcher"],
    { cwd: root, encoding: "utf8", maxBuffer: 16 * 1024 * 1024, stdio: ["ignore", "pipe", "ignore"] },
  );
  const paths = told
    .split("\n")
    .filter((path) => path.startsWith(`${root}/`))
    .map((path) => relative(root, realpathSync(path)));
  const isRoom = (path: string): boolean => !path.includes("node_modules");
  return {
    rooms: [...new Set(paths.filter(isRoom))].sort(),
    // Types are for those who write code; `nan` is headers for building what is built already.
    packages: paths
      .filter((path) => !isRoom(path) && !/\/(@types\/[^/]+|undici-types|nan)$/.test(path))
      .sort(),
  };
}
