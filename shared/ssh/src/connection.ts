import { setTimeout as pause } from "node:timers/promises";
import pLimit from "p-limit";
import ssh2, {
  type Client,
  type ClientChannel,
  type PublicKeyAuthMethod,
  type ServerHostKeyAlgorithm,
} from "ssh2";
import { allowCertificate, type Credential, loginKey } from "./certificate-login.ts";
import { knownHostsFiles, knownKeys } from "./known-hosts.ts";
import type { SshOptions } from "./options.ts";
import { SshError, type SshTarget } from "./ssh.ts";

/** sshd allows ten sessions on a connection (MaxSessions); more commands wait for their turn. */
const SESSIONS = 8;

/** RFC 4254, 5.1. */
const CHANNEL_OPEN_FAILURE = { CONNECT_FAILED: 2, RESOURCE_SHORTAGE: 4 };

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

/** What a host may answer that has no room for a session at present; OpenSSH says the first, to all it does not open. */
const { CONNECT_FAILED, RESOURCE_SHORTAGE } = CHANNEL_OPEN_FAILURE;

/** The host opened no session, so nothing ran: it allows fewer than we use, counts one that is just ending, or forbids them. */
const hasNoRoom = (error: unknown): boolean =>
  error instanceof SshError &&
  error.cause instanceof Error &&
  "reason" in error.cause &&
  (error.cause.reason === CONNECT_FAILED || error.cause.reason === RESOURCE_SHORTAGE);

/** It is asked again after so long, then after twice that … */
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 640;
/** … and given up after so many times while no command of ours holds a session: then it is not for want of room. */
const ATTEMPTS = 7;

/** A connection of one account to one host. It is closed when nothing used it for a while. */
export class Connection {
  readonly #client: Client;
  readonly #limit = pLimit(SESSIONS);
  readonly #idleMs: number;
  #uses = 0;
  #sessions = 0;
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
      try {
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
      } catch (error) {
        fail(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  /** Tells when it is closed; at once when it is. */
  onClose(tell: () => void): void {
    if (this.#isOpen) this.#client.once("close", tell);
    else tell();
  }

  /** Can be used for what comes next. */
  get isOpen(): boolean {
    return this.#isOpen && !this.#isRetired;
  }

  /** Runs a command line; the work on its channel lasts until the promise that `work` gives. */
  command<T>(line: string, signal: AbortSignal, work: (channel: ClientChannel) => Promise<T>): Promise<T> {
    return this.#used(() =>
      this.#limit(async () => {
        let pauseMs = FIRST_PAUSE_MS;
        for (let alone = 0; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
          signal.throwIfAborted();
          try {
            return await this.#channel((done) => this.#client.exec(line, done), this.#counted(work));
          } catch (error) {
            alone = this.#sessions > 0 ? 0 : alone + 1;
            if (!hasNoRoom(error) || alone === ATTEMPTS) throw error;
            await pause(pauseMs, undefined, { signal });
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

  #counted<T>(work: (channel: ClientChannel) => Promise<T>): (channel: ClientChannel) => Promise<T> {
    return async (channel) => {
      this.#sessions += 1;
      try {
        return await work(channel);
      } finally {
        this.#sessions -= 1;
      }
    };
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
