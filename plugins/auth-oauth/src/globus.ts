import { type AuthenticatedUser, authPlugin } from "@elara/sdk";
import { boundedState } from "./bounded-state.ts";
import { codeFlow } from "./code-flow.ts";
import type { TokenAnswer } from "./engine.ts";
import { errors, faults } from "./globus/errors.ts";
import { GROUPS_SERVER, groupsOf } from "./globus/groups.ts";
import { notebookVariables } from "./globus/notebook.ts";
import { assertIdentityProvider, nameOf, type Said } from "./globus/person.ts";
import { revoke } from "./globus/revocation.ts";
import { globusSettings, options } from "./globus/settings.ts";
import { allTokens, tokensByServer, withoutServers } from "./globus/tokens.ts";
import { grantEngine } from "./grant-engine.ts";
import { idTokenJudge } from "./id-token.ts";
import { warnOfOpenWays } from "./open-ways.ts";
import { answered, assertAnswering, providerClient } from "./provider-client.ts";

const CHECK_MS = 20_000;

/** Log-in at Globus: groups let people in, tokens of its services reach their servers. */
export default authPlugin({
  name: "globus",
  label: "Globus",
  options,
  errors,
  allows: ({ allowedGlobusGroups, adminGlobusGroups }) => {
    const groups = [...allowedGlobusGroups, ...adminGlobusGroups];
    return groups.length > 0 ? `members of the Globus groups ${groups.join(", ")}` : undefined;
  },
  async setup(given, host) {
    const settings = globusSettings(given, process.env, host);
    const { authorizeUrl, tokenUrl, userdataUrl, revocationUrl, jwksUrl, groupsUrl } = settings;
    warnOfOpenWays(host, settings.isTlsVerified, [
      authorizeUrl,
      tokenUrl,
      userdataUrl,
      revocationUrl,
      jwksUrl,
      groupsUrl,
    ]);
    if (!settings.domain)
      host.log.warn(
        { option: "identityProvider" },
        "people of all institutions may come, and their names lose the institution: ada of one is named as ada of another",
      );
    const client = await providerClient(settings);
    const judge = idTokenJudge(settings, client, faults, () => host.now());
    const flow = codeFlow({
      engine: grantEngine(settings),
      callbackUrl: settings.callbackUrl,
      tokenUrl,
      otherAccount: { prompt: "login" },
      faults,
      isIssuer: (iss) => iss === settings.issuer,
      log: host.log,
      kept: (answer) => ({ token_response: answer }),
    });
    const hasGroupRules = settings.allowedGroups.length + settings.adminGroups.length > 0;

    const userinfo = async (token: string, signal: AbortSignal): Promise<Said> => {
      const answer = await answered(faults, () =>
        client.ask(userdataUrl, { headers: { authorization: `Bearer ${token}` }, signal }),
      );
      if (answer.status === 200 && typeof Object(answer.body).sub === "string") return Object(answer.body);
      throw faults("PROVIDER_ERROR", { detail: { address: userdataUrl, status: answer.status } });
    };

    /** Who it is, judged; then the restriction; then the rules. */
    const personIn = async (
      answer: TokenAnswer,
      nonce: string,
      signal: AbortSignal,
    ): Promise<AuthenticatedUser> => {
      const claims = await judge.claimsOf(answer.id_token, nonce);
      const user = await userinfo(answer.access_token, signal);
      if (user.sub !== claims.sub) throw faults("SUBJECT_MISMATCH");
      const said = [claims, user];
      assertIdentityProvider(said, settings);
      const name = nameOf(said, settings);
      const tokens = tokensByServer(answer, host.now());
      const groups = hasGroupRules
        ? await groupsOf(tokens[GROUPS_SERVER]?.access_token ?? undefined, groupsUrl, client, signal)
        : [];
      const isIn = (rule: readonly string[]): boolean => rule.some((id) => groups.includes(id));
      const isAdmin = isIn(settings.adminGroups);
      const { state: _, ...kept } = answer;
      return {
        issuer: settings.issuer,
        subject: claims.sub,
        name,
        ...(settings.adminGroups.length > 0 ? { admin: isAdmin } : {}),
        ...(isAdmin || isIn(settings.allowedGroups) ? { allowed: true } : {}),
        authState: boundedState(
          {
            client_id: settings.clientId,
            tokens: withoutServers(tokens, settings.excludeTokens),
            // Whole, as it takes every token to give all back.
            token_response: kept,
            globus_user: user,
            globus_groups: groups,
          },
          ["globus_groups", "globus_user"],
          host.log,
        ),
      };
    };

    return {
      begin: (request) => flow.begin(request),

      finish: (request) =>
        flow.finish(request, (answer, { nonce }) => personIn(answer, nonce, request.signal)),

      preSpawn: async ({ authState }) => notebookVariables(authState, settings, host.log),

      async logout({ authState, signal }) {
        // Of a log-in that was refused nothing else is kept, and nobody ever had its tokens.
        const isRefused = authState.tokens === undefined;
        if (settings.revokeTokensOnLogout || isRefused)
          await revoke(allTokens(authState), settings, client, signal);
      },

      async check() {
        const signal = AbortSignal.timeout(CHECK_MS);
        const asked = [authorizeUrl, tokenUrl, userdataUrl, ...(hasGroupRules ? [groupsUrl] : [])];
        await assertAnswering(asked, client, faults, signal);
        const keys = await answered(faults, () => client.ask(jwksUrl, { signal }));
        if (keys.status !== 200 || !Array.isArray(Object(keys.body).keys))
          throw faults("PROVIDER_ERROR", { detail: { address: jwksUrl, status: keys.status } });
        // Of a token that never was: the answer tells whether id and secret are right.
        await revoke(["elara-check"], settings, client, signal);
      },
    };
  },
});
