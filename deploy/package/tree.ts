import { chmodSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";
import type { Checkout } from "./checkout.ts";
import { production } from "./production.ts";

/** Papers and deployment files that an administrator finds in the tree. */
const PAPERS = ["README.md", "CHANGELOG.md", "CONFIG.md", "ERRORS.md", "EVENTS.md", "LICENSE", "deploy"];
/** In a room: what only its developers need. */
const NOT_OF_ROOMS = new Set(["test", "node_modules", "turbo.json", ".turbo"]);
/** In a package of others: typings, maps, sources of stylesheets, and what a build left beside its result. */
const NOT_OF_PACKAGES = /\.(d\.[cm]?ts|map|scss|o|d)$|\/(obj\.target|\.deps|\.github|node_modules)(\/|$)/;
/** Of 240 stylesheets the pages use one; its colours are left to choose from. */
const STYLESHEETS = /@picocss\/pico\/css\/(?!pico(\.[a-z]+)?\.min\.css$)/;

/**
 * Lays out the tree of an installation in `into`. Rooms keep their places and stay outside of node_modules, with links
 * leading there: Node runs TypeScript as it is, but not of files whose real path is under node_modules. Of a checkout
 * only what git keeps goes along.
 */
export function layOut(
  root: string,
  into: string,
  given: { version: string; node: string; checkout?: Checkout | undefined },
): void {
  const { rooms, packages } = production(root);
  const copy = (path: string, keep: (path: string) => boolean): void =>
    cpSync(join(root, path), join(into, path), {
      recursive: true,
      dereference: true,
      filter: (source) => keep(source.slice(root.length)),
    });
  const isKept = (path: string): boolean => given.checkout?.has(path.slice(1)) ?? true;
  for (const paper of PAPERS)
    copy(
      paper,
      (path) => isKept(path) && !path.startsWith("/deploy/package") && !NOT_OF_ROOMS.has(basename(path)),
    );
  for (const room of rooms) {
    copy(
      room,
      (path) =>
        isKept(path) &&
        !path
          .slice(1)
          .split(sep)
          .some((part) => NOT_OF_ROOMS.has(part)),
    );
    const { name }: { name: string } = JSON.parse(readFileSync(join(root, room, "package.json"), "utf8"));
    const link = join(into, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(relative(dirname(link), join(into, room)), link);
  }
  for (const path of packages) {
    // A package within a package stands in the list itself.
    const own = join("/", path);
    copy(
      path,
      (each) => each === own || !(NOT_OF_PACKAGES.test(each.slice(own.length)) || STYLESHEETS.test(each)),
    );
  }
  mkdirSync(join(into, "node", "bin"), { recursive: true });
  cpSync(given.node, join(into, "node", "bin", "node"), { dereference: true });
  mkdirSync(join(into, "bin"));
  cpSync(join(import.meta.dirname, "elara.sh"), join(into, "bin", "elara"));
  chmodSync(join(into, "bin", "elara"), 0o755);
  const about = {
    name: "elara",
    version: given.version,
    private: true,
    type: "module",
    license: "Apache-2.0",
    ...(given.checkout ? { commit: given.checkout.commit } : {}),
  };
  writeFileSync(join(into, "package.json"), `${JSON.stringify(about, null, 2)}\n`);
  writeFileSync(
    join(into, "NOTICE"),
    `node/bin/node is Node.js ${process.version}, under the licence at\n` +
      `https://github.com/nodejs/node/blob/${process.version}/LICENSE\n` +
      "Each package in node_modules carries its own licence.\n",
  );
}
