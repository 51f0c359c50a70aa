import type { FastifyInstance } from "fastify";
import type Provider from "oidc-provider";
import type { GlobusPeople, GlobusPerson } from "./globus-people.ts";
import { type Brand, consentPage, signInPage } from "./page.ts";

/** How its pages look. */
export const BRAND: Brand = { name: "Globus", colour: "#2b5a9b", mark: "G" };
/** Scopes that are known, with their words on the page of consent. */
export const MEANINGS: Readonly<Record<string, string>> = {
  openid: "Know who you are in Globus",
  profile: "View your identity details",
  email: "View your e-mail address",
  "urn:globus:auth:scope:auth.globus.org:view_identity_set": "View your identities on Globus Auth",
  "urn:globus:auth:scope:groups.api.globus.org:view_my_groups_and_memberships":
    "View your groups and memberships",
  "urn:globus:auth:scope:groups.api.globus.org:all": "View and manage your groups",
  "urn:globus:auth:scope:transfer.api.globus.org:all": "Transfer and synchronize files",
};

export interface PageParts {
  /** Name of the application. */
  readonly app: string;
  readonly people: GlobusPeople;
  personOf(sub: string | undefined): GlobusPerson | undefined;
  /** Whether `session_required_single_domain` is held against who signs in. */
  readonly holdsDomain: boolean;
}

/** The domain of a person's identity. */
export const domainOf = ({ username }: GlobusPerson): string => username.slice(username.indexOf("@") + 1);

/** Sign-in and consent, `/p/{interaction}`; `as` and `deny` of the authorize address answer for scripts. */
export function globusPages(
  web: FastifyInstance,
  provider: Provider,
  { app, people, personOf, holdsDomain }: PageParts,
): void {
  const finish = provider.interactionFinished.bind(provider);
  type Visit = { Params: { uid: string }; Body: Record<string, string | undefined> | null };
  web.route<Visit>({
    method: ["GET", "POST"],
    url: "/p/:uid",
    async handler({ raw, body }, reply) {
      const details = await provider.interactionDetails(raw, reply.raw);
      const { params, prompt, session } = details;
      const scopes = String(params.scope ?? "")
        .split(" ")
        .filter((scope) => Object.hasOwn(MEANINGS, scope));
      const end = async (result: Parameters<typeof finish>[2], merged = true) => {
        reply.hijack();
        await finish(raw, reply.raw, result, { mergeWithLastSubmission: merged });
      };
      const deny = () =>
        end({ error: "access_denied", error_description: "The user denied the request." }, false);
      const granted = async (accountId: string): Promise<string> => {
        const grant = new provider.Grant({ accountId, clientId: String(params.client_id) });
        grant.addOIDCScope(scopes.join(" "));
        return grant.save();
      };
      const wanted = String(params.session_required_single_domain ?? "")
        .split(",")
        .filter(Boolean);
      const fits = (person: GlobusPerson): boolean =>
        !holdsDomain || wanted.length === 0 || wanted.includes(domainOf(person));
      const named = (key: unknown): GlobusPerson | undefined =>
        Object.entries(people).find(([name, person]) => name === key && fits(person))?.[1];

      if (params.deny) return deny();
      const scripted = params.as === undefined ? undefined : named(params.as);
      if (scripted)
        return end({ login: { accountId: scripted.sub }, consent: { grantId: await granted(scripted.sub) } });
      if (body?.answer === "deny") return deny();
      const chosen = body?.person === undefined ? undefined : named(body.person);
      if (prompt.name === "login" && chosen) return end({ login: { accountId: chosen.sub } });
      if (prompt.name === "consent" && body?.answer === "allow" && session)
        return end({ consent: { grantId: await granted(session.accountId) } });
      reply.type("text/html; charset=utf-8");
      const action = `/p/${details.uid}`;
      if (prompt.name === "consent")
        return consentPage(BRAND, {
          app,
          person: personOf(session?.accountId)?.username ?? "you",
          action,
          hidden: {},
          scopes: scopes.map((scope) => ({ scope, meaning: MEANINGS[scope] ?? scope })),
        });
      return signInPage(BRAND, {
        app,
        action,
        hidden: {},
        note:
          params.session_message === undefined
            ? wanted.length > 0
              ? `Only identities of ${wanted.join(", ")} fit.`
              : undefined
            : String(params.session_message),
        people: Object.entries(people)
          .filter(([, person]) => fits(person))
          .map(([value, person]) => ({
            value,
            title: person.name,
            detail: `${person.username} · ${person.identityProviderName}`,
          })),
      });
    },
  });
}
