import type { Logger } from "@elara/sdk";
import type { GithubApi } from "./api.ts";

const HINDRANCES = {
  app: "github: the organisation does not let this app see its members; an owner approves it at its Settings, Third-party Access, OAuth app policy",
  "sign-on":
    "github: the organisation wants its single sign-on for this person's token; they authorize the app for it at github.com/settings/applications and log in again",
};

/**
 * Whether one of the rules (`org`, `org:team`) lets this login in. The login is the token holder's own: the hub's name may
 * be somebody else's at GitHub. An organisation that keeps the hub's app away is told to the operator and lets nobody in.
 */
export async function isMember(
  rules: readonly string[],
  login: string,
  api: Pick<GithubApi, "asks">,
  log: Logger,
): Promise<boolean> {
  for (const rule of rules) {
    const [org = "", team] = rule.split(":");
    const { status, body, hindrance } = await api.asks(pathOf(org, team, login));
    if (hindrance) log.warn({ organization: org, login }, HINDRANCES[hindrance]);
    // Invited is not yet in: such a membership of a team is `pending`.
    else if (team === undefined ? status === 204 : status === 200 && Object(body).state === "active")
      return true;
  }
  return false;
}

function pathOf(org: string, team: string | undefined, login: string): string {
  const [o, t, l] = [org, team ?? "", login].map(encodeURIComponent);
  return team === undefined ? `/orgs/${o}/members/${l}` : `/orgs/${o}/teams/${t}/memberships/${l}`;
}
