import { setTimeout as pause } from "node:timers/promises";
import pLimit from "p-limit";
import ssh2, {
  type Client,
  type ClientChannel,
  type PublicKeyAuthMethod,
  type ServerHostKeyAlgorithm,
} from "ssh2";
import { allowCertificate, loginKey } from "./certificate-login.ts";
import type { Credential } from "./credentials.ts";
import { knownHostsFiles, knownKeys } from "./known-hosts.ts";
import type { SshOptions } from "./options.ts";
import { SshError, type SshTarget } from "./ssh.ts";

/** sshd allows ten sessions on a connection (MaxSessions); more commands wait for their turn. */
const SESSIONS = 8;

const HOST_KEYS: readonly ServerHostKeyAlgorithm[] = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
];

/** What the host is asked to show, the known kinds first: it may have keys of other kinds that are not known. */
function keyAlgorithms(types: readonly string[]): ServerHostKeyAlgorithm[] {
  const isKnown = (algorithm: string): boolean =>
    types.includes(algorithm) || (algorithm.startsWith("rsa-") && types.includes("ssh-rsa"));
  return [...HOST_KEYS.filter(isKnown), ...HOST_KEYS.filter((algorithm) => !isKnown(algorithm))];
}

type ChannelCallback = (error: Error | undefined, channel: ClientChannel) => void;

const shown = ({ host, port }: SshTarget): string => `${host}:${port}`;

function faultOf(error: Error, target: SshTarget, refusedKey: string | undefined): SshError {
  if (error instanceof SshError) return error;
  if (refusedKey !== undefined) return new SshError("host_key", refusedKey);
  const cause = { cause: error };
  if ("level" in error && error.level === "client-authentication")
    return new SshError(
      "login",
      `${shown(target)} does not let ${target.account} in: the key or certificate is not accepted there (expired, another principal, no such account)`,
      cause,
    );
  return new SshError("unreachable", `${shown(target)} does not answer: ${error.message}`, cause);
}

/** The host opened no session, so nothing ran: it allows fewer than we use, or counts one that is just ending. */
const hasNoRoom = (error: unknown): boolean =>
  error instanceof SshError && error.cause instanceof Error && "reason" in error.cause;

/** A connection of one account to one host. It is closed when nothing used it for a while. */
export class Connection {
  readonly #client: Client;
  readonly #limit = pLimit(SESSIONS);
  readonly #idleMs: number;
  #uses = 0;
  #idle: NodeJS.Timeout | undefined;
  #isOpen = true;
  #isRetired = false;

  private constructor(client: Client, idleMs: number) {
    this.#client = client;
    this.#idleMs = idleMs;
    client.once("close", () => {
      this.#isOpen = false;
      clearTimeout(this.#idle);
    });
    this.#rest();
  }

  /** Connects, checks the host's key, logs in. Throws an SshError. */
  static async open(target: SshTarget, options: SshOptions, credential: Credential): Promise<Connection> {
    const known = await knownKeys(knownHostsFiles(options.knownHosts), target.host, target.port);
    const key = loginKey(credential);
    const method: PublicKeyAuthMethod = { type: "publickey", username: target.account, key };
    const client = new ssh2.Client();
    let refused: string | undefined;
    return new Promise<Connection>((resolve, reject) => {
      const fail = (error: Error): void => {
        reject(faultOf(error, target, refused));
        client.destroy();
      };
      // For good: an error of a connection without a listener would end the process.
      client.on("error", fail);
      client.once("close", () => fail(new Error("the connection was closed")));
      // Else small answers wait for what the other end does not send.
      client.once("connect", () => client.setNoDelay(true));
      client.once("ready", () => resolve(new Connection(client, options.idleSeconds * 1000)));
      client.connect({
        host: target.host,
        port: target.port,
        username: target.account,
        readyTimeout: options.connectSeconds * 1000,
        keepaliveInterval: options.keepAliveSeconds * 1000,
        keepaliveCountMax: 3,
        algorithms: { serverHostKey: keyAlgorithms(known.types) },
        hostVerifier: (shownKey: Buffer) => {
          refused = known.fault(shownKey);
          return refused === undefined;
        },
        authHandler: [method],
      });
      if (credential.certificate !== undefined) allowCertificate(client, key);
    });
  }

  /** Can be used for what comes next. */
  get isOpen(): boolean {
    return this.#isOpen && !this.#isRetired;
  }

  /** Runs a command line; the work on its channel lasts until the promise that `work` gives. */
  command<T>(line: string, signal: AbortSignal, work: (channel: ClientChannel) => Promise<T>): Promise<T> {
    return this.#used(() =>
      this.#limit(async () => {
        for (;;) {
          signal.throwIfAborted();
          try {
            return await this.#channel((done) => this.#client.exec(line, done), work);
          } catch (error) {
            if (!hasNoRoom(error)) throw error;
            await pause(20, undefined, { signal });
          }
        }
      }),
    );
  }

  /** A stream to `host:port` as seen from there, until `work` is over. */
  stream(to: { host: string; port: number }, work: (channel: ClientChannel) => Promise<void>): Promise<void> {
    const ask = (done: ChannelCallback) => this.#client.forwardOut("127.0.0.1", 0, to.host, to.port, done);
    return this.#used(() => this.#channel(ask, work));
  }

  /** Takes no more work; closed when the last is over. */
  retire(): void {
    this.#isRetired = true;
    if (this.#uses === 0) this.close();
  }

  close(): void {
    this.#isRetired = true;
    this.#client.end();
    // The other end may be past answering.
    setTimeout(() => this.#client.destroy(), 2_000).unref();
  }

  /** Asks for a channel and sets to work on it at once: the end of a short command may come with the same packet. */
  #channel<T>(
    ask: (done: ChannelCallback) => void,
    work: (channel: ClientChannel) => Promise<T>,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void =>
        reject(new SshError("unreachable", `the connection gave no channel: ${error}`, { cause: error }));
      try {
        // A refused request comes as `true`.
        ask((error, channel) => (error ? fail(error) : resolve(work(channel))));
      } catch (error) {
        fail(error);
      }
    });
  }

  async #used<T>(work: () => Promise<T>): Promise<T> {
    this.#uses += 1;
    clearTimeout(this.#idle);
    try {
      return await work();
    } finally {
      this.#uses -= 1;
      if (this.#uses === 0) this.#rest();
    }
  }

  #rest(): void {
    if (this.#isRetired) this.close();
    else if (this.#isOpen) this.#idle = setTimeout(() => this.close(), this.#idleMs).unref();
  }
}
