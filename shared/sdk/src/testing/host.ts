import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AuthenticatorHost, Logger, SpawnerHost } from "../host.ts";

/** One line a plugin logged. */
export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly fields: object;
  readonly message: string;
}

/** A host for tests: collects log lines, has a data folder of its own. */
export interface TestHost extends AuthenticatorHost, SpawnerHost {
  readonly lines: readonly LogLine[];
  /** Another host over the same data folder: what a second replica of the hub on this machine is given. */
  another(): TestHost;
  /** Runs the close handlers and removes the data folder. */
  close(): Promise<void>;
}

/** A host for tests. Without `dataDir` it makes a folder, which `close` removes. */
export function testHost(
  given: {
    dataDir?: string;
    hubId?: string;
    apiUrl?: string;
    internalHost?: string;
    callbackPaths?: readonly [string, ...string[]];
    publicUrl?: string;
    now?: () => number;
  } = {},
): TestHost {
  const dataDir = given.dataDir ?? mkdtempSync(join(tmpdir(), "elara-plugin-"));
  const lines: LogLine[] = [];
  const closers: (() => void | Promise<void>)[] = [];
  const others: TestHost[] = [];
  const write =
    (level: LogLine["level"]): Logger["info"] =>
    (fields, message) => {
      lines.push({ level, fields, message });
    };
  return {
    log: { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") },
    dataDir,
    hubId: given.hubId ?? "testhub",
    apiUrl: given.apiUrl ?? "http://127.0.0.1:9/hub/api",
    internalHost: given.internalHost ?? "127.0.0.1",
    callbackPaths: given.callbackPaths ?? ["/hub/oauth_callback/test", "/hub/oauth_callback"],
    publicUrl: given.publicUrl ?? "",
    now: given.now ?? Date.now,
    onClose: (close) => void closers.push(close),
    lines,
    another() {
      const other = testHost({ ...given, dataDir });
      others.push(other);
      return other;
    },
    async close() {
      for (const other of others) await other.close();
      for (const close of closers.reverse()) await close();
      if (given.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
