import type { GithubFault } from "@elara/beds/providers/github";
import type { GlobusFault } from "@elara/beds/providers/globus";
import { shapeMissing, shapes, type TestHub } from "../../fixtures/hub.ts";
import { startKernel } from "../../fixtures/kernel.ts";
import {
  badState,
  callbackRefusals,
  forgedCallback,
  githubRefusals,
  idTokenRefusals,
  notAllowed,
  type Refusal,
  refusalIn,
} from "../../fixtures/provider-faults.ts";
import { type ProviderHub, startProviderHub, wideThrottle } from "../../fixtures/provider-hub.ts";
import { startServer } from "../../fixtures/server.ts";
import { isLoggedIn, type Landed, openTab, type Tab } from "../../fixtures/tab.ts";
import { told } from "../../fixtures/trials/outcome.ts";
import { until } from "../../fixtures/until.ts";
import type { Cell, Part } from "./cell.ts";

/** What is tried differently at the two. */
interface Provider {
  readonly name: "github" | "globus";
  /** In by the rule. */
  readonly insider: string;
  /** Out, and how each is told so. */
  readonly outsiders: Readonly<Record<string, Refusal>>;
  live(stand: ProviderHub): number;
  /** Bad answers of the provider by name, and how each is refused. */
  readonly answers: Readonly<Record<string, Refusal>>;
  break(stand: ProviderHub, fault: string | undefined): void;
}

const trials: readonly Provider[] = [
  {
    name: "github",
    insider: "ada",
    outsiders: { bob: notAllowed, eve: notAllowed },
    live: ({ github }) => github.liveTokens().length,
    answers: { error: githubRefusals.error, missing: githubRefusals.missing },
    break: ({ github }, fault) => github.break(fault as GithubFault | undefined),
  },
  {
    name: "globus",
    insider: "grace",
    outsiders: { bob: notAllowed, eve: { status: 403, code: "GLOBUS_IDENTITY_PROVIDER" } },
    live: ({ globus }) => globus.liveTokens().length,
    answers: idTokenRefusals,
    break: ({ globus }, fault) => globus.break(fault as GlobusFault | undefined),
  },
];

type ForgedCallback = keyof ReturnType<typeof callbackRefusals>;

/** Log-ins at GitHub and at Globus, in both shapes. */
export const providers: Part = async (say) => {
  const cells: Cell[] = [];
  for (const shape of shapes) {
    const missing = await shapeMissing(shape);
    if (missing) {
      cells.push({ row: shape, column: "could be tried", ok: false, evidence: missing });
      continue;
    }
    const stand = await startProviderHub({ shape, config: { auth: { throttle: wideThrottle } } });
    try {
      for (const provider of trials) {
        say(`${provider.name}, ${shape} …`);
        cells.push(...(await rowOf(stand, provider, `${provider.name}, ${shape}`)));
      }
    } finally {
      await stand.close();
    }
  }
  return cells;
};

async function rowOf(stand: ProviderHub, provider: Provider, row: string): Promise<Cell[]> {
  const { hub } = stand;
  const { name, insider } = provider;
  const login = stand.loginUrl(name);
  const cells: Cell[] = [];
  const cell = async (
    column: string,
    look: () => Promise<{ ok: boolean; evidence: string }>,
  ): Promise<void> => {
    const seen = await look().catch((error: unknown) => ({ ok: false, evidence: told(error) }));
    cells.push({ row, column, ...seen });
  };
  /** Whether this very page refuses as it should, with nobody logged in; and what it told. */
  const judge = async (
    tab: Tab,
    landed: Landed,
    expected: Refusal,
  ): Promise<{ ok: boolean; told: string }> => {
    const { status, code } = refusalIn(landed);
    const ok = status === expected.status && code === expected.code && !(await isLoggedIn(tab, hub.url));
    return { ok, told: `${status} ${code}${ok ? "" : `, not ${expected.status} ${expected.code}`}` };
  };
  /** Each trial on a page of its own. */
  const all = async (
    trials: Readonly<Record<string, () => Promise<{ ok: boolean; told: string }>>>,
  ): Promise<{ ok: boolean; evidence: string }> => {
    const said: string[] = [];
    let isRight = true;
    for (const [what, look] of Object.entries(trials)) {
      const { ok, told: page } = await look();
      isRight &&= ok;
      said.push(`${what}: ${page}`);
    }
    await until("what was given to be given back", () => provider.live(stand) === 0, 15_000);
    return { ok: isRight, evidence: `${said.join("; ")}; 0 live tokens` };
  };
  const trialsOf = (
    expected: Readonly<Record<string, Refusal>>,
    look: (what: string, tab: Tab) => Promise<Landed>,
  ) =>
    Object.fromEntries(
      Object.entries(expected).map(([what, refusal]) => [
        what,
        async () => {
          const tab = openTab();
          return judge(tab, await look(what, tab), refusal);
        },
      ]),
    );

  const tab = openTab();
  await cell("logged in", async () => {
    const began = Date.now();
    const landed = await tab.logInAs(`${login}?next=%2Fhub%2Fhome`, insider);
    const { userId } = loggedIn(hub, insider, began);
    return {
      ok:
        new URL(landed.url).pathname === "/hub/home" &&
        (await isLoggedIn(tab, hub.url)) &&
        userId !== undefined,
      evidence: `${insider} on /hub/home, user ${userId}; ${provider.live(stand)} live tokens at the provider`,
    };
  });

  if (name === "globus")
    await cell("tokens in the notebook", async () => {
      const token = await hub.token(insider);
      await startServer(hub, token, insider);
      const kernel = await startKernel(hub.url, insider, token);
      try {
        const printed = await kernel.run(reader(stand.globus.endpoints.transfer));
        return { ok: printed === "['transfer.api.globus.org'] ['measurements.csv']", evidence: printed };
      } finally {
        kernel.close();
      }
    });

  await cell("revoked", async () => {
    const before = provider.live(stand);
    await tab.follow(`${hub.url}/hub/logout`);
    await until("the provider to have every token back", () => provider.live(stand) === 0, 15_000);
    return {
      ok: before > 0 && !(await isLoggedIn(tab, hub.url)),
      evidence: `live tokens: ${before} before log-out, 0 after`,
    };
  });

  await cell("outside the rule refused", () =>
    all(trialsOf(provider.outsiders, (person, outside) => outside.logInAs(login, person))),
  );

  // GitHub gives no id_token that could be forged: there it is the callback, and answers without a token.
  await cell("forged refused", () =>
    all({
      ...trialsOf(callbackRefusals(name), async (fault, own) => {
        const foreign = await openTab().visitProvider(login, "bob");
        const callback = await own.visitProvider(login, insider);
        return own.follow(forgedCallback(fault as ForgedCallback, callback, foreign));
      }),
      ...trialsOf(provider.answers, async (fault, bad) => {
        const callback = await bad.visitProvider(login, insider);
        provider.break(stand, fault);
        return bad.follow(callback).finally(() => provider.break(stand, undefined));
      }),
    }),
  );

  await cell("replayed refused", () => {
    const fresh = openTab();
    return all({
      "callback in another browser": async () => {
        const stranger = openTab();
        const callback = await openTab().visitProvider(login, insider);
        return judge(stranger, await stranger.follow(callback), badState);
      },
      "the same twice": async () => {
        const once = await fresh.visitProvider(login, insider);
        await fresh.follow(once);
        const isFirstIn = await isLoggedIn(fresh, hub.url);
        const twice = await fresh.open(once);
        await fresh.follow(`${hub.url}/hub/logout`);
        const { ok, told: page } = await judge(fresh, twice, badState);
        return { ok: ok && isFirstIn, told: `logged in, then ${page}` };
      },
    });
  });
  return cells;
}

/** What auth's log says of who logged in by this name since then. */
const loggedIn = (hub: TestHub, who: string, since: number): Record<string, unknown> =>
  hub
    .log()
    .split("\n")
    .filter((line) => line.includes('"service":"auth"') && line.includes('"msg":"logged in"'))
    .map((line): Record<string, unknown> => JSON.parse(line))
    .find(({ name, time }) => name === who && Number(time) >= since) ?? {};

const reader = (transfer: string): string => `
import base64, os, pickle, json, urllib.request
globus = pickle.loads(base64.b64decode(os.environ["GLOBUS_DATA"]))
token = globus["tokens"]["transfer.api.globus.org"]["access_token"]
ask = urllib.request.Request("${transfer}/ls?path=/data", headers={"Authorization": "Bearer " + token})
print(sorted(globus["tokens"]), [file["name"] for file in json.load(urllib.request.urlopen(ask))["DATA"]])
`;
