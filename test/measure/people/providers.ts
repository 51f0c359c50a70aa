import { type GlobusFault, idTokenFaults } from "@elara/beds/providers/globus";
import { shapeMissing, shapes, type TestHub } from "../../fixtures/hub.ts";
import { startKernel } from "../../fixtures/kernel.ts";
import { type ProviderHub, startProviderHub } from "../../fixtures/provider-hub.ts";
import { startServer } from "../../fixtures/server.ts";
import { openTab, type Tab, wordsOf } from "../../fixtures/tab.ts";
import { told } from "../../fixtures/trials/outcome.ts";
import { until } from "../../fixtures/until.ts";
import type { Cell, Part } from "./cell.ts";

/** What is tried differently at the two. */
interface Provider {
  readonly name: "github" | "globus";
  /** In, and out, by the rule. */
  readonly insider: string;
  readonly outsiders: readonly string[];
  live(stand: ProviderHub): number;
  /** Every bad answer of the provider, by name. */
  readonly faults: readonly string[];
  break(stand: ProviderHub, fault: string | undefined): void;
}

const trials: readonly Provider[] = [
  {
    name: "github",
    insider: "ada",
    outsiders: ["bob", "eve"],
    live: ({ github }) => github.liveTokens().length,
    faults: ["error", "missing"],
    break: ({ github }, fault) => github.break(fault as "error" | "missing" | undefined),
  },
  {
    name: "globus",
    insider: "grace",
    outsiders: ["bob", "eve"],
    live: ({ globus }) => globus.liveTokens().length,
    faults: idTokenFaults,
    break: ({ globus }, fault) => globus.break(fault as GlobusFault | undefined),
  },
];

/** Log-ins at GitHub and at Globus, in both shapes. */
export const providers: Part = async (say) => {
  const cells: Cell[] = [];
  for (const shape of shapes) {
    const missing = await shapeMissing(shape);
    if (missing) {
      cells.push({ row: shape, column: "could be tried", ok: false, evidence: missing });
      continue;
    }
    const throttle = { failuresPerAddress: 1000, failuresPerName: 1000, windowSeconds: 60, blockSeconds: 1 };
    const stand = await startProviderHub({ shape, config: { auth: { throttle } } });
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
  /** Refused with nobody logged in; the page's words, shortened. */
  const refusal = async (tab: Tab, url: string): Promise<{ ok: boolean; said: string }> => {
    const landed = await tab.follow(url);
    return {
      ok: landed.status >= 400 && !(await isIn(hub, tab)),
      said: `${landed.status} "${sentence(landed.html)}"`,
    };
  };

  const tab = openTab();
  await cell("logged in", async () => {
    const began = Date.now();
    const landed = await tab.logInAs(`${login}?next=%2Fhub%2Fhome`, insider);
    const { name: who, userId } = logged(hub, "userId", began);
    return {
      ok: new URL(landed.url).pathname === "/hub/home" && (await isIn(hub, tab)) && who === insider,
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
      ok: before > 0 && !(await isIn(hub, tab)),
      evidence: `live tokens: ${before} before log-out, 0 after`,
    };
  });

  await cell("outside the rule refused", async () => {
    const said: string[] = [];
    let ok = true;
    for (const person of provider.outsiders) {
      const outside = openTab();
      const landed = await outside.logInAs(login, person);
      ok &&= landed.status === 403 && !(await isIn(hub, outside));
      said.push(`${person}: 403 "${sentence(landed.html)}"`);
    }
    await until("their tokens to be given back", () => provider.live(stand) === 0, 15_000);
    return { ok, evidence: `${said.join("; ")}; 0 live tokens` };
  });

  await cell("forged refused", async () => {
    const said: string[] = [];
    let ok = true;
    for (const fault of provider.faults) {
      provider.break(stand, fault);
      try {
        const bad = openTab();
        const began = Date.now();
        const seen = await refusal(bad, await bad.visitProvider(login, insider));
        ok &&= seen.ok;
        said.push(`${fault}: ${logged(hub, "code", began).code ?? seen.said}`);
      } finally {
        provider.break(stand, undefined);
      }
    }
    await until("tokens of bad answers to be given back", () => provider.live(stand) === 0, 15_000);
    return { ok, evidence: `${said.join("; ")}; 0 live tokens` };
  });

  await cell("replayed refused", async () => {
    const mine = openTab();
    const callback = await mine.visitProvider(login, insider);
    const stranger = await refusal(openTab(), callback);
    const other = openTab();
    const injected = new URL(await other.visitProvider(login, insider));
    injected.searchParams.set("code", new URL(callback).searchParams.get("code") ?? "");
    const code = await refusal(other, injected.href);
    const fresh = openTab();
    const once = await fresh.visitProvider(login, insider);
    await fresh.follow(once);
    const twice = await fresh.open(once);
    await fresh.follow(`${hub.url}/hub/logout`);
    return {
      ok: stranger.ok && code.ok && twice.status === 400,
      evidence: `callback in another browser: ${stranger.said}; another's code: ${code.said}; the same twice: ${twice.status}`,
    };
  });
  return cells;
}

const isIn = async (hub: TestHub, tab: Tab): Promise<boolean> =>
  new URL((await tab.follow(`${hub.url}/hub/home`)).url).pathname === "/hub/home";

/** The newest line of auth's log since then that has this field. */
const logged = (hub: TestHub, field: "userId" | "code", since: number): Record<string, unknown> =>
  hub
    .log()
    .split("\n")
    .filter((line) => line.includes('"service":"auth"') && line.includes(`"${field}":`))
    .map((line): Record<string, unknown> => JSON.parse(line))
    .filter(({ time }) => Number(time) >= since)
    .sort((a, b) => Number(a.time) - Number(b.time))
    .at(-1) ?? {};

/** What the page says is wrong. */
const sentence = (html: string): string =>
  wordsOf(/role="alert"[^>]*>([\s\S]*?)<\/p>/.exec(html)?.[1] ?? html).slice(0, 90);

const reader = (transfer: string): string => `
import base64, os, pickle, json, urllib.request
globus = pickle.loads(base64.b64decode(os.environ["GLOBUS_DATA"]))
token = globus["tokens"]["transfer.api.globus.org"]["access_token"]
ask = urllib.request.Request("${transfer}/ls?path=/data", headers={"Authorization": "Bearer " + token})
print(sorted(globus["tokens"]), [file["name"] for file in json.load(urllib.request.urlopen(ask))["DATA"]])
`;
