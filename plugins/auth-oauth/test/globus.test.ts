import { after } from "node:test";
import { DOMAIN, GROUP, startGlobus } from "@elara/beds/providers/globus";
import { authenticatorConformance } from "@elara/sdk/testing";
import globus from "../src/globus.ts";
import { backAs, CALLBACK, named } from "./callback.ts";

const provider = await startGlobus();
after(() => provider.close());

const options = {
  clientId: provider.clientId,
  clientSecret: provider.clientSecret,
  issuer: provider.issuer,
  groupsUrl: provider.endpoints.groups,
  identityProvider: DOMAIN,
  allowedGlobusGroups: [GROUP],
  scope: ["urn:globus:auth:scope:transfer.api.globus.org:all"],
  offlineAccess: true,
};

authenticatorConformance(globus, {
  options,
  callbackUrl: CALLBACK,
  callback: backAs("ada"),
  stranger: backAs("bob"),
  allowed: true,
  live: () => named(provider.liveTokens()),
});
