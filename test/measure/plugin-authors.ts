import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { elara } from "../fixtures/hub.ts";

export interface AuthoredPlugin {
  readonly kind: "spawner" | "authenticator";
  readonly lines: number;
  readonly testPasses: boolean;
  readonly loads: boolean;
  readonly brokenCopyFails: boolean;
}

/** How a copy is broken on purpose: a promise of the kit that it then breaks. */
const BREAK: Readonly<Record<AuthoredPlugin["kind"], (source: string) => string>> = {
  // A stop that does nothing.
  spawner: (source) => source.replace("made && end(made, graceSeconds)", "undefined"),
  // Lets in whoever is known, whatever the password.
  authenticator: (source) => source.replace("known !== undefined && isRight", "known !== undefined"),
};

/** `elara new KIND demo` outside the tree: size, its test, loading by path, and a broken copy that must fail. */
export async function authoredPlugin(kind: AuthoredPlugin["kind"]): Promise<AuthoredPlugin> {
  const dir = mkdtempSync(join(tmpdir(), `elara-new-${kind}-`));
  try {
    const run = (...args: string[]) => elara(args, { cwd: dir });
    const made = await run("new", kind, "demo");
    if (made.code !== 0) throw new Error(made.stderr);
    const source = readFileSync(join(dir, "demo.ts"), "utf8");
    const tested = await run("test", "demo.test.ts");
    const options = kind === "authenticator" ? { users: {} } : {};
    const entry = JSON.stringify([{ use: "./demo.ts", options }]);
    writeFileSync(join(dir, "elara.config.ts"), `export default { ${kind}s: ${entry} };\n`);
    const listed = await run("plugins");
    const broken = BREAK[kind](source);
    if (broken === source) throw new Error(`the ${kind}'s template has nothing to break any more`);
    writeFileSync(join(dir, "demo.ts"), broken);
    const failed = await run("test", "demo.test.ts");
    return {
      kind,
      lines: source.trimEnd().split("\n").length,
      testPasses: tested.code === 0,
      loads: listed.code === 0 && listed.stdout.includes(`${kind} demo`),
      brokenCopyFails: failed.code !== 0,
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
