import { httpUrl, type PluginHost } from "@elara/sdk";
import type { Ssh, SshForward } from "@elara/ssh";
import type { Login } from "./places.ts";

/** A forward whose server was not observed for so long is closed: another hub process does that now. Looks rest a minute at most. */
const UNUSED_MS = 90_000;
const SWEEP_MS = 15_000;
/** A port is not given to another server for so long: a route to it may be stale. */
const REST_MS = 120_000;

interface Tunnel {
  /** Where it leads, to see that this is still right. */
  readonly to: string;
  readonly forward: Promise<SshForward>;
  usedAt: number;
}

/** Local ends of servers that listen on other machines' loopback, by tag. Opened by whoever observes. */
export function tunnels(
  ssh: Ssh,
  host: string,
  { log, now, onClose }: Pick<PluginHost, "log" | "now" | "onClose">,
) {
  const open = new Map<string, Tunnel>();
  const resting = new Map<number, number>();

  /** At the port it had before, so that its address stays the same over a restart of the hub; else at any that is rested. */
  async function listen(
    target: Login,
    to: { host: string; port: number },
    stored: string,
  ): Promise<SshForward> {
    const { place, account } = target;
    const at = { host: place.host, port: place.port, account };
    const before = URL.canParse(stored) ? Number(new URL(stored).port) : 0;
    if (before !== 0) {
      const again = await ssh.forward(at, to, { host, port: before }).catch(() => undefined);
      if (again) return again;
    }
    for (;;) {
      const forward = await ssh.forward(at, to, { host, port: 0 });
      const restsUntil = resting.get(forward.port) ?? 0;
      if (restsUntil <= now()) return forward;
      await forward.close();
    }
  }

  async function close(tag: string): Promise<void> {
    const tunnel = open.get(tag);
    open.delete(tag);
    const forward = await tunnel?.forward.catch(() => undefined);
    if (!forward) return;
    resting.set(forward.port, now() + REST_MS);
    await forward.close();
  }

  /** Closes those whose servers nobody here observes any more. */
  function sweep(): void {
    for (const [port, until] of resting) if (until <= now()) resting.delete(port);
    for (const [tag, { usedAt }] of open)
      if (now() - usedAt > UNUSED_MS)
        close(tag).catch((error: unknown) => log.warn({ tag, err: error }, "forward cannot be closed"));
  }
  // By itself: who lost the right to observe makes no more looks.
  const timer = setInterval(sweep, SWEEP_MS).unref();
  onClose(() => clearInterval(timer));

  return {
    /** The address on this machine that leads to a server's own, `http://127.0.0.1:port`. `stored`: the one it had. */
    async url(tag: string, target: Login, serverUrl: string, stored: string): Promise<string> {
      const known = open.get(tag);
      if (known && known.to !== serverUrl) await close(tag);
      let tunnel = open.get(tag);
      if (!tunnel) {
        const { hostname, port } = new URL(serverUrl);
        const forward = listen(
          target,
          { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port) },
          stored,
        );
        const opened = { to: serverUrl, forward, usedAt: now() };
        tunnel = opened;
        open.set(tag, opened);
        forward.catch((error: unknown) => {
          log.warn({ tag, err: error }, "forward cannot be opened");
          if (open.get(tag) === opened) open.delete(tag);
        });
      }
      tunnel.usedAt = now();
      return httpUrl(host, (await tunnel.forward).port);
    },
    close,
    /** These are observed here, whether their machines answer or not. */
    keep(tags: readonly string[]): void {
      for (const tag of tags) {
        const tunnel = open.get(tag);
        if (tunnel) tunnel.usedAt = now();
      }
    },
  };
}
export type Tunnels = ReturnType<typeof tunnels>;
