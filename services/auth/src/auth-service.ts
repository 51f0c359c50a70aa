import { fileURLToPath } from "node:url";
import { HubError } from "@elara/contracts";
import { createApp } from "@elara/runtime/http/app";
import { recentActivity } from "@elara/runtime/recent-activity";
import { type Relay, startRelay } from "@elara/runtime/relay";
import { defineService } from "@elara/runtime/service";
import { sharedAccountWarning } from "@elara/runtime/shared-account";
import { lastTimes, latest } from "@elara/runtime/store/read/activity";
import { identityReader } from "@elara/runtime/store/read/identity";
import { within } from "@elara/runtime/within";
import { authorizationRoutes } from "./api/authorization-routes.ts";
import { tokenRoutes } from "./api/token-routes.ts";
import { AuthConfig } from "./config.ts";
import { openControlSocket } from "./control/control-socket.ts";
import { tokenForName } from "./control/token-for-name.ts";
import type { Ground } from "./ground.ts";
import { countKept } from "./kept/count-kept.ts";
import { envelope } from "./kept/envelope.ts";
import { giveBack } from "./kept/give-back.ts";
import { keptLogins } from "./kept/kept-logins.ts";
import { openWays } from "./login/ways.ts";
import { login } from "./login.ts";
import { countLogins } from "./login-metrics.ts";
import { authorizeRoutes } from "./oauth/authorize.ts";
import { tokenRoute } from "./oauth/token.ts";
import { takeOrders } from "./orders/take-orders.ts";
import { loginRoutes } from "./pages/login-routes.ts";
import { logoutRoutes } from "./pages/logout-routes.ts";
import { redirectRoutes } from "./pages/redirect-routes.ts";
import { tokenPage } from "./pages/token-page.ts";
import { anyRules } from "./people/allow-rules.ts";
import { registerServices, serviceFaults } from "./people/configured-services.ts";
import { mint } from "./people/mint.ts";
import { sessionBook } from "./people/session-book.ts";
import { tokenBook } from "./people/token-book.ts";
import { userBook } from "./people/user-book.ts";
import { openRecords } from "./records.ts";
import { allowedSubjects } from "./subscribers/allowed-subjects.ts";
import { keepSubscribers } from "./subscribers/subscribers.ts";
import { farewell } from "./upkeep/farewell.ts";
import { tidy } from "./upkeep/janitor.ts";
import { revokeBlocked } from "./upkeep/revoke-blocked.ts";
import { type Rounds, rounds } from "./upkeep/rounds.ts";

const TIDY_MS = 60_000;
const FAREWELL_MS = 2_000;
const GIVE_BACK_MS = 5_000;
const FIRST_MS = 3_000;
const TEMPLATES = fileURLToPath(new URL("./templates/", import.meta.url));

/** Who you are: log-in, sessions, users, tokens, OAuth2 provider. The one writer of its collections. */
export default defineService({
  name: "auth",
  config: AuthConfig,
  faults: ({ services }) => serviceFaults(services),
  async start({ instance, config, hub, keys, bus, gate, store, log, clock, plugins }) {
    const [fault] = serviceFaults(config.services);
    if (fault) throw new HubError("CONFIG_INVALID", { operator: `auth.${fault.path}: ${fault.message}.` });
    const records = openRecords(store);
    const recent = recentActivity(bus, clock);
    const identities = identityReader({ store, clock, log });
    // Tombstones of users reserve the name for a day; the janitor takes them away. Those of tokens may go at once.
    const relays: Relay[] = [
      startRelay({ bus, documents: [records.users], log, clock, keep: () => true }),
      startRelay({ bus, documents: [records.tokens], log, clock }),
      startRelay({ bus, documents: [records.sessions], log, clock }),
    ];
    const ground: Ground = {
      hub,
      config,
      bus,
      store,
      records,
      clock,
      log,
      nudge: () => {
        for (const relay of relays) relay.nudge();
      },
      forget: (digests) => identities.forget(digests),
      async lastUses(userId) {
        const stored = await lastTimes(store, userId);
        return (publicId) => latest(recent.over(`t:${publicId}`, stored.timesOf(`t:${publicId}`)));
      },
    };
    const users = userBook(ground);
    const tokens = tokenBook(ground);
    let returns: Rounds | undefined;
    const kept = keptLogins(ground, envelope(keys.authStateRing), () => returns?.now());
    const sessions = sessionBook(ground, users, tokens, kept);
    const rules = anyRules(config, plugins.authenticators);
    const ending = new AbortController();
    // Before anybody is served, where the store answers; else behind it.
    const services = registerServices(ground, tokens, ending.signal);
    await within(FIRST_MS, services).catch(async (error: unknown) => {
      await Promise.all([...relays, recent, identities].map((each) => each.close()));
      throw error;
    });
    const minted = mint(users, tokens);
    const ways = await openWays(plugins.authenticators, { hub, config, clock, log });
    const bringing = ways.all.filter(({ authenticator }) => authenticator.preSpawn).map(({ name }) => name);
    const warning = sharedAccountWarning(bringing, plugins.spawners);
    if (warning !== undefined) log.warn({}, warning);
    const parts = {
      ground,
      users,
      sessions,
      tokens,
      kept,
      rules,
      ways,
      mint: minted,
      login: login({ ground, users, sessions, kept }),
    };

    const app = createApp({ service: "auth", hub, log, keys, identities, clock, templates: TEMPLATES });
    countLogins(app, `${hub.baseUrl}hub/`);
    loginRoutes(app, parts);
    logoutRoutes(app, ground, sessions);
    redirectRoutes(app, keys.derive("cookie"), parts);
    authorizeRoutes(app, ground, tokens);
    tokenRoute(app, ground, parts);
    tokenRoutes(app, parts);
    authorizationRoutes(app, ground, identities);
    tokenPage(app, ground, parts);

    const farewells = rounds(FAREWELL_MS, () => farewell(ground, users), log);
    returns = rounds(
      GIVE_BACK_MS,
      () => giveBack(ground, { kept, ways, undo: sessions.undo, end: ending.signal }),
      log,
    );
    const upkeep = rounds(TIDY_MS, () => tidy(ground, parts), log);
    // What a killed replica left undone.
    farewells.now();
    returns.now();
    upkeep.now();
    const orders = takeOrders({ ...parts, farewell: farewells.now });
    const blocked = revokeBlocked(parts);
    const subscribers =
      gate && keepSubscribers({ ground, identities, gate, allowedOf: allowedSubjects(store) });
    const control = await openControlSocket({
      dataDir: hub.dataDir,
      instanceId: instance.id,
      log,
      token: tokenForName({ users, rules, mint: minted }),
      kept: (kids) => countKept(store, kids),
    });

    return {
      app,
      async close() {
        ending.abort();
        await Promise.all([orders.close(), subscribers?.close()]);
        await services.catch((error: unknown) => log.error({ err: error }, "services not registered"));
        await Promise.all([farewells.close(), returns?.close(), upkeep.close(), blocked]);
        await control.close();
        await Promise.all(relays.map((relay) => relay.close()));
        await app.close();
        await ways.close();
        await recent.close();
        await identities.close();
      },
    };
  },
});
