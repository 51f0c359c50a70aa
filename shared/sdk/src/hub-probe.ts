import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";

/** Asks for a page without a proxy, and prints what came. */
const VISIT = `
import sys, urllib.error, urllib.request as web
try:
    answer = web.build_opener(web.ProxyHandler({})).open(sys.argv[1], timeout=5)
except urllib.error.HTTPError as error:
    answer = error
print(answer.read(2000).decode())
`;

/** A proof for `check`, run where servers run: that the hub's API is reached from there. */
export interface HubProbe {
  /** Python's arguments; what it prints is judged by `fault`. */
  readonly args: readonly string[];
  /** "" when this exit code and these lines prove that the hub was reached, else what came and what to look at. */
  fault(exitCode: number | null, lines: readonly string[]): string;
  close(): void;
}

/** Listens at the hub's address while no hub does; where the address is taken, the hub itself has to answer. */
export async function hubProbe(apiUrl: string): Promise<HubProbe> {
  const word = randomBytes(8).toString("hex");
  const listener = await listenAt(new URL(apiUrl), word);
  return {
    args: ["-c", VISIT, apiUrl],
    fault: (exitCode, lines) =>
      exitCode === 0 && lines.some((line) => (listener ? line === word : line.includes('"version"')))
        ? ""
        : `${apiUrl}: ${lines.at(-1) ?? "no answer"}. Does a firewall stand between, or should \`network.internalHost\` be another address?`,
    close() {
      listener?.close();
      listener?.closeAllConnections();
    },
  };
}

/** Undefined when somebody listens there already, or the address is another machine's. */
const listenAt = ({ hostname, port }: URL, word: string): Promise<Server | undefined> =>
  new Promise((resolve) => {
    const server = createServer((_, response) => response.end(word));
    server.once("error", () => resolve(undefined));
    server.listen({ host: hostname, port: Number(port), exclusive: true }, () => resolve(server));
  });
