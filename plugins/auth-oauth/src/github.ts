import { type AuthenticatedUser, authPlugin } from "@elara/sdk";
import { boundedState } from "./bounded-state.ts";
import { codeFlow } from "./code-flow.ts";
import type { TokenAnswer } from "./engine.ts";
import { githubApi, githubApplication } from "./github/api.ts";
import { errors, faults } from "./github/errors.ts";
import { isMember } from "./github/membership.ts";
import { githubSettings, options } from "./github/settings.ts";
import { grantEngine } from "./grant-engine.ts";
import { warnOfOpenWays } from "./open-ways.ts";
import { assertAnswering, providerClient } from "./provider-client.ts";

const CHECK_MS = 10_000;

/** Log-in at GitHub, github.com or Enterprise; organisations and teams let people in. */
export default authPlugin({
  name: "github",
  label: "GitHub",
  options,
  errors,
  allows: ({ allowedOrganizations: rules }) =>
    rules.length > 0 ? `members of ${rules.join(", ")} at GitHub` : undefined,
  async setup(given, host) {
    const settings = githubSettings(given, process.env, host);
    const { url, api, tokenUrl } = settings;
    warnOfOpenWays(host, settings.isTlsVerified, [url, api]);
    const client = await providerClient(settings);
    const application = githubApplication(client, settings);
    const flow = codeFlow({
      engine: grantEngine(settings),
      callbackUrl: settings.callbackUrl,
      tokenUrl,
      otherAccount: { prompt: "select_account" },
      faults,
      // GitHub sends none yet; the path of its issuer is not known.
      isIssuer: (iss) => URL.parse(iss)?.origin === new URL(url).origin,
      log: host.log,
      kept: ({ access_token }) => ({ access_token }),
    });

    const personIn = async (answer: TokenAnswer, signal: AbortSignal): Promise<AuthenticatedUser> => {
      const person = githubApi(client, settings, answer.access_token, signal);
      const { id, login, profile } = await person.user();
      const allowed = await isMember(settings.rules, login, person, host.log);
      const scope = typeof answer.scope === "string" ? answer.scope : "";
      return {
        issuer: url,
        subject: id,
        name: login,
        ...(allowed ? { allowed } : {}),
        authState: boundedState(
          {
            access_token: answer.access_token,
            token_response: answer,
            scope: scope.split(/[\s,]+/).filter(Boolean),
            github_user: profile,
            ...(settings.hasTeams ? { teams: await person.teams() } : {}),
          },
          ["teams", "github_user"],
          host.log,
        ),
      };
    };

    return {
      begin: (request) => flow.begin(request),

      finish: (request) => flow.finish(request, (answer) => personIn(answer, request.signal)),

      async logout({ authState, signal }) {
        const { access_token: token } = authState;
        if (typeof token === "string") await application.revoke(token, signal);
      },

      async check() {
        const signal = AbortSignal.timeout(CHECK_MS);
        await assertAnswering([url, api], client, faults, signal);
        await application.assertKnown(signal);
      },
    };
  },
});
