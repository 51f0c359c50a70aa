import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { type CommandLines, type CommandLineWatch, watchCommandLines } from "@elara/sdk/testing";
import { watchSecrets } from "./secrets.ts";

const TOKEN = "0123456789abcdef-token";
const hub = { log: () => "a line of the log" };
const batch = { name: "batch", record: async () => "JobId=7" };

/** A session whose server is this process, holding the token. */
const sessionOf = ({ pid = 0, spawnargs }: ChildProcess) => ({
  processes: () => [
    {
      ...{ pid, parent: 0, command: spawnargs.join(" "), startTime: "" },
      environment: { JUPYTERHUB_API_TOKEN: TOKEN },
    },
  ],
});

/** It waits for words on its standard input, whatever its argument is. */
async function server(argument: string): Promise<ChildProcess & Disposable> {
  const child = spawn("/bin/sh", ["-c", "read _", "sh", argument], { stdio: ["pipe", "ignore", "ignore"] });
  await once(child, "spawn");
  return Object.assign(child, { [Symbol.dispose]: () => void child.kill("SIGKILL") });
}

test("secrets that stand nowhere are a pass, also by what was looked at", async () => {
  using child = await server("0");
  const watch = await watchSecrets([batch]);
  await watch.add(batch, sessionOf(child), "job 7");
  const { ok, text } = await watch.end(hub);
  assert.equal(ok, true, text);
  assert.match(
    text,
    /1 tokens; \d+ samples of ps, \d+ different command lines: 0 hits; 1 job records: 0 hits/,
  );
});

test("a secret on a command line, in a record or in the log is none", async () => {
  const told = async (argument: string, record: string, log: string) => {
    using child = await server(argument);
    const backend = { name: "batch", record: async () => record };
    const watch = await watchSecrets([backend]);
    await watch.add(backend, sessionOf(child), "job 7");
    return watch.end({ log: () => log });
  };
  assert.deepEqual(
    (await Promise.all([told(TOKEN, "J", "l"), told("0", TOKEN, "l"), told("0", "J", TOKEN)])).map(
      ({ ok }) => ok,
    ),
    [false, false, false],
  );
});

test("nor is a look that saw nothing", async () => {
  const blind: CommandLineWatch = {
    stop: async (): Promise<CommandLines> => ({ samples: 9, lines: new Set(), has: () => false }),
  };
  using child = await server("0");
  const notSeen = async (
    backend: Parameters<Awaited<ReturnType<typeof watchSecrets>>["add"]>[0],
    given: { watching?: Promise<CommandLineWatch>; isAdded?: boolean; log?: string } = {},
  ) => {
    const watch = await watchSecrets([backend], given.watching ?? watchCommandLines());
    if (given.isAdded ?? true) await watch.add(backend, sessionOf(child), "job 7");
    const { ok, text } = await watch.end({ log: () => given.log ?? "a line" });
    assert.equal(ok, false, text);
    return text.split("not seen: ")[1];
  };
  assert.equal(await notSeen(batch, { watching: Promise.resolve(blind) }), "command lines of batch");
  assert.equal(await notSeen({ name: "batch", record: async () => "\n" }), "job record of batch");
  assert.equal(await notSeen(batch, { isAdded: false }), "command lines of batch, job record of batch");
  assert.equal(await notSeen({ name: "local" }, { isAdded: false }), "command lines of local");
  assert.equal(await notSeen(batch, { log: "" }), "the hub's log");
});
