import { randomBytes } from "node:crypto";
import { request as askPlain, type IncomingHttpHeaders } from "node:http";
import { request as askSecure } from "node:https";
import { createServer } from "node:net";
import { codeOf, HubError } from "@elara/contracts";
import { PROOF_HEADER, PROOF_PATH, proofFor, QUESTION_HEADER } from "@elara/runtime/http/hub-proof";

/** Where a door listens, and what changes that. */
export interface Place {
  readonly host: string;
  readonly port: number;
  readonly option: string;
}

const ANSWER_MS = 3000;

/**
 * Says so when this hub itself, the one of `key`, listens there. Throws PORT_TAKEN, with what was found, when somebody
 * else does; LISTEN_FAILED when nobody can. Without `key` nobody is known.
 */
export async function portNote(
  { host, port, option }: Place,
  key: Buffer | undefined,
): Promise<string | undefined> {
  const cause = await listenFault(host, port);
  if (cause === undefined) return undefined;
  if (codeOf(cause) !== "EADDRINUSE")
    throw new HubError("LISTEN_FAILED", {
      operator: `${host}:${port} cannot be listened on: ${cause.message}. Key: ${option}.`,
      cause,
    });
  const stranger = key
    ? await strangerAt(host, port, key)
    : "perhaps this hub: without its keys that cannot be told";
  if (stranger === undefined) return "in use by this hub, which runs";
  throw new HubError("PORT_TAKEN", {
    operator: `Another program listens on ${host}:${port} (${stranger}). Stop it, or set ${option}.`,
    cause,
  });
}

const listenFault = (host: string, port: number): Promise<Error | undefined> =>
  new Promise((done) => {
    const server = createServer();
    server.once("error", done);
    server.listen({ host, port, exclusive: true }, () => server.close(() => done(undefined)));
  });

/** Who listens there, in words; undefined: this hub. */
async function strangerAt(host: string, port: number, key: Buffer): Promise<string | undefined> {
  const question = randomBytes(16).toString("hex");
  let found = "not this hub: no HTTP is spoken there";
  // The running hub may have been started before TLS was configured, or with it.
  for (const ask of [askPlain, askSecure]) {
    const answer = await answerOf(ask, { host: reachable(host), port, question });
    if (!answer) continue;
    const given = answer.headers[PROOF_HEADER];
    if (given === proofFor(key, question)) return undefined;
    found =
      given === undefined
        ? `not this hub: no proof of it in an answer of status ${answer.status}`
        : "an Elara hub with another cookie_secret";
  }
  return found;
}

const reachable = (host: string): string => ({ "0.0.0.0": "127.0.0.1", "::": "::1" })[host] ?? host;

/** Its own certificate need not name this address: the proof counts. */
const answerOf = (
  ask: typeof askSecure,
  { host, port, question }: { host: string; port: number; question: string },
): Promise<{ status: number; headers: IncomingHttpHeaders } | undefined> =>
  new Promise((done) => {
    const call = ask(
      {
        host,
        port,
        path: PROOF_PATH,
        headers: { [QUESTION_HEADER]: question },
        agent: false,
        rejectUnauthorized: false,
        signal: AbortSignal.timeout(ANSWER_MS),
      },
      ({ statusCode = 0, headers }) => {
        done({ status: statusCode, headers });
        call.destroy();
      },
    );
    call.once("error", () => done(undefined)).end();
  });
