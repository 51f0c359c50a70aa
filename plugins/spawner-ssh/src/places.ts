import { createHash } from "node:crypto";
import { isIP } from "node:net";
import { isAccount, type ServerKey } from "@elara/sdk";
import { sshError } from "./errors.ts";
import type { Handle } from "./handle.ts";
import { ANY, type Options } from "./options.ts";

/** A machine as configured. */
export interface Place {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Address servers listen on. */
  readonly bind: string;
  /** Its name means another address by now: what is found there may be another machine. */
  readonly isFormer?: boolean;
}

/** An account on a machine, with its folder of claims. */
export interface Login {
  readonly place: Place;
  readonly account: string;
  readonly dir: string;
}

/** Machines and accounts by these options. */
export function places(config: Options) {
  const all: Place[] = config.hosts.map(({ name, host, port, bind }) => ({
    name: name || host,
    host,
    port,
    bind: config.connect === "forward" ? "127.0.0.1" : bind || (isIP(host) ? host : "0.0.0.0"),
  }));
  const names = all.map(({ name }) => name);

  const login = (place: Place, account: string): Login => ({
    place,
    account,
    // Homes are often shared by machines: pids and locks in them belong to one.
    dir: `${config.runDir.replaceAll("{username}", account)}/${place.name}`,
  });

  return {
    all,
    names,
    /** The account of a user; undefined when the name can be no ordinary one. */
    accountOf(userName: string): string | undefined {
      const account = config.account.replaceAll("{username}", userName);
      return isAccount(account) && account !== "root" ? account : undefined;
    },
    login,
    /**
     * Where a start of this server goes: always to the same machine, because a start may be repeated, but past those
     * that do not answer, unless none does.
     */
    chosen(
      { tag, options: { host } }: { tag: string; options: { host: string } },
      isSilent: (name: string) => boolean = () => false,
    ): Place {
      const weight = ({ name }: Place) => createHash("sha256").update(`${tag} ${name}`).digest("hex");
      const inTurn = all.toSorted((one, other) => (weight(one) < weight(other) ? -1 : 1));
      const place =
        host === ANY
          ? (inTurn.find(({ name }) => !isSilent(name)) ?? inTurn[0])
          : all.find(({ name }) => name === host);
      if (!place) throw sshError("SSH_HOST_UNKNOWN", { detail: { host }, nothingMade: true });
      return place;
    },
    /** Where a stored server is. */
    loginOf({ host, address, port, account, dir }: Handle): Login {
      const named = all.find(({ name }) => name === host);
      if (named?.host === address && named.port === port) return { place: named, account, dir };
      const name = named ? `${host} (was ${address}:${port})` : host;
      const place = { name, host: address, port, bind: address, isFormer: named !== undefined };
      return { place, account, dir };
    },
    /** Everywhere a server of this user may be. */
    loginsFor(key: ServerKey): Login[] {
      const account = this.accountOf(key.user.name);
      return account === undefined ? [] : all.map((place) => login(place, account));
    },
  };
}
export type Places = ReturnType<typeof places>;
