import {
  foreignHandle,
  httpUrl,
  type PluginHost,
  type PortRange,
  patience,
  type Row,
  type StoredServer,
} from "@elara/sdk";
import { attender, type LookAnswer, rowOf, type Wording } from "@elara/sdk/launcher";
import { codeOf, errors, sshError } from "./errors.ts";
import { HANDLE_VERSION, type Handle } from "./handle.ts";
import type { Login, Places } from "./places.ts";
import type { Remote } from "./remote.ts";
import type { Tunnels } from "./tunnels.ts";

type Server = StoredServer<Handle>;
type Seen = Extract<LookAnswer, { ok: true }>;

const wording: Wording = { codeOf, errors, restarted: "SSH_MACHINE_RESTARTED" };

const unknown = (tag: string, reason: string): Row => ({ tag, state: "unknown", reason });

/** What an answer says of one server, with the address it has at its own machine. */
export function seenRow(tag: string, handle: Handle, { servers, bootId }: Seen) {
  const seen = servers[tag];
  if (!seen) return { row: unknown(tag, "it was not asked for yet"), unattended: false };
  return rowOf(tag, seen, { isOtherBoot: handle.bootId !== bootId, wording });
}

/** The port of an address in a record; 0 when it is none. */
const portOf = (url: string): number => (URL.canParse(url) ? Number(new URL(url).port) : 0);

/** Rows of servers on many machines: one command for each account on each, all at once. */
export function observer(
  parts: {
    readonly places: Places;
    readonly remote: Remote;
    readonly tunnels: Tunnels;
    readonly portRange: PortRange;
  },
  { log }: Pick<PluginHost, "log">,
): (servers: readonly Server[]) => Promise<Row[]> {
  const { remote, tunnels, places } = parts;
  const [first, last] = parts.portRange;
  const patient = patience<Seen>();
  const attend = attender(log);

  /** The row with an address that the hub reaches. */
  async function reachable(row: Row, { tag, handle, url }: Server, login: Login): Promise<Row> {
    if (row.state === "ended" || row.state === "lost") await tunnels.close(tag);
    if (row.url === undefined) return row;
    // Its owner can write the record: only a port is taken from it, and only one that servers get.
    const port = portOf(row.url);
    if (port !== handle.serverPort && !(port >= first && port <= last))
      return unknown(tag, `its record names port ${port}, which no server gets`);
    if (handle.connect === "forward")
      return { ...row, url: await tunnels.url(tag, login, `http://127.0.0.1:${port}`, url) };
    return { ...row, url: httpUrl(login.place.host, port) };
  }

  async function look(login: Login, servers: readonly Server[]): Promise<Row[]> {
    const { name } = login.place;
    const tags = servers.map(({ tag }) => tag);
    try {
      const late = sshError("SSH_UNREACHABLE", { host: name });
      const whom = `${login.account} ${name} ${login.dir}`;
      const seen = await patient.ask(whom, () => remote.look(login, tags), { late });
      return await Promise.all(
        servers.map((server) => {
          if (login.place.isFormer && seen.bootId !== server.handle.bootId)
            return unknown(server.tag, `${name} is another machine by now, or was restarted`);
          const { row, unattended } = seenRow(server.tag, server.handle, seen);
          if (unattended) void attend(server.tag, remote.at(login), { facts: { host: name } });
          return reachable(row, server, login).catch((error: unknown) => {
            log.warn({ tag: server.tag, host: name, err: error }, "its address cannot be had");
            return unknown(server.tag, `the hub has no way to it at present: ${error}`);
          });
        }),
      );
    } catch (error) {
      log.debug({ host: name, account: login.account, err: error }, "machine cannot be asked");
      const reason = error instanceof Error ? error.message : `${name} cannot be asked`;
      return tags.map((tag) => unknown(tag, reason));
    }
  }

  return async (servers) => {
    tunnels.keep(servers.map(({ tag }) => tag));
    const known = servers.filter(({ handle }) => handle.v === HANDLE_VERSION);
    const groups = Map.groupBy(known, ({ handle: { host, account, dir } }) =>
      JSON.stringify([host, account, dir]),
    );
    const rows = await Promise.all(
      [...groups.values()].map((group) => {
        const [first] = group;
        return first ? look(places.loginOf(first.handle), group) : [];
      }),
    );
    const later = servers.filter(({ handle }) => handle.v !== HANDLE_VERSION);
    return [...rows.flat(), ...later.map(({ tag, handle }) => foreignHandle(tag, handle.v))];
  };
}
