import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { HubError } from "@elara/contracts";
import type { Clock } from "@elara/runtime/clock";
import type { HubConfig } from "@elara/runtime/config/hub";
import { callbackPaths } from "@elara/runtime/http/paths";
import { closeAll } from "@elara/runtime/plugins/close-all";
import type { ConfiguredAuthenticator } from "@elara/runtime/service";
import type { Authenticator, LoginField } from "@elara/sdk";
import type { Logger } from "pino";
import { type AllowRules, allowRules } from "../people/allow-rules.ts";

/** One way to log in, set up. */
export interface LoginWay {
  /** As configured; stands in URLs and sessions. */
  readonly name: string;
  /** For the button, `Sign in with {label}`. */
  readonly label: string;
  readonly authenticator: Authenticator;
  /** Who of its people may log in. */
  readonly rules: AllowRules;
  /** Some rule lets somebody in, of the configuration or of its own options. */
  readonly letsIn: boolean;
  readonly log: Logger;
}

/** How a way looks on the login page. */
export type LoginWayView =
  | {
      readonly kind: "form";
      readonly name: string;
      readonly label: string;
      readonly fields: readonly LoginField[];
    }
  | { readonly kind: "redirect" | "away"; readonly name: string; readonly label: string };

/** All configured ways to log in. */
export interface LoginWays {
  readonly all: readonly LoginWay[];
  find(name: string): LoginWay | undefined;
  /** For the login page. What cannot be begun now is shown as away. */
  views(callbackUrl: (name: string) => string): Promise<LoginWayView[]>;
  close(): Promise<void>;
}

/** Two of one plugin are told apart by their names, unless their entries have words of their own. */
function labelOf(entry: ConfiguredAuthenticator, all: readonly ConfiguredAuthenticator[]): string {
  const plain = ({ label, plugin, name }: ConfiguredAuthenticator) => label ?? plugin.label ?? name;
  const isShared = all.some((other) => other !== entry && plain(other) === plain(entry));
  return isShared ? `${plain(entry)} (${entry.name})` : plain(entry);
}

/** Sets all authenticators up; one that fails stops the start. */
export async function openWays(
  configured: readonly ConfiguredAuthenticator[],
  {
    hub,
    config,
    clock,
    log,
  }: {
    hub: Pick<HubConfig, "dataDir" | "hubId" | "baseUrl" | "publicUrl">;
    config: Parameters<typeof allowRules>[0];
    clock: Clock;
    log: Logger;
  },
): Promise<LoginWays> {
  const closers: (() => void | Promise<void>)[] = [];
  const all: LoginWay[] = [];
  try {
    for (const [index, entry] of configured.entries()) {
      const { name, plugin, options } = entry;
      const own = log.child({ authenticator: name });
      const dataDir = join(hub.dataDir, "plugins", name);
      await mkdir(dataDir, { recursive: true, mode: 0o700 });
      const authenticator = await plugin.setup(options, {
        log: own,
        dataDir,
        hubId: hub.hubId,
        callbackPaths: callbackPaths(hub, name, index === 0),
        publicUrl: hub.publicUrl,
        now: () => clock.now(),
        onClose: (close) => {
          closers.push(close);
        },
      });
      const rules = allowRules(config, entry);
      const letsIn = !rules.isEmpty || plugin.allows?.(options) !== undefined;
      all.push({ name, label: labelOf(entry, configured), authenticator, rules, letsIn, log: own });
    }
  } catch (error) {
    await closeAll(closers, log);
    throw error;
  }

  // A form is what it is; redirects are begun anew with every login, so only their kind is remembered.
  const known = new Map<string, LoginWayView>();
  async function view(
    { name, label, authenticator, log: own }: LoginWay,
    callbackUrl: string,
  ): Promise<LoginWayView> {
    const remembered = known.get(name);
    if (remembered) return remembered;
    try {
      const start = await authenticator.begin({ callbackUrl });
      const seen: LoginWayView =
        start.kind === "form"
          ? { kind: "form", name, label, fields: start.fields }
          : { kind: "redirect", name, label };
      known.set(name, seen);
      return seen;
    } catch (error) {
      own.warn({ err: error }, "authenticator cannot begin");
      return { kind: "away", name, label };
    }
  }

  return {
    all,
    find: (name) => all.find((way) => way.name === name),
    views: (callbackUrl) => Promise.all(all.map((way) => view(way, callbackUrl(way.name)))),
    close: () => closeAll(closers, log),
  };
}

/** The way of this name; the first one when none is named. Throws NOT_FOUND. */
export function wayOf(ways: LoginWays, name: string | undefined): LoginWay {
  const way = name === undefined || name === "" ? ways.all[0] : ways.find(name);
  if (!way) throw new HubError("NOT_FOUND");
  return way;
}
