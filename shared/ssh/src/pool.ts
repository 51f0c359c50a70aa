import pLimit, { type LimitFunction } from "p-limit";
import { Connection } from "./connection.ts";
import { credentials } from "./credentials.ts";
import type { SshOptions } from "./options.ts";
import { SshError, type SshTarget } from "./ssh.ts";

/** Log-ins at once to one host: sshd drops some when ten are under way (MaxStartups). */
const LOGINS = 6;

/** Connections by account and host; one that is being opened is shared by all who want it. */
export class Pool {
  readonly #options: SshOptions;
  readonly #credential: ReturnType<typeof credentials>;
  readonly #open = new Map<string, Promise<Connection>>();
  /** By host, as long as somebody logs in there. */
  readonly #logins = new Map<string, { readonly limit: LimitFunction; users: number }>();
  #isClosed = false;

  constructor(options: SshOptions, now: () => number) {
    this.#options = options;
    this.#credential = credentials(options, now);
  }

  /** An open connection. Throws an SshError. */
  async get(target: SshTarget): Promise<Connection> {
    if (this.#isClosed) throw new SshError("closed", "the hub is stopping");
    const name = `${target.account}@${target.host}:${target.port}`;
    const kept = this.#open.get(name);
    const connection = await kept;
    if (connection?.isOpen) return connection;
    if (this.#open.get(name) !== kept) return this.get(target); // another caller opened one meanwhile
    const opening = this.#login(target);
    this.#open.set(name, opening);
    // One that failed is not kept: the next call tries again.
    const forget = () => {
      if (this.#open.get(name) === opening) this.#open.delete(name);
    };
    opening.then((opened) => opened.onClose(forget), forget);
    return opening;
  }

  /** How much is kept. */
  get size(): { connections: number; logins: number } {
    return { connections: this.#open.size, logins: this.#logins.size };
  }

  close(): void {
    this.#isClosed = true;
    for (const opening of this.#open.values())
      opening.then(
        (connection) => connection.close(),
        () => {},
      );
  }

  async #login(target: SshTarget): Promise<Connection> {
    const host = `${target.host}:${target.port}`;
    const turns = this.#logins.get(host) ?? { limit: pLimit(LOGINS), users: 0 };
    this.#logins.set(host, turns);
    turns.users += 1;
    try {
      return await turns.limit(async () =>
        Connection.open(target, this.#options, await this.#credential(target.account)),
      );
    } finally {
      turns.users -= 1;
      if (turns.users === 0) this.#logins.delete(host);
    }
  }
}
