import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { type Checked, factsOf } from "./checked.ts";
import { batchError } from "./errors.ts";
import { jobName, submitArgv } from "./job.ts";
import { refusalOf } from "./refusal.ts";

const SECONDS = 120;

/** Asks for a page without a proxy, and prints what came. */
const VISIT = `
import sys, urllib.error, urllib.request as web
try:
    answer = web.build_opener(web.ProxyHandler({})).open(sys.argv[1], timeout=5)
except urllib.error.HTTPError as error:
    answer = error
print(answer.read(2000).decode())
`;

/** Listens where the hub would; undefined when the hub does already, or the address is another machine's. */
const listenAt = ({ hostname, port }: URL, word: string): Promise<Server | undefined> =>
  new Promise((resolve) => {
    const server = createServer((_, response) => response.end(word));
    server.once("error", () => resolve(undefined));
    server.listen({ host: hostname, port: Number(port), exclusive: true }, () => resolve(server));
  });

/** A job of the shortest kind, from submit to its exit record; from its node it asks for the hub's API. */
export async function runTestJob(checked: Checked, account: string): Promise<void> {
  const { config, scheduler, desk, script, takeBack, apiUrl } = checked;
  const { listen, portRange, logBytes } = config;
  const word = randomBytes(8).toString("hex");
  const tag = `check${word}`;
  const name = jobName(tag);
  const { partition, account: project, qos } = config;
  const spec = { name, output: "job.out", partition, account: project, qos, walltimeMinutes: 1, extra: [] };
  const listener = await listenAt(new URL(apiUrl), word);
  const failed = (operator: string) => batchError("BATCH_LAUNCH_FAILED", { message: operator, operator });
  const lastLine = async (): Promise<string> =>
    (await desk(account, { action: "tail", tag, lines: 1 })).lines[0] ?? "no output";
  try {
    const { submit } = await desk(account, {
      action: "submit",
      tag,
      find: scheduler.argvForFind(name, account),
      submit: submitArgv(scheduler, spec),
      script: script(factsOf(config, account)),
      jobIdVariable: scheduler.jobIdVariable,
      order: {
        ...{ tag, argv: [config.python, "-c", VISIT, apiUrl], env: {}, servicePrefix: "/" },
        ...{ host: listen, portRange, portRestSeconds: 0, logBytes },
      },
    });
    if (!submit) throw failed("the test job was not handed in: another one has its name");
    if (submit.exitCode !== 0) throw refusalOf(scheduler, submit);
    const end = performance.now() + SECONDS * 1000;
    for (;;) {
      const exit = (await desk(account, { action: "records", tags: [tag] })).records[tag]?.exit;
      if (exit && exit.exitCode === null) throw failed(`the test job failed: ${exit.message || exit.cause}`);
      if (exit) {
        const line = await lastLine();
        if (exit.exitCode === 0 && (listener ? line === word : line.includes('"version"'))) return;
        const operator = `A job does not reach the hub at ${apiUrl}: ${line}. Does a firewall stand between, or should \`network.internalHost\` be another address?`;
        throw batchError("BATCH_HUB_UNREACHABLE", { operator });
      }
      if (performance.now() > end)
        throw failed(`the test job did not end within ${SECONDS} s: ${await lastLine()}`);
      await pause(500);
    }
  } finally {
    listener?.close();
    await takeBack(tag, account);
  }
}
