import { after } from "node:test";
import { ORGANIZATION, startGithub } from "@elara/beds/providers/github";
import { authenticatorConformance } from "@elara/sdk/testing";
import github from "../src/github.ts";
import { backAs, CALLBACK, named } from "./callback.ts";

const provider = await startGithub();
after(() => provider.close());
const options = {
  clientId: provider.clientId,
  clientSecret: provider.clientSecret,
  githubUrl: provider.url,
  allowedOrganizations: [ORGANIZATION],
};

authenticatorConformance(github, {
  options,
  callbackUrl: CALLBACK,
  callback: backAs("ada"),
  stranger: backAs("bob"),
  allowed: true,
  live: () => named(provider.liveTokens()),
});
