import type { PluginError } from "@elara/sdk";
import { faults } from "./errors.ts";
import type { GlobusSettings } from "./settings.ts";

/** What Globus says of somebody, in one place: the id_token, or userinfo. */
export type Said = Readonly<Record<string, unknown>>;

const textIn = (said: Said, claim: string): string => {
  const value = said[claim];
  return typeof value === "string" ? value : "";
};

/** What stands behind the first @: of a name with two it is no domain at all. */
const domainOf = (name: string): string => name.slice(name.indexOf("@") + 1).toLowerCase();

/**
 * The restriction to an identity provider, held against everything that was said: what the id_token says may not be made
 * good by userinfo, nor an e-mail address of the domain by an identity of another. Throws GLOBUS_IDENTITY_PROVIDER.
 */
export function assertIdentityProvider(
  said: readonly Said[],
  {
    domain,
    identityProviderId: id,
    usernameFromEmail,
  }: Pick<GlobusSettings, "domain" | "identityProviderId" | "usernameFromEmail">,
): void {
  const refusal = (): PluginError => {
    const who = said.map((each) => textIn(each, "preferred_username")).find(Boolean) ?? "";
    const place = domain || "one institution";
    return faults("IDENTITY_PROVIDER", {
      ...(who ? { who } : {}),
      message: `This hub takes only accounts of ${place}. Choose it at the log-in, or link your account there at https://app.globus.org/account and begin again.`,
    });
  };
  const mustBe = (claim: string, isRight: (value: string) => boolean): void => {
    const values = said.map((each) => textIn(each, claim)).filter(Boolean);
    if (values.length === 0 || !values.every(isRight)) throw refusal();
  };
  if (id) mustBe("identity_provider", (value) => value.toLowerCase() === id);
  if (!domain) return;
  mustBe("preferred_username", (name) => name.includes("@") && domainOf(name) === domain);
  if (usernameFromEmail) mustBe("email", (email) => email.includes("@") && domainOf(email) === domain);
}

/** What stands before the @. Throws GLOBUS_NAME_MISSING. */
export function nameOf(
  said: readonly Said[],
  { usernameFromEmail }: Pick<GlobusSettings, "usernameFromEmail">,
): string {
  const claim = usernameFromEmail ? "email" : "preferred_username";
  const isUnverified = usernameFromEmail && said.some((each) => each.email_verified === false);
  const full = said.map((each) => textIn(each, claim)).find(Boolean) ?? "";
  const name = full.slice(0, Math.max(0, full.indexOf("@"))) || (full.includes("@") ? "" : full);
  if (name === "" || isUnverified) throw faults("NAME_MISSING", { detail: { claim } });
  return name;
}
